//! Evidence: a tool result of a session's log, cited by its place.

use std::fmt;

use crate::ids::{Seq, SessionId};

/// An evidence id: `session/seq` of a tool result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The session whose log holds the result.
    pub session: SessionId,
    /// The position of the `ToolReturned` event.
    pub seq: Seq,
}

impl Evidence {
    /// Reads `session/seq`.
    pub fn parse(text: &str) -> Option<Self> {
        let (session, seq) = text.split_once('/')?;
        Some(Self { session: session.parse().ok()?, seq: Seq(seq.parse().ok()?) })
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.session, self.seq)
    }
}
