//! The built-in tools. Each declares its arguments as a Rust type, its effect class, risk, time and output bound; results
//! are typed, bounded and redacted before anything else sees them.
//!
//! A kind of tool server is a folder (its section of the configuration, its tools) and one line in `registry`.

mod alertmanager;
mod arguments;
mod bound;
mod claim;
mod command;
mod error;
mod files;
mod holes;
mod http;
mod kind;
mod logs;
mod loki;
mod mapping;
mod mcp;
mod metrics;
mod notify;
mod probe;
mod process;
mod prometheus;
mod redact;
mod registry;
mod rest;
mod server;
mod service;
mod span;
mod spec;
mod status;

pub use error::ToolsError;
pub use notify::Queue;
pub use redact::redact;
pub use registry::{ToolSet, ToolsConfig};
pub use server::ServerFinding;
