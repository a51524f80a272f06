//! Reads skill packs. Everything is checked before anything is used, and all errors come at once, each with file, line, column
//! and a hint.
//!
//! A file is read into typed values (`provost-form`, `raw`), checked against everything else (`check`) and compiled
//! (`resolve`). What could not be read is replaced by a stand-in, so that one error never hides another. Only text that is not
//! YAML ends the reading of its own file.

mod agent;
mod arguments;
mod asking;
mod check;
mod conditions;
mod expand;
mod folder;
mod front;
mod intake;
mod inventory;
mod load;
mod own_tools;
mod prompt;
mod raw;
mod resolve;
mod rosters;
mod schema;
mod types;
mod watching;

pub use inventory::Inventory;
pub use load::{LoadedPack, load, load_again, load_with_files};

/// The JSON Schema of a pack's manifest, `pack.yaml`, for editors.
pub fn pack_schema() -> provost_form::Json {
    <raw::RawPack as provost_form::FromYaml>::schema()
}

/// The JSON Schema of an agent's manifest, `agents/NAME/agent.yaml`, for editors.
pub fn agent_schema() -> provost_form::Json {
    <raw::RawAgent as provost_form::FromYaml>::schema()
}
