//! The metrics endpoint of one service.

mod config;
mod exposition;
mod pick;
mod scrape;
mod served;

pub(crate) use config::MetricsSection;
pub(crate) use served::MetricsServer;
