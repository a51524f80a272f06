//! Evidence: a tool result of a session's log, cited by its place.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{Seq, SessionId};
use crate::tool::RecordedOutcome;

/// An evidence id: `session/seq` of a tool result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The session whose log holds the result.
    pub session: SessionId,
    /// The position of the `ToolReturned` event.
    pub seq: Seq,
}

/// What a tool result came to, as far as it matters to who cites it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultKind {
    /// It came back whole. The only kind that is evidence everywhere.
    Whole,
    /// Nothing was found.
    Empty,
    /// It was cut, or says itself that parts are missing.
    Truncated,
    /// The call failed.
    Failed,
}

impl ResultKind {
    /// The kind of an outcome.
    pub fn of(outcome: &RecordedOutcome) -> Self {
        match outcome {
            RecordedOutcome::Ok { .. } => Self::Whole,
            RecordedOutcome::Empty { .. } => Self::Empty,
            RecordedOutcome::Truncated { .. } | RecordedOutcome::Partial { .. } => Self::Truncated,
            RecordedOutcome::Failed { .. } => Self::Failed,
        }
    }
}

impl fmt::Display for ResultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "a whole result",
            Self::Empty => "an empty result",
            Self::Truncated => "a result that is not whole",
            Self::Failed => "a call that failed",
        })
    }
}

impl Evidence {
    /// Reads `session/seq`, exactly as it is written: no sign, no leading zero.
    pub fn parse(text: &str) -> Option<Self> {
        let (session, seq) = text.split_once('/')?;
        let read = Self { session: session.parse().ok()?, seq: Seq(seq.parse().ok()?) };
        (read.to_string() == text).then_some(read)
    }

    /// Every id that stands in a text.
    pub fn all_in(text: &str) -> impl Iterator<Item = Self> {
        let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '/';
        text.split(move |c| !part(c)).filter_map(Self::parse)
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.session, self.seq)
    }
}
