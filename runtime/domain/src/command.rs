//! What may be asked of a session: commands from outside, and reports from its own workers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::event::Settlement;
use crate::failure::ModelFailure;
use crate::ids::{ApprovalId, AssignmentId, CallId, Principal, Seq, ToolName};
use crate::model::ModelReply;
use crate::tool::{ProbeAnswer, ToolOutcome};

/// A request from outside that may be refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Who asks.
    pub by: Principal,
    /// The version the caller looked at; refused with `StaleVersion` when the session moved on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_version: Option<Seq>,
    /// What is asked.
    pub ask: Ask,
}

/// What a command asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// Begin the run of a new session.
    Start,
    /// Carry on what is owed.
    Continue,
    /// Try again after an end that a person can leave.
    Retry {
        /// Also where the policy says no.
        #[serde(default)]
        force: bool,
    },
    /// Stop for good.
    Stop {
        /// Why.
        reason: String,
    },
    /// Answer an approval.
    Answer {
        /// The approval.
        approval: ApprovalId,
        /// The answer.
        answer: Answer,
    },
    /// Say what the operator was asked for.
    Speak {
        /// The words.
        text: String,
    },
    /// Use a terminal tool under one's own name.
    Claim {
        /// The terminal tool.
        tool: ToolName,
        /// Its arguments.
        args: Map<String, Value>,
    },
    /// Settle an unknown outcome.
    Settle {
        /// The call.
        call: CallId,
        /// How.
        settlement: Settlement,
    },
    /// Record something from outside; moves no status, legal on closed sessions.
    Signal {
        /// Where it came from.
        source: String,
        /// What it said.
        payload: Value,
    },
}

impl Ask {
    /// Whether it starts work: then the guard is taken or the answer is `SessionBusy`.
    pub fn starts_work(&self) -> bool {
        match self {
            Self::Start | Self::Continue | Self::Retry { .. } => true,
            Self::Stop { .. }
            | Self::Answer { .. }
            | Self::Speak { .. }
            | Self::Claim { .. }
            | Self::Settle { .. }
            | Self::Signal { .. } => false,
        }
    }
}

/// An answer to an approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Run it as asked.
    Approve,
    /// Run it with these arguments instead of the model's (all of them; injected ones stay).
    Edit {
        /// The new arguments.
        args: Map<String, Value>,
    },
    /// Do not run it.
    Reject {
        /// Why; the model is told.
        reason: String,
    },
    /// Do not run it; give the model this text as its result.
    Respond {
        /// The text.
        text: String,
    },
}

/// What a session's own side reports: workers, timers, the takeover itself.
#[derive(Debug, Clone)]
pub enum Report {
    /// The session was taken over: what is in doubt is planned anew.
    TakenOver,
    /// A model answered.
    Replied {
        /// The assignment.
        assignment: AssignmentId,
        /// The round.
        round: u32,
        /// What came back.
        result: Result<ModelReply, ModelFailure>,
    },
    /// A tool came back.
    Returned {
        /// The call.
        call: CallId,
        /// What came back.
        outcome: ToolOutcome,
    },
    /// A tool said whether one of its calls happened.
    Probed {
        /// The call.
        call: CallId,
        /// What it said.
        answer: ProbeAnswer,
    },
    /// Carrying the session failed too often.
    GivenUp {
        /// What was seen.
        cause: String,
    },
    /// Time passed: expiries, deadlines and polls that are due.
    Tick,
    /// The worker carrying the assignment died.
    WorkerLost {
        /// The assignment.
        assignment: AssignmentId,
        /// What was seen.
        cause: String,
    },
}

impl Report {
    /// Whether it says that a call did what was asked, which stays true whoever says it and whatever was tried since.
    pub fn tells_of_success(&self) -> bool {
        match self {
            Self::Returned { outcome, .. } => match outcome {
                ToolOutcome::Ok { .. } | ToolOutcome::Empty { .. } | ToolOutcome::Truncated { .. } => true,
                ToolOutcome::Failed { .. } => false,
            },
            Self::TakenOver
            | Self::Replied { .. }
            | Self::Probed { .. }
            | Self::GivenUp { .. }
            | Self::Tick
            | Self::WorkerLost { .. } => false,
        }
    }
}
