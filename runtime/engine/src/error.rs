//! What the engine refuses and why, as its callers get it.

use provost_domain::fields::InvalidFields;
use provost_domain::ids::PackName;
use provost_domain::port::StoreError;
use provost_domain::refusal::Refusal;

use crate::registry::SessionBusy;

/// Why the engine did not do as asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// Somebody else carries the session right now.
    #[error(transparent)]
    Busy(#[from] SessionBusy),
    /// As many sessions are live as may be.
    #[error("{live} sessions are live, which is the limit; try again later or raise `engine.sessions_max`")]
    SessionCapExceeded {
        /// How many are live.
        live: usize,
    },
    /// No pack of this name is loaded.
    #[error("no pack `{pack}` is loaded; the packs are: {}", known.join(", "))]
    UnknownPack {
        /// The name asked for.
        pack: PackName,
        /// The names there are.
        known: Vec<PackName>,
    },
    /// The fields do not fit the pack.
    #[error(transparent)]
    InvalidFields(#[from] InvalidFields),
    /// The session refused the command.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The command is stored and will be applied; nobody knows its outcome yet.
    #[error("the command is stored and will be applied; look at the session for what came of it")]
    Pending,
    /// The engine is shutting down.
    #[error("shutting down; ask again after the restart")]
    ShuttingDown,
}

/// Why the engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another part of the process registered figures of the same name: one registry carries one engine.
    #[error("the engine's figures cannot be registered")]
    Metrics(#[from] prometheus::Error),
    /// The root actor did not start.
    #[error("the engine's root actor did not start")]
    Node(#[from] ractor::SpawnErr),
}
