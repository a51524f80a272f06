//! The event kinds: each with its wire word, what kind of news it is (`as Progress`), what it speaks of (`of call`,
//! `of assignment`), and its payload.

use std::sync::Arc;

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::error::DecodeError;
use super::list::{About, Decodable, about, events};
use super::news::EventNews;
use super::upcast::Upcasts;
use super::values::{ApprovalDecision, Limit, ProbeFinding, Settlement, StaleReason};
use crate::claims::ClaimKey;
use crate::confidence::Confidence;
use crate::envelope::{Envelope, EnvelopeSource};
use crate::failure::{AgentFailure, ModelFailure};
use crate::gate::{GateAction, GateReason};
use crate::ids::{
    AgentName, ApprovalId, AssignmentId, CallId, CmdId, Digest, Handle, PackName, RoleName, Seq, SessionId, ToolName,
};
use crate::inject::Overridden;
use crate::model::ModelReply;
use crate::pack::RouteTo;
use crate::principal::Principal;
use crate::refusal::ToolRefusal;
use crate::retry::RetryReason;
use crate::terminal::{StatusChanged, StatusChangedForm};
use crate::time::Timestamp;
use crate::tool::{EffectClass, RecordedOutcome};
use crate::work::WorkForm;

impl Decodable for StatusChanged {
    type Form = StatusChangedForm;
}

