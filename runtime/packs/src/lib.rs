//! Reads what users write: skill packs and the configuration. Everything is checked before anything is used, and all
//! errors come at once, each with file, line, column and a hint.
//!
//! A file goes through four hands: text (`source`) → a tree in which everything knows its place (`node`) → typed values,
//! with every mistake of form (`form`, `raw`) → checked against everything else (`check`) and compiled (`resolve`). What
//! could not be read is stood in for, so that one mistake never hides another. Only text that is no YAML ends the reading
//! of its own file.

mod agent;
mod arguments;
mod check;
mod config;
mod error;
mod folder;
mod form;
mod load;
mod model;
mod node;
mod notify;
mod prompt;
mod raw;
mod resolve;
mod retention;
mod scalar;
mod schema;
mod secret;
mod server;
mod source;

pub use config::{Config, EngineConfig, IntakeConfig, OutboxConfig, Tools, load_config};
pub use error::{PackError, PackErrors};
pub use load::{Known, load, load_again, load_with_files};
pub use model::Model;
pub use notify::NotifyTarget;
pub use retention::{Age, RetentionConfig};
pub use secret::SecretPlace;
pub use server::{LogConfig, ServerConfig, TokenConfig};
