//! How each assignment was carried: a sub-fold of the session's log.

use serde::{Deserialize, Serialize};

use super::apply::push_bounded;
use super::{Session, Turn};
use crate::event::AssignmentIssued;
use crate::failure::AgentFailure;
use crate::ids::{AgentName, AssignmentId};
use crate::terminal::StatusChanged;

/// How many of the last assignments are remembered: as many as a session has by default, and a bound on the header.
const WORKS_MAX: usize = 32;

/// How a worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerStatus {
    /// It handed back its report.
    Completed,
    /// It was silent past its deadline, also after its assignment was given out a second time.
    Timeout,
    /// It failed, or was cut off after it had begun.
    Error,
    /// It was cut off before it recorded anything.
    NotRun,
}

/// An assignment as it was carried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// The assignment.
    pub assignment: AssignmentId,
    /// The agent.
    pub agent: AgentName,
    /// How its worker ended; `None` while one is at it.
    pub status: Option<WorkerStatus>,
}

impl Session {
    /// The last assignments, oldest first, and how their workers ended.
    pub fn works(&self) -> impl Iterator<Item = &Work> {
        self.works.iter()
    }

    pub(super) fn work_issued(&mut self, issued: &AssignmentIssued) {
        let work = Work { assignment: issued.assignment, agent: issued.agent.clone(), status: None };
        push_bounded(&mut self.works, work, WORKS_MAX);
    }

    pub(super) fn work_ended(&mut self, status: WorkerStatus) {
        if let Some(work) = self.works.back_mut().filter(|work| work.status.is_none()) {
            work.status = Some(status);
        }
    }

    /// The session ended with the turn still open. An agent that closed the session itself has done its work.
    pub(super) fn work_cut_off(&mut self, changed: &StatusChanged) {
        let Some(turn) = &self.turn else { return };
        let own = *changed.by() == turn.agent.principal();
        let cut = if turn.has_begun() { WorkerStatus::Error } else { WorkerStatus::NotRun };
        self.work_ended(if own { WorkerStatus::Completed } else { cut });
    }
}

impl Turn {
    /// Whether anything of its worker's was recorded.
    fn has_begun(&self) -> bool {
        self.round > 1 || !self.history.is_empty() || !self.text.is_empty() || !self.calls.is_empty()
    }
}

impl From<&AgentFailure> for WorkerStatus {
    fn from(failure: &AgentFailure) -> Self {
        match failure {
            AgentFailure::Silent { .. } => Self::Timeout,
            AgentFailure::Model { .. } | AgentFailure::EnvelopeMissing { .. } | AgentFailure::WorkerLost { .. } => {
                Self::Error
            }
        }
    }
}