events! {
    sealed {
        /// The status moved.
        StatusChanged = "status_changed" as Again,
    }
    /// The session exists.
    SessionCreated = "session_created" as Progress {
        /// The session.
        session: SessionId,
        /// Its handle.
        handle: Handle,
        /// The pack's name.
        pack: PackName,
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
        /// Digest of the tool catalogue it was opened with; `None` in logs of before that was noted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        catalogue_digest: Option<Digest>,
        /// Digest of the roles it was opened with; `None` in logs of before that was noted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        roles_digest: Option<Digest>,
    }
    /// The session goes on with another tool catalogue, or other roles, than before.
    CatalogueChanged = "catalogue_changed" as Note {
        /// Digest of the tool catalogue from here on.
        catalogue_digest: Digest,
        /// Digest of the roles from here on.
        roles_digest: Digest,
        /// The catalogue's digest before; `None` where it was not noted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        catalogue_before: Option<Digest>,
        /// The roles' digest before; `None` where it was not noted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        roles_before: Option<Digest>,
    }
    /// Its run began.
    SessionStarted = "session_started" as Progress {
        /// Who started it.
        by: Principal,
    }
    /// An agent was given work.
    AssignmentIssued = "assignment_issued" as Progress of assignment {
        /// The assignment.
        assignment: AssignmentId,
        /// The agent.
        agent: AgentName,
        /// Its role.
        role: RoleName,
        /// Which kind of work it is.
        work: WorkForm,
        /// What it is told, byte for byte.
        briefing: Arc<str>,
        /// When silence counts as failure (for measuring: when it ends).
        deadline_at: Timestamp,
    }
    /// A silent or lost worker's assignment was given out again, byte for byte.
    AssignmentRedispatched = "assignment_redispatched" as Again of assignment {
        /// The assignment.
        assignment: AssignmentId,
        /// What its supervisor saw.
        cause: String,
        /// The new deadline.
        deadline_at: Timestamp,
    }
    /// A question to a model was decided on: written before the request leaves. One that is put again after a crash is
    /// written again only where another request leaves.
    ModelRequested = "model_requested" as Progress of assignment {
        /// The assignment.
        assignment: AssignmentId,
        /// The round, from 1.
        round: u32,
        /// Tokens reserved before the call.
        reserved: u64,
        /// The server that is asked. `None`, as the next two, where no request could leave, and in older logs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<String>,
        /// The model that is asked, by its name there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        /// SHA-256 of the body of the request, byte for byte.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body_sha256: Option<Digest>,
    }
    /// A model answered.
    ModelReplied = "model_replied" as Progress of assignment {
        /// The assignment.
        assignment: AssignmentId,
        /// The round.
        round: u32,
        /// The reply.
        reply: ModelReply,
    }
    /// A model gave no usable reply, retries included.
    ModelFailed = "model_failed" as Progress of assignment {
        /// The assignment.
        assignment: AssignmentId,
        /// The round.
        round: u32,
        /// The typed cause.
        failure: ModelFailure,
    }
    /// A reply without an envelope was sent back once.
    RepairRequested = "repair_requested" as Progress of assignment {
        /// The assignment.
        assignment: AssignmentId,
        /// What was wrong, as the model is told.
        problem: String,
    }
    /// A call will be made: written before it is.
    ToolIntended = "tool_intended" as Progress of call {
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
        /// What the call claims until its outcome is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<ClaimKey>,
    }
    /// A call came back.
    ToolReturned = "tool_returned" as Progress of call {
        /// The call.
        call: CallId,
        /// What came back.
        outcome: RecordedOutcome,
    }
    /// A call was refused and never made.
    ToolRefused = "tool_refused" as Progress of call {
        /// The call.
        call: CallId,
        /// The name as the model wrote it.
        tool: String,
        /// Why.
        refusal: ToolRefusal,
    }
    /// A call in doubt is made again, as its effect class, or its tool's own word, allows.
    CallReissued = "call_reissued" as Again of call {
        /// The call.
        call: CallId,
    }
    /// A tool is to be asked whether a call in doubt happened.
    ProbeRequested = "probe_requested" as Again of call {
        /// The call.
        call: CallId,
        /// Why nobody saw its end.
        cause: String,
    }
    /// It was asked, and said this.
    CallProbed = "call_probed" as Progress of call {
        /// The call.
        call: CallId,
        /// What its tool said.
        finding: ProbeFinding,
    }
    /// The gate asked for attention.
    GateFired = "gate_fired" as Progress of call {
        /// The call, or `None` for a route.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<CallId>,
        /// What it does.
        action: GateAction,
        /// Why.
        reason: GateReason,
    }
    /// A person was asked.
    ApprovalRequested = "approval_requested" as Progress of call {
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
        /// Whether nobody who caused the call may approve.
        not_requester: bool,
        /// When it expires.
        expires_at: Timestamp,
        /// The approval that became stale, in whose place this one is asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<ApprovalId>,
    }
    /// One of several needed people answered.
    ApprovalAnswered = "approval_answered" as Outside {
        /// The approval.
        approval: ApprovalId,
        /// Who said yes.
        by: Principal,
        /// Why, where the person said it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    }
    /// The approval is consumed.
    ApprovalDecided = "approval_decided" as Progress of call {
        /// The approval.
        approval: ApprovalId,
        /// The call.
        call: CallId,
        /// Whose answer decided.
        by: Principal,
        /// What was decided.
        decision: ApprovalDecision,
        /// Why, where the person said it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    }
    /// Nobody answered in time: the call does not run.
    ApprovalExpired = "approval_expired" as Progress of call {
        /// The approval.
        approval: ApprovalId,
        /// The call.
        call: CallId,
    }
    /// What was asked about changed since: the approval counts no more. Either it is asked anew, or the call is refused.
    ApprovalStale = "approval_stale" as Progress of call {
        /// The approval.
        approval: ApprovalId,
        /// The call.
        call: CallId,
        /// Whose answer came too late; the runtime, where the answer had been given before.
        by: Principal,
        /// What changed.
        why: StaleReason,
    }
    /// Nobody can know whether a call happened.
    OutcomeUnknown = "outcome_unknown" as Progress of call {
        /// The call.
        call: CallId,
        /// Why nobody can know.
        cause: String,
    }
    /// A person settled it.
    OutcomeSettled = "outcome_settled" as Progress of call {
        /// The call.
        call: CallId,
        /// Who settled it.
        by: Principal,
        /// How.
        settlement: Settlement,
    }
    /// An agent stated its confidence.
    ConfidenceEmitted = "confidence_emitted" as Progress of assignment {
        /// The assignment.
        assignment: AssignmentId,
        /// How sure the agent is.
        confidence: Confidence,
        /// Where it was read from.
        source: EnvelopeSource,
    }
    /// The confidence that a terminal tool or a findings tool stated differs from the envelope's.
    ConfidenceMismatched = "confidence_mismatched" as Progress of call {
        /// The terminal call, or the one that recorded the finding.
        call: CallId,
        /// In the tool's arguments: this one counts.
        argument: Confidence,
        /// In the envelope, or the agent's last one.
        envelope: Confidence,
    }
    /// The next agent was chosen.
    RouteDecided = "route_decided" as Progress {
        /// The agent that finished.
        from: AgentName,
        /// The signal that routed.
        signal: String,
        /// Whether a route named it; otherwise it fell to the default.
        matched: bool,
        /// Where it leads.
        to: RouteTo,
    }
    /// An operator's word is needed.
    OperatorAsked = "operator_asked" as Progress {
        /// The agent whose report led here.
        from: AgentName,
        /// Where an answer leads.
        target: RouteTo,
        /// The confidence at a low-confidence gate.
        confidence: Confidence,
        /// The threshold it fell under; `None` when the agent itself asked.
        threshold: Option<Confidence>,
        /// What the agent said.
        summary: String,
    }
    /// An operator answered.
    OperatorSpoke = "operator_spoke" as Progress {
        /// Who.
        by: Principal,
        /// What they said.
        text: String,
    }
    /// An agent handed back its report.
    AgentFinished = "agent_finished" as Progress of assignment {
        /// The assignment.
        assignment: AssignmentId,
        /// The agent.
        agent: AgentName,
        /// Its report.
        envelope: Envelope,
        /// The tool results it stands on, in order.
        evidence: Vec<Seq>,
    }
    /// An agent ended without one.
    AgentFailed = "agent_failed" as Progress of assignment {
        /// The assignment.
        assignment: AssignmentId,
        /// The agent.
        agent: AgentName,
        /// The typed cause.
        failure: AgentFailure,
    }
    /// A poll was measured.
    WatchPolled = "watch_polled" as Progress of assignment {
        /// The assignment.
        assignment: AssignmentId,
        /// Whether the condition held; `None` when the poll could not be read.
        met: Option<bool>,
        /// How many polls in a row it has held.
        streak: u32,
        /// When to poll next; `None` when the watch is over.
        next_at: Option<Timestamp>,
    }
    /// Fields of the session were patched.
    FieldsPatched = "fields_patched" as Progress of call {
        /// The call.
        call: CallId,
        /// The new values.
        patch: Arc<Value>,
    }
    /// A typed finding was recorded.
    FindingRecorded = "finding_recorded" as Progress of call {
        /// The call.
        call: CallId,
        /// The findings tool.
        tool: ToolName,
        /// The finding.
        finding: Arc<Value>,
    }
    /// A terminal claim waits for its other calls or its effect.
    ClaimRaised = "claim_raised" as Progress of call {
        /// The terminal call.
        call: CallId,
        /// Whose.
        by: Principal,
        /// The terminal tool.
        tool: ToolName,
        /// Its arguments.
        args: Arc<Value>,
    }
    /// A terminal claim did not hold.
    ClaimRefused = "claim_refused" as Progress of call {
        /// The terminal call.
        call: CallId,
        /// Whose.
        by: Principal,
        /// The terminal tool.
        tool: ToolName,
        /// Why it does not hold.
        refusal: ToolRefusal,
    }
    /// Something outside reported; moves no status.
    SignalReceived = "signal_received" as Outside {
        /// Where it came from.
        source: String,
        /// What it said.
        payload: Arc<Value>,
    }
    /// A person left a note for other people; moves no status.
    NoteAdded = "note_added" as Outside {
        /// Who.
        by: Principal,
        /// The note.
        text: String,
    }
    /// A limit ended the turn.
    LimitReached = "limit_reached" as Progress of assignment {
        /// Which limit.
        limit: Limit,
        /// Its bound, in the limit's unit.
        bound: u64,
        /// The assignment it ended; `None` where none was under way, and in logs of one work at a time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assignment: Option<AssignmentId>,
    }
    /// A person stopped the session.
    StopRequested = "stop_requested" as Progress {
        /// Who.
        by: Principal,
        /// Why.
        reason: String,
    }
    /// A new try began.
    RetryStarted = "retry_started" as Progress {
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
    /// What the session said was erased for good: the tombstone, a record of its own and the log's last.
    SessionErased = "session_erased" as Progress {
        /// A person, or the runtime where the session's time was up.
        by: Principal,
        /// Why.
        reason: String,
        /// How many events stood before it: all of them are erased.
        events: u64,
    }
}
