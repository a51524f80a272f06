//! What became of a command, as stored with it.

use provost_domain::decide::Accepted;
use provost_domain::event::EncodeError;
use provost_domain::port::{CommandOutcome, StoreError};
use provost_domain::refusal::Refusal;

use crate::error::EngineError;

/// What became of a command, as stored with it and told again to whoever sends the command again.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StoredAnswer {
    /// It was done.
    Accepted(Accepted),
    /// It was refused.
    Refused(Refusal),
}

impl StoredAnswer {
    /// As the store keeps it.
    pub(crate) fn encode(&self) -> Result<CommandOutcome, EncodeError> {
        let encoded = serde_json::to_value(self).map_err(|error| EncodeError::new("a command's outcome", &error))?;
        Ok(CommandOutcome(encoded))
    }

    /// From the store.
    pub(crate) fn decode(outcome: &CommandOutcome) -> Result<Self, StoreError> {
        serde::Deserialize::deserialize(&outcome.0)
            .map_err(|error: serde_json::Error| StoreError::Damaged { detail: format!("inbox.outcome: {error}") })
    }

    /// As the caller gets it.
    pub(crate) fn into_result(self) -> Result<Accepted, EngineError> {
        match self {
            Self::Accepted(accepted) => Ok(accepted),
            Self::Refused(refusal) => Err(EngineError::Refused(refusal)),
        }
    }
}
