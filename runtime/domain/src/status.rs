//! A session's status.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a session stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Created, not started.
    New,
    /// Something is owed.
    InProgress,
    /// Only waits remain.
    AwaitingInput,
    /// One of the pack's outcomes; final.
    Outcome(String),
    /// Stopped by a person; final.
    Stopped,
    /// The run ended without a terminal claim; a person can leave it again.
    NeedsReview,
    /// An agent failed; a person can leave it again.
    Error,
}

impl Status {
    /// Whether nothing leads out of it.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Outcome(_) | Self::Stopped => true,
            Self::New | Self::InProgress | Self::AwaitingInput | Self::NeedsReview | Self::Error => false,
        }
    }

    /// Whether no run is under way.
    pub fn is_end(&self) -> bool {
        match self {
            Self::Outcome(_) | Self::Stopped | Self::NeedsReview | Self::Error => true,
            Self::New | Self::InProgress | Self::AwaitingInput => false,
        }
    }

    /// The word shown and stored: the outcome's own name for an outcome.
    pub fn as_str(&self) -> &str {
        match self {
            Self::New => "new",
            Self::InProgress => "in_progress",
            Self::AwaitingInput => "awaiting_input",
            Self::Outcome(name) => name,
            Self::Stopped => "stopped",
            Self::NeedsReview => "needs_review",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
