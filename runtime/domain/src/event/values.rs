//! What payloads hold besides ids and values: each with its own closed list of cases.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{Digest, SessionId};
use crate::time::Timestamp;
use crate::word;

/// What became of an approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum ApprovalDecision {
    /// It runs as asked.
    Approved,
    /// It runs with other arguments.
    Edited {
        /// The new final arguments.
        args: Arc<Value>,
        /// Their hash.
        args_hash: Digest,
    },
    /// It does not run; the model is told why.
    Rejected {
        /// Why.
        reason: String,
    },
    /// It does not run; the model gets this text instead of a result.
    Responded {
        /// What the person wrote; the model gets it in place of a result.
        text: String,
    },
    /// The session was stopped or closed first; nobody refused it.
    Cancelled,
}

impl ApprovalDecision {
    /// The state it leaves the approval in.
    pub fn state(&self) -> ApprovalState {
        match self {
            Self::Approved => ApprovalState::Approved,
            Self::Edited { .. } => ApprovalState::Edited,
            Self::Rejected { .. } => ApprovalState::Rejected,
            Self::Responded { .. } => ApprovalState::Responded,
            Self::Cancelled => ApprovalState::Cancelled,
        }
    }
}

/// Where an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// It waits for people.
    Pending,
    /// The call runs as asked.
    Approved,
    /// The call runs with other arguments.
    Edited,
    /// The call does not run.
    Rejected,
    /// The call does not run; the model got a text instead.
    Responded,
    /// Nobody answered in time.
    Expired,
    /// The session was stopped or closed first.
    Cancelled,
    /// What was asked about changed before anybody answered.
    Stale,
}

/// What made an approval stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum StaleReason {
    /// Another session acted on the target since a person was asked, or is acting on it.
    Acted {
        /// Which.
        session: SessionId,
        /// When that ended, or since when it acts.
        at: Timestamp,
    },
    /// The case's alert is over since a person was asked.
    Resolved {
        /// Since when.
        at: Timestamp,
    },
}

/// A word that names no state of an approval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no approval is ever `{0}`")]
pub struct UnknownApprovalState(String);

impl ApprovalState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Approved,
        Self::Edited,
        Self::Rejected,
        Self::Responded,
        Self::Expired,
        Self::Cancelled,
        Self::Stale,
    ];

    /// Its word, in the store and at the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Edited => "edited",
            Self::Rejected => "rejected",
            Self::Responded => "responded",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Stale => "stale",
        }
    }
}

impl fmt::Display for ApprovalState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ApprovalState {
    type Err = UnknownApprovalState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownApprovalState(text.chars().take(80).collect());
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(unknown)
    }
}

/// What a tool said of a call in doubt. What follows from it stands in the same append.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum ProbeFinding {
    /// It happened: its outcome follows.
    Happened,
    /// It surely did not: it is made again.
    DidNotHappen,
    /// Nobody can tell: a person is asked.
    CannotTell {
        /// Why not.
        detail: String,
    },
}

/// How a person settles an unknown outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "settlement", rename_all = "snake_case")]
pub enum Settlement {
    /// A person found that the call took effect.
    Happened {
        /// What was seen.
        note: String,
    },
    /// It did not happen; the model may propose it again.
    DidNotHappen {
        /// What was seen.
        note: String,
    },
    /// Nobody will find out; the model is told so.
    GiveUp {
        /// Why.
        note: String,
    },
}

impl Settlement {
    /// What the person wrote.
    pub fn note(&self) -> &str {
        match self {
            Self::Happened { note } | Self::DidNotHappen { note } | Self::GiveUp { note } => note,
        }
    }
}

/// The limits a turn or session can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Model calls per turn.
    ModelCalls,
    /// Tool calls per turn.
    ToolCalls,
    /// Wall time per turn, milliseconds.
    TurnWall,
    /// Tokens per session.
    SessionTokens,
    /// Cost per session, millionths of a US dollar.
    SessionCost,
    /// The same call with the same result, times in a row.
    NoProgress,
    /// Assignments per session.
    Assignments,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&word::of(self))
    }
}
