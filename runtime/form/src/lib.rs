//! How a configuration is read: YAML in which every key and value knows its place.
//!
//! A file goes from text ([`TextFile`]) to a tree with places ([`YamlNode`]), and from there to typed values ([`FromYaml`],
//! [`table!`], [`words!`]). Every error is collected in an [`ErrorLog`] with file, line, column and a hint; a value that could
//! not be read is replaced by a stand-in, so that one error never hides another. Only text that is not YAML ends the reading
//! of its file.
//!
//! A part of the program owns its section: it declares a type for it here and reads it from the section's node. Relative paths
//! start from the folder of the file. A secret is never part of a configuration: its place is ([`SecretPlace`]).
//!
//! This crate knows no section of any configuration.

mod document;
mod error;
mod file;
mod names;
mod node;
mod read;
mod scalar;
mod schema;
mod secret;
mod table;
mod variables;

pub use document::load;
pub use error::{ErrorLog, FormError, FormErrors, nearest, resembles};
pub use file::{TextFile, parse};
pub use names::Names;
pub use node::{At, NodeKind, Position, YamlNode};
pub use read::{FromYaml, take};
pub use scalar::{Cost, Count, Period, Share, word, word_schema};
pub use schema::TableSchema;
pub use secret::{ReadSecret, SecretError, SecretPlace};
pub use serde_json::Value as Json;
pub use table::Table;
pub use variables::{Variable, fill};
