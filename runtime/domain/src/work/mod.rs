//! Work that is under way in a session: one per assignment that was given out and has not ended.
//!
//! | file | kind of work |
//! |---|---|
//! | `asking` | a turn: a model's replies and the tools they call |
//! | `history` | the settled part of a turn's exchange |
//! | `news` | what comes in about the case meanwhile |
//! | `watching` | measuring with one tool until a condition holds, without a model |

mod asking;
mod history;
mod news;
mod watching;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::confidence::Confidence;
use crate::ids::{AgentName, AssignmentId, CallId, Fence, RoleName, Seq};
use crate::time::Timestamp;

pub use asking::{Exchange, RequestPin, Turn};
pub use history::History;
pub use news::CaseNews;
pub use watching::{MeasureReadings, ReadingTime, Watch};

/// How many evidence ids of one assignment are kept for its report.
const EVIDENCE_MAX: usize = 64;

/// One assignment that is being carried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// The assignment that is carried out.
    pub assignment: AssignmentId,
    /// Who carries it out.
    pub agent: AgentName,
    /// The behaviour that the agent has.
    pub role: RoleName,
    /// What it was told.
    pub briefing: Arc<str>,
    /// When something of it was last recorded.
    pub active_at: Timestamp,
    /// Under which fence that was.
    pub active_fence: Fence,
    /// How long it may be silent; for measuring, how long it lasts.
    #[serde(with = "crate::time::millis")]
    pub patience: Duration,
    /// Whether it was given out a second time.
    pub redispatched: bool,
    /// How long it has been carried up to the session's last event, by the times of all events since. What was spent waiting
    /// for people, or for servers that failed, does not count.
    #[serde(with = "crate::time::micros")]
    pub spent: Duration,
    /// Its open calls, in the order in which they were proposed.
    pub calls: Vec<CallId>,
    /// Calls intended so far.
    pub tool_calls: u32,
    /// The tool results it has seen, oldest first.
    pub evidence: Vec<Seq>,
    /// How many findings it recorded.
    pub findings: u32,
    /// The confidence that its last finding stated, and the call that recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated: Option<(CallId, Confidence)>,
    /// What is done, and how far it is.
    pub kind: WorkKind,
}

/// Which kind of work an assignment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkForm {
    /// A model is asked and calls tools.
    Asking,
    /// One tool is polled until its result meets a condition.
    Watching,
}

/// What is done in a work, and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkKind {
    /// A model is asked and calls tools.
    Asking(Turn),
    /// One tool is polled until its result meets a condition.
    Watching(Watch),
}

impl Work {
    /// Its turn, where a model is asked.
    pub fn turn(&self) -> Option<&Turn> {
        match &self.kind {
            WorkKind::Asking(turn) => Some(turn),
            WorkKind::Watching(_) => None,
        }
    }

    /// Its turn, to be changed by the fold.
    pub(crate) fn turn_mut(&mut self) -> Option<&mut Turn> {
        match &mut self.kind {
            WorkKind::Asking(turn) => Some(turn),
            WorkKind::Watching(_) => None,
        }
    }

    /// Its measurement, where one is taken.
    pub fn watch(&self) -> Option<&Watch> {
        match &self.kind {
            WorkKind::Watching(watch) => Some(watch),
            WorkKind::Asking(_) => None,
        }
    }

    pub(crate) fn evidence_found(&mut self, seq: Seq) {
        if self.evidence.len() >= EVIDENCE_MAX {
            self.evidence.remove(0);
        }
        self.evidence.push(seq);
    }

    /// Whether anything of its worker's was recorded.
    pub(crate) fn has_begun(&self) -> bool {
        let said = self.turn().is_some_and(Turn::has_begun);
        said || !self.calls.is_empty()
    }
}
