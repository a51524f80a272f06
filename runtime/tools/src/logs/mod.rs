//! Log files.

mod config;
mod tail;

pub(crate) use config::LogsSection;
