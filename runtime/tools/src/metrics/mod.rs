//! The metrics endpoint of one service.

mod config;
mod exposition;
mod pick;
mod scrape;

pub(crate) use config::MetricsSection;
