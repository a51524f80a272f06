//! What all wires share: a server's address, client and section of the configuration, its failures, and the ids and names
//! that every server takes.

pub(crate) mod body;
pub(crate) mod client;
pub(crate) mod failure;
pub(crate) mod ids;
pub(crate) mod names;
pub(crate) mod section;
pub(crate) mod settings;
pub(crate) mod usage;
mod wait;

pub use settings::ModelServer;
