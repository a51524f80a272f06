//! The payloads, one struct per kind.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::values::{ApprovalDecision, Limit, ProbeFinding, Settlement};
use crate::envelope::{Envelope, EnvelopeSource};
use crate::failure::{AgentFailure, ModelFailure};
use crate::gate::{GateAction, GateReason};
use crate::ids::{
    AgentName, ApprovalId, AssignmentId, CallId, CmdId, Digest, Handle, Principal, Seq, SessionId, ToolName,
};
use crate::inject::Overridden;
use crate::model::ModelReply;
use crate::pack::{RoleKind, RouteTo};
use crate::refusal::ToolRefusal;
use crate::retry::RetryReason;
use crate::time::Timestamp;
use crate::tool::{EffectClass, RecordedOutcome};

pub use crate::terminal::StatusChanged;

macro_rules! payload {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? })*) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type),* })*
    };
}

payload! {
    /// See [`super::EventBody::SessionCreated`].
    SessionCreated {
        /// The session.
        session: SessionId,
        /// Its handle.
        handle: Handle,
        /// The pack's name.
        pack: String,
        /// The pack's version.
        pack_version: u32,
        /// The pinned digest.
        pack_digest: Digest,
        /// Its fields, valid by the pack's schema.
        fields: Arc<Value>,
        /// The session it came from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<SessionId>,
        /// Who asked for it.
        by: Principal,
    }
    /// See [`super::EventBody::SessionStarted`].
    SessionStarted {
        /// Who started it.
        by: Principal,
    }
    /// See [`super::EventBody::AssignmentIssued`].
    AssignmentIssued {
        /// The assignment.
        assignment: AssignmentId,
        /// The agent.
        agent: AgentName,
        /// Its role.
        role: RoleKind,
        /// What it is told, byte for byte.
        briefing: Arc<str>,
        /// When silence counts as failure (for a watcher: when it ends).
        deadline_at: Timestamp,
    }
    /// See [`super::EventBody::AssignmentRedispatched`].
    AssignmentRedispatched {
        /// The assignment.
        assignment: AssignmentId,
        /// What its supervisor saw.
        cause: String,
        /// The new deadline.
        deadline_at: Timestamp,
    }
    /// See [`super::EventBody::ModelRequested`].
    ModelRequested {
        /// The assignment.
        assignment: AssignmentId,
        /// The round, from 1.
        round: u32,
        /// Tokens reserved before the call.
        reserved: u64,
    }
    /// See [`super::EventBody::ModelReplied`].
    ModelReplied {
        /// The assignment.
        assignment: AssignmentId,
        /// The round.
        round: u32,
        /// The reply.
        reply: ModelReply,
    }
    /// See [`super::EventBody::ModelFailed`].
    ModelFailed {
        /// The assignment.
        assignment: AssignmentId,
        /// The round.
        round: u32,
        /// The typed cause.
        failure: ModelFailure,
    }
    /// See [`super::EventBody::RepairRequested`].
    RepairRequested {
        /// The assignment.
        assignment: AssignmentId,
        /// What was wrong, as the model is told.
        problem: String,
    }
    /// See [`super::EventBody::ToolIntended`].
    ToolIntended {
        /// The call.
        call: CallId,
        /// The tool.
        tool: ToolName,
        /// The final arguments.
        args: Arc<Value>,
        /// The tool's effect class, which decides what a crash means.
        effect: EffectClass,
        /// Names of the arguments the runtime supplied.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        injected: Vec<String>,
        /// What the model had written in their place.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        overridden: Vec<Overridden>,
        /// Arguments the tool does not declare.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        dropped: Vec<String>,
        /// The approval consumed with this intent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval: Option<ApprovalId>,
    }
    /// See [`super::EventBody::ToolReturned`].
    ToolReturned {
        /// The call.
        call: CallId,
        /// What came back.
        outcome: RecordedOutcome,
    }
    /// See [`super::EventBody::ToolRefused`].
    ToolRefused {
        /// The call.
        call: CallId,
        /// The name as the model wrote it.
        tool: String,
        /// Why.
        refusal: ToolRefusal,
    }
    /// See [`super::EventBody::CallReissued`].
    CallReissued {
        /// The call.
        call: CallId,
    }
    /// See [`super::EventBody::ProbeRequested`].
    ProbeRequested {
        /// The call.
        call: CallId,
        /// Why nobody saw its end.
        cause: String,
    }
    /// See [`super::EventBody::CallProbed`].
    CallProbed {
        /// The call.
        call: CallId,
        /// What its tool said.
        finding: ProbeFinding,
    }
    /// See [`super::EventBody::GateFired`].
    GateFired {
        /// The call, or `None` for a route.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<CallId>,
        /// What it does.
        action: GateAction,
        /// Why.
        reason: GateReason,
    }
    /// See [`super::EventBody::ApprovalRequested`].
    ApprovalRequested {
        /// The approval.
        approval: ApprovalId,
        /// The call it would let run.
        call: CallId,
        /// The tool.
        tool: ToolName,
        /// The final arguments.
        args: Arc<Value>,
        /// Names of the arguments the runtime supplied: not editable.
        injected: Vec<String>,
        /// What the model had written in their place.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        overridden: Vec<Overridden>,
        /// Arguments the tool does not declare.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        dropped: Vec<String>,
        /// Hash of the canonical final arguments.
        args_hash: Digest,
        /// Digest of the policy it was asked under.
        policy_digest: Digest,
        /// Why the gate asked.
        reason: GateReason,
        /// How many different people must approve.
        min: u32,
        /// Whether the requester may not approve.
        not_requester: bool,
        /// When it expires.
        expires_at: Timestamp,
    }
    /// See [`super::EventBody::ApprovalAnswered`].
    ApprovalAnswered {
        /// The approval.
        approval: ApprovalId,
        /// Who said yes.
        by: Principal,
    }
    /// See [`super::EventBody::ApprovalDecided`].
    ApprovalDecided {
        /// The approval.
        approval: ApprovalId,
        /// The call.
        call: CallId,
        /// Whose answer decided.
        by: Principal,
        /// What was decided.
        decision: ApprovalDecision,
    }
    /// See [`super::EventBody::ApprovalExpired`].
    ApprovalExpired {
        /// The approval.
        approval: ApprovalId,
        /// The call.
        call: CallId,
    }
    /// See [`super::EventBody::OutcomeUnknown`].
    OutcomeUnknown {
        /// The call.
        call: CallId,
        /// Why nobody can know.
        cause: String,
    }
    /// See [`super::EventBody::OutcomeSettled`].
    OutcomeSettled {
        /// The call.
        call: CallId,
        /// Who settled it.
        by: Principal,
        /// How.
        settlement: Settlement,
    }
    /// See [`super::EventBody::ConfidenceEmitted`].
    ConfidenceEmitted {
        /// The assignment.
        assignment: AssignmentId,
        /// 0 to 1.
        confidence: f64,
        /// Where it was read from.
        source: EnvelopeSource,
    }
    /// See [`super::EventBody::ConfidenceMismatched`].
    ConfidenceMismatched {
        /// The terminal call.
        call: CallId,
        /// In the terminal tool's arguments: this one counts.
        argument: f64,
        /// In the envelope, or the agent's last one.
        envelope: f64,
    }
    /// See [`super::EventBody::RouteDecided`].
    RouteDecided {
        /// The agent that finished.
        from: AgentName,
        /// The signal that routed.
        signal: String,
        /// Whether a route named it; otherwise it fell to the default.
        matched: bool,
        /// Where it leads.
        to: RouteTo,
    }
    /// See [`super::EventBody::OperatorAsked`].
    OperatorAsked {
        /// The agent whose report led here.
        from: AgentName,
        /// Where an answer leads.
        target: RouteTo,
        /// The confidence at a low-confidence gate.
        confidence: f64,
        /// The threshold it fell under; `None` when the agent itself asked.
        threshold: Option<f64>,
        /// What the agent said.
        summary: String,
    }
    /// See [`super::EventBody::OperatorSpoke`].
    OperatorSpoke {
        /// Who.
        by: Principal,
        /// What they said.
        text: String,
    }
    /// See [`super::EventBody::AgentFinished`].
    AgentFinished {
        /// The assignment.
        assignment: AssignmentId,
        /// The agent.
        agent: AgentName,
        /// Its report.
        envelope: Envelope,
        /// The tool results it stands on, in order.
        evidence: Vec<Seq>,
    }
    /// See [`super::EventBody::AgentFailed`].
    AgentFailed {
        /// The assignment.
        assignment: AssignmentId,
        /// The agent.
        agent: AgentName,
        /// The typed cause.
        failure: AgentFailure,
    }
    /// See [`super::EventBody::WatchPolled`].
    WatchPolled {
        /// The assignment.
        assignment: AssignmentId,
        /// Whether the condition held; `None` when the poll could not be read.
        met: Option<bool>,
        /// How many polls in a row it has held.
        streak: u32,
        /// When to poll next; `None` when the watch is over.
        next_at: Option<Timestamp>,
    }
    /// See [`super::EventBody::FieldsPatched`].
    FieldsPatched {
        /// The call.
        call: CallId,
        /// The new values.
        patch: Arc<Value>,
    }
    /// See [`super::EventBody::FindingRecorded`].
    FindingRecorded {
        /// The call.
        call: CallId,
        /// The findings tool.
        tool: ToolName,
        /// The finding.
        finding: Arc<Value>,
    }
    /// See [`super::EventBody::ClaimRaised`].
    ClaimRaised {
        /// The terminal call.
        call: CallId,
        /// Whose.
        by: Principal,
        /// The terminal tool.
        tool: ToolName,
        /// Its arguments.
        args: Arc<Value>,
    }
    /// See [`super::EventBody::ClaimRefused`].
    ClaimRefused {
        /// The terminal call.
        call: CallId,
        /// Whose.
        by: Principal,
        /// The terminal tool.
        tool: ToolName,
        /// Why it does not hold.
        refusal: ToolRefusal,
    }
    /// See [`super::EventBody::SignalReceived`].
    SignalReceived {
        /// Where it came from.
        source: String,
        /// What it said.
        payload: Arc<Value>,
    }
    /// See [`super::EventBody::LimitReached`].
    LimitReached {
        /// Which limit.
        limit: Limit,
        /// Its bound, in the limit's unit.
        bound: u64,
    }
    /// See [`super::EventBody::StopRequested`].
    StopRequested {
        /// Who.
        by: Principal,
        /// Why.
        reason: String,
    }
    /// See [`super::EventBody::RetryStarted`].
    RetryStarted {
        /// A person, or the runtime.
        by: Principal,
        /// How many retries there have been, this one included.
        count: u32,
        /// What the policy said.
        reason: RetryReason,
        /// The command behind it, if a person's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cmd_id: Option<CmdId>,
    }
    /// See [`super::EventBody::SessionErased`].
    SessionErased {
        /// A person, or the runtime where the session's time was up.
        by: Principal,
        /// Why.
        reason: String,
        /// How many events stood before it: all of them are erased.
        events: u64,
    }
}
