//! Reads what users write: skill packs and the configuration. Everything is checked before anything is used, and all
//! errors come at once, each with file, line, column and a hint.
//!
//! Within one file the YAML reader stops at its first mistake of form (an unknown key, a wrong type); mistakes of meaning
//! (an unknown agent, tool, roster, outcome) are all found.

mod agent;
mod check;
mod config;
mod error;
mod load;
mod prompt;
mod raw;
mod resolve;
mod source;

pub use config::{ApiKey, Config, EngineConfig, Model, NotifyTarget, Tools, load_config};
pub use error::{PackError, PackErrors};
pub use load::{Known, load};
