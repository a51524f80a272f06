//! What the engine stands on for its whole life. Packs, models and tools can be replaced: see [`crate::Resources`].

use std::sync::Arc;

use prometheus::Registry;
use provost_domain::port::Roles;
use provost_domain::port::{Clock, CommandLog, Random, Reads, SessionStore};

/// What the engine stands on for its whole life.
#[derive(Debug)]
pub struct Ports {
    /// Writes by owners.
    pub store: Arc<dyn SessionStore>,
    /// Commands from outside.
    pub commands: Arc<dyn CommandLog>,
    /// Reads of rows and records, beside whoever writes.
    pub reads: Arc<dyn Reads>,
    /// What agents are told when they are given work.
    pub roles: Arc<dyn Roles>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// For the names of owners, and for the salts that keep erased events unguessable.
    pub random: Arc<dyn Random>,
    /// Where the engine's figures are registered: one registry per process, made by whoever composes its parts.
    pub metrics: Registry,
}
