//! The metrics endpoint of one service.

mod config;
mod scrape;

pub(crate) use config::MetricsSection;
