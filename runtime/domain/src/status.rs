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

    /// The status a word stands for, as [`Self::as_str`] writes it: every word but the runtime's own is an outcome, and no
    /// pack's outcome has one of those.
    pub fn of_word(text: &str) -> Self {
        let own = [Self::New, Self::InProgress, Self::AwaitingInput, Self::Stopped, Self::NeedsReview, Self::Error];
        own.into_iter().find(|status| status.as_str() == text).unwrap_or_else(|| Self::Outcome(text.to_owned()))
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

/// A status as its word (`"resolved"`), where JSON holds one instead of the form of events and snapshots.
pub mod as_word {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Status;

    /// Writes the word.
    pub fn serialize<S: Serializer>(status: &Status, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(status.as_str())
    }

    /// Reads the word.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Status, D::Error> {
        Ok(Status::of_word(&String::deserialize(deserializer)?))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_leads_back_to_its_status() {
        let outcome = Status::Outcome("resolved".to_owned());
        let own = [Status::New, Status::InProgress, Status::AwaitingInput, Status::Stopped, Status::NeedsReview];
        for status in own.into_iter().chain([Status::Error, outcome]) {
            assert_eq!(Status::of_word(status.as_str()), status);
        }
    }
}
