//! One assignment's exchange: a sub-fold of the session's log.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ids::{AgentName, ApprovalId, AssignmentId, CallId, Digest, Fence, Principal, Seq, ToolName};
use crate::model::{Arguments, AssistantCall, Message};
use crate::pack::RoleKind;
use crate::time::Timestamp;
use crate::tool::EffectClass;

/// An open assignment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// The assignment.
    pub assignment: AssignmentId,
    /// The agent.
    pub agent: AgentName,
    /// Its role.
    pub role: RoleKind,
    /// What it was told.
    pub briefing: Arc<str>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When something of it was last recorded.
    pub active_at: Timestamp,
    /// How long it may be silent (for a watcher: how long it lasts).
    #[serde(with = "crate::time::millis")]
    pub patience: Duration,
    /// Whether it was given out a second time.
    pub redispatched: bool,
    /// Time spent waiting for people, which does not count against the turn's wall time.
    #[serde(with = "crate::time::millis")]
    pub waited: Duration,
    /// The settled part of the exchange, the briefing left out.
    pub history: Vec<Message>,
    /// The last round asked for; 0 before the first.
    pub round: u32,
    /// Whether the model's reply to that round is outstanding.
    pub asked: bool,
    /// The text of the last reply while its calls are open.
    pub text: Arc<str>,
    /// The calls of the last reply, in its order.
    pub calls: Vec<Call>,
    /// Calls intended so far.
    pub tool_calls: u32,
    /// Whether the one repair request was made.
    pub repaired: bool,
    /// Digest of the last round's calls and results, and how often in a row it came.
    pub repeat: (Digest, u32),
    /// The tool results of this turn.
    pub evidence: Vec<Seq>,
    /// A watcher's measurement.
    pub watch: Watch,
}

/// What a watcher has measured so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Watch {
    /// Polls read.
    pub polls: u32,
    /// The last ones in a row that met the condition.
    pub streak: u32,
    /// Whether the last poll met it; `None` when it could not be read.
    pub met: Option<bool>,
    /// When to poll next.
    pub next_at: Option<Timestamp>,
    /// When the last poll was read.
    #[serde(default)]
    pub read_at: Timestamp,
    /// Under which fence.
    #[serde(default)]
    pub fence: Fence,
}

impl Watch {
    /// When to poll next, for an owner that holds the session since `since`. Another owner's clock may have been ahead: one
    /// pause after that the poll is due in any case.
    pub fn due_at(&self, fence: Fence, since: Timestamp) -> Option<Timestamp> {
        let next = self.next_at?;
        let another = self.fence != fence;
        Some(if another { next.min(since.plus(next.since(self.read_at))) } else { next })
    }
}

/// One call of a reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Its id.
    pub id: CallId,
    /// The tool's name as the model wrote it.
    pub wire: String,
    /// The arguments as the model wrote them.
    pub args: Arc<Arguments>,
    /// Where it stands.
    pub state: CallState,
}

/// Where a call stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// Proposed; a terminal claim stays so until all others have settled.
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
    /// The tool.
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
}

/// A call's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    /// Whether it did what was asked.
    pub worked: bool,
    /// What the model is shown.
    pub result: Arc<Value>,
}

/// A terminal claim whose effect is under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenClaim {
    /// The terminal call.
    pub call: CallId,
    /// Who claims.
    pub by: Principal,
    /// The terminal tool.
    pub tool: ToolName,
    /// Its arguments.
    pub args: Arc<Value>,
    /// The effect's call.
    pub effect: Option<Call>,
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
}

/// How many evidence ids of one turn are kept for its report.
const TURN_EVIDENCE_MAX: usize = 64;

impl Turn {
    pub(crate) fn evidence_found(&mut self, seq: Seq) {
        if self.evidence.len() >= TURN_EVIDENCE_MAX {
            self.evidence.remove(0);
        }
        self.evidence.push(seq);
    }

    /// Whether every call of the last reply has its result.
    pub fn all_settled(&self) -> bool {
        self.calls.iter().all(|call| call.settled().is_some())
    }

    /// When silence counts as failure, for an owner that listens since `since`: what a worker said to an owner that died
    /// is not held against it. For a watcher, when it ends.
    pub fn silent_at(&self, since: Timestamp) -> Timestamp {
        match self.role {
            RoleKind::Watcher => self.ends_at(),
            RoleKind::Triage | RoleKind::Investigator | RoleKind::Resolution => {
                self.ends_at().max(since.plus(self.patience))
            }
        }
    }

    /// When silence since the last fact counts as failure; for a watcher, when it ends.
    pub fn ends_at(&self) -> Timestamp {
        match self.role {
            RoleKind::Watcher => self.issued_at.plus(self.patience),
            RoleKind::Triage | RoleKind::Investigator | RoleKind::Resolution => self.active_at.plus(self.patience),
        }
    }

    /// Moves the settled round into the history, results in call order, so that a provider's history is always valid.
    pub(crate) fn close_round(&mut self) {
        if self.calls.is_empty() && self.text.is_empty() {
            return;
        }
        self.repeat = (self.round_digest(), self.repeats());
        let calls = std::mem::take(&mut self.calls);
        let proposed =
            calls.iter().map(|c| AssistantCall { id: c.id.clone(), tool: c.wire.clone(), args: Arc::clone(&c.args) });
        let text = std::mem::replace(&mut self.text, "".into());
        self.history.push(Message::Assistant { text, calls: proposed.collect() });
        for call in calls {
            let result =
                call.settled().map_or_else(|| Arc::new(json!({"status": "cancelled"})), |s| Arc::clone(&s.result));
            self.history.push(Message::Tool { call: call.id, tool: call.wire, result });
        }
    }

    /// How often in a row the present round's calls came with the same arguments and the same results.
    pub fn repeats(&self) -> u32 {
        if !self.calls.is_empty() && self.repeat.0 == self.round_digest() { self.repeat.1 + 1 } else { 1 }
    }

    fn round_digest(&self) -> Digest {
        let seen = self
            .calls
            .iter()
            .map(|call| json!([call.wire, call.args, call.settled().map(|settled| without_evidence(&settled.result))]));
        Digest::of_json(&seen.collect())
    }
}

/// A result without the id that differs between two equal ones.
fn without_evidence(result: &Value) -> Value {
    let mut result = result.clone();
    if let Some(object) = result.as_object_mut() {
        object.remove("evidence");
    }
    result
}
