//! The admin interface of a service.

mod config;
mod endpoint;

pub(crate) use config::ServiceSection;
