//! Requests to allowed addresses.

mod config;
mod request;

pub(crate) use config::ProbeSection;
