//! How each assignment was carried.

use serde::{Deserialize, Serialize};

use crate::failure::AgentFailure;
use crate::ids::{AgentName, AssignmentId};

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

/// An assignment and how its worker ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentRecord {
    /// Which assignment the record is about.
    pub assignment: AssignmentId,
    /// Who was given it.
    pub agent: AgentName,
    /// How its worker ended; `None` while one is at it.
    pub status: Option<WorkerStatus>,
}

impl From<&AgentFailure> for WorkerStatus {
    fn from(failure: &AgentFailure) -> Self {
        match failure {
            AgentFailure::Silent { .. } => Self::Timeout,
            AgentFailure::Model { .. }
            | AgentFailure::Outage { .. }
            | AgentFailure::EnvelopeMissing { .. }
            | AgentFailure::ReportInvalid { .. }
            | AgentFailure::WorkerLost { .. } => Self::Error,
        }
    }
}
