//! Log files.

mod config;
mod reader;
mod tail;

pub(crate) use config::{LogsSection, require_regular};
pub(crate) use reader::LogFiles;
