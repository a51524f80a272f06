//! Why a store did not do as asked.

use crate::event::EncodeError;
use crate::ids::{CallId, SessionId};
use crate::projection::Obstacle;

/// Why the store did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The session is held under a newer fence or by another owner: stop, write nothing more.
    #[error("the session is held by another owner now; reload it")]
    Fenced,
    /// The log's head is not where the caller thought: reload.
    #[error("the session changed meanwhile; reload it")]
    Stale,
    /// A claim of the append cannot be taken; nothing of the append was written.
    #[error("call {call} cannot act on its target now; decide again with that")]
    NotClaimed {
        /// The call that was to act.
        call: CallId,
        /// What keeps it from acting.
        obstacle: Obstacle,
    },
    /// Nothing of that name.
    #[error("no {what} `{id}`; list what there is and check the id")]
    Missing {
        /// The kind of thing.
        what: &'static str,
        /// The id asked for.
        id: String,
    },
    /// What the session said is gone for good.
    #[error("session {session} was erased; only its tombstone is left")]
    Erased {
        /// The session.
        session: SessionId,
    },
    /// What is stored breaks a rule: never written over.
    #[error("the store is damaged: {detail}; keep the file, run `provost audit verify` and restore a backup")]
    Damaged {
        /// Where and how, naming table and row.
        detail: String,
    },
    /// The whole storage is held by another process.
    #[error("{detail}")]
    Held {
        /// What is held and by whom.
        detail: String,
    },
    /// The storage itself failed (disk full, file locked, connection lost).
    #[error("storage failed: {detail}")]
    Failed {
        /// What was seen and what to do next.
        detail: String,
    },
}

impl StoreError {
    /// Nothing in the store has this name.
    pub fn missing(what: &'static str, id: &(impl std::fmt::Display + ?Sized)) -> Self {
        Self::Missing { what, id: id.to_string() }
    }
}

impl StoreError {
    /// Whether what is stored breaks a rule, so that asking again finds the same.
    pub const fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } => true,
            Self::Fenced
            | Self::Stale
            | Self::NotClaimed { .. }
            | Self::Missing { .. }
            | Self::Erased { .. }
            | Self::Held { .. }
            | Self::Failed { .. } => false,
        }
    }
}

impl From<EncodeError> for StoreError {
    fn from(error: EncodeError) -> Self {
        Self::Failed { detail: error.to_string() }
    }
}
