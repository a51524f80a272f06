//! Requests to allowed addresses.

mod config;
mod request;
mod served;

pub(crate) use config::ProbeSection;
pub(crate) use served::ProbeServer;
