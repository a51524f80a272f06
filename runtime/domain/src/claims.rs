//! Claims: who may act on what. A call that changes the world claims its target with its intent and frees it with its
//! outcome, so that two sessions never act on one target side by side.
//!
//! Here are keys, and the words they are made of. The table of claims is in [`crate::projection`].

mod key;
mod target;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::ToolName;
use crate::time::Timestamp;

pub use key::ClaimKey;
pub use target::{ClaimTarget, InvalidTarget, TargetHole};

/// What a claim is for. Each kind says for itself what else may stand beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimKind {
    /// One call that changes the world: one at a time for each key.
    Act,
}

impl ClaimKind {
    /// Its word, in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Act => "act",
        }
    }
}

/// How often one tool may act on one target within a time, over all sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeat {
    /// At most this often.
    pub max: u32,
    /// Within this time.
    #[serde(with = "crate::time::millis")]
    pub within: Duration,
}

impl Default for Repeat {
    fn default() -> Self {
        Self { max: 2, within: Duration::from_mins(30) }
    }
}

/// What a tool declares about the targets of its calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ClaimRule {
    /// What a call acts on; `None` leaves it to the pack.
    pub target: Option<ClaimTarget>,
    /// How often the tool may act on one target.
    pub repeat: Repeat,
}

/// A claim that a session holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldClaim {
    /// What is claimed.
    pub key: ClaimKey,
    /// The tool that is called.
    pub tool: ToolName,
    /// Since when.
    pub since: Timestamp,
}

#[cfg(test)]
mod tests;
