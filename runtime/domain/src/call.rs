//! A tool call from its proposal to its result. All calls of a session stand in one map, each with the one who waits for it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{ApprovalId, AssignmentId, CallId, Fence, ToolName};
use crate::model::Arguments;
use crate::outage::Deferral;
use crate::tool::{EffectClass, ToolFailure};

/// A call whose result somebody in the session waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The id by which results, approvals and people refer to the call.
    pub id: CallId,
    /// Who waits for its result.
    pub owner: CallOwner,
    /// The tool's name as the model wrote it.
    pub wire: String,
    /// The arguments as the model wrote them.
    pub args: Arc<Arguments>,
    /// Where it stands.
    pub state: CallState,
}

/// Who waits for a call's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOwner {
    /// The work of this assignment.
    Work(AssignmentId),
    /// The open terminal claim: the call is its effect.
    Claim,
}

/// Where a call stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// Proposed; a terminal claim and the turn's end stay so until all other calls of the reply have settled.
    Proposed,
    /// Waits for a person.
    Waiting(ApprovalId),
    /// A person let it run; for a claim until it is verified.
    Approved(Arc<Value>),
    /// Being made.
    Intended(Intent),
    /// Nobody here saw it end: its tool is being asked.
    Probing(Intent),
    /// Nobody knows whether it happened.
    Unknown(Intent),
    /// Done.
    Settled(Settled),
}

/// A call that is being made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The full name of the tool that is called.
    pub tool: ToolName,
    /// The final arguments.
    pub args: Arc<Value>,
    /// Its effect class.
    pub effect: EffectClass,
    /// The fence it is made under.
    pub fence: Fence,
    /// How often its tool was to be asked whether it happened.
    pub probes: u32,
    /// Whether it was made before and may have happened then: nobody saw that end.
    pub lost: bool,
    /// Whether its arguments are not those that the model wrote.
    #[serde(default)]
    pub altered: bool,
    /// How it waits for its tool, since it first failed in a way that may pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred: Option<Box<DeferredCall>>,
}

/// A call whose tool failed in a way that may pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeferredCall {
    /// For how long, and when it is made next.
    pub deferral: Deferral,
    /// How it failed last.
    pub failure: ToolFailure,
    /// Whether it pauses now: then nothing of it is under way.
    pub pauses: bool,
}

/// A call's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    /// Whether it did what was asked.
    pub worked: bool,
    /// What the model is shown.
    pub result: Arc<Value>,
}

impl Call {
    pub(crate) fn settle(&mut self, worked: bool, result: Value) {
        self.state = CallState::Settled(Settled { worked, result: Arc::new(result) });
    }

    /// Its result, once settled.
    pub fn settled(&self) -> Option<&Settled> {
        match &self.state {
            CallState::Settled(settled) => Some(settled),
            CallState::Proposed
            | CallState::Waiting(_)
            | CallState::Approved(_)
            | CallState::Intended(_)
            | CallState::Probing(_)
            | CallState::Unknown(_) => None,
        }
    }

    /// Its intent, while it is being made.
    pub fn intent(&self) -> Option<&Intent> {
        match &self.state {
            CallState::Intended(intent) => Some(intent),
            CallState::Proposed
            | CallState::Waiting(_)
            | CallState::Approved(_)
            | CallState::Probing(_)
            | CallState::Unknown(_)
            | CallState::Settled(_) => None,
        }
    }

    /// How it failed, while it pauses and surely did not happen so far.
    pub(crate) fn surely_undone(&self) -> Option<&ToolFailure> {
        let deferred = self.pausing().filter(|_| self.intent().is_some_and(|intent| !intent.lost))?;
        Some(&deferred.failure)
    }

    /// How it waits for its tool, while it pauses.
    pub fn pausing(&self) -> Option<&DeferredCall> {
        self.intent()?.deferred.as_deref().filter(|deferred| deferred.pauses)
    }

    /// Its intent, while its tool is being asked whether it happened.
    pub fn probing(&self) -> Option<&Intent> {
        match &self.state {
            CallState::Probing(intent) => Some(intent),
            CallState::Proposed
            | CallState::Waiting(_)
            | CallState::Approved(_)
            | CallState::Intended(_)
            | CallState::Unknown(_)
            | CallState::Settled(_) => None,
        }
    }

    /// Whether its intent has no outcome yet.
    pub(crate) fn is_running(&self) -> bool {
        match &self.state {
            CallState::Intended(_) | CallState::Probing(_) => true,
            CallState::Proposed
            | CallState::Waiting(_)
            | CallState::Approved(_)
            | CallState::Unknown(_)
            | CallState::Settled(_) => false,
        }
    }
}
