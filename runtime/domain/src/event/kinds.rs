//! The list of event kinds: each with its wire word, what kind of news it is (`as Progress`), and what it speaks of (`of call`,
//! `of assignment`). The payloads stand by noun.

mod approval;
mod call;
mod session;
mod work;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::error::DecodeError;
use super::list::{About, Decodable, about, events};
use super::news::EventNews;
use super::upcast::Upcasts;
use crate::terminal::{StatusChanged, StatusChangedForm};

pub use approval::*;
pub use call::*;
pub use session::*;
pub use work::*;

impl Decodable for StatusChanged {
    type Form = StatusChangedForm;
}

events! {
    sealed {
        /// The status moved.
        StatusChanged = "status_changed" as Again,
    }
    SessionCreated = "session_created" as Progress,
    CatalogueChanged = "catalogue_changed" as Note,
    SessionStarted = "session_started" as Progress,
    AssignmentIssued = "assignment_issued" as Progress of assignment,
    AssignmentRedispatched = "assignment_redispatched" as Again of assignment,
    ModelRequested = "model_requested" as Progress of assignment,
    ModelReplied = "model_replied" as Progress of assignment,
    ModelFailed = "model_failed" as Progress of assignment,
    ModelDeferred = "model_deferred" as Progress of assignment,
    RepairRequested = "repair_requested" as Progress of assignment,
    ToolIntended = "tool_intended" as Progress of call,
    ToolReturned = "tool_returned" as Progress of call,
    ToolDeferred = "tool_deferred" as Progress of call,
    ToolRefused = "tool_refused" as Progress of call,
    CallReissued = "call_reissued" as Again of call,
    ProbeRequested = "probe_requested" as Again of call,
    CallProbed = "call_probed" as Progress of call,
    GateFired = "gate_fired" as Progress of call,
    ApprovalRequested = "approval_requested" as Progress of call,
    ApprovalAnswered = "approval_answered" as Outside,
    ApprovalDecided = "approval_decided" as Progress of call,
    ApprovalExpired = "approval_expired" as Progress of call,
    ApprovalStale = "approval_stale" as Progress of call,
    ApprovalExtended = "approval_extended" as Note of call,
    OutcomeUnknown = "outcome_unknown" as Progress of call,
    OutcomeSettled = "outcome_settled" as Progress of call,
    ConfidenceEmitted = "confidence_emitted" as Progress of assignment,
    ConfidenceMismatched = "confidence_mismatched" as Progress of call,
    RouteDecided = "route_decided" as Progress,
    OperatorAsked = "operator_asked" as Progress,
    OperatorSpoke = "operator_spoke" as Progress,
    AgentFinished = "agent_finished" as Progress of assignment,
    AgentFailed = "agent_failed" as Progress of assignment,
    MeasureRead = "measure_read" as Progress of assignment,
    WatchPolled = "watch_polled" as Progress of assignment,
    FieldsPatched = "fields_patched" as Progress of call,
    FindingRecorded = "finding_recorded" as Progress of call,
    ClaimRaised = "claim_raised" as Progress of call,
    ClaimRefused = "claim_refused" as Progress of call,
    SignalReceived = "signal_received" as Outside,
    NoteAdded = "note_added" as Outside,
    CaseAcknowledged = "case_acknowledged" as Outside,
    LimitReached = "limit_reached" as Progress of assignment,
    StopRequested = "stop_requested" as Progress,
    RetryStarted = "retry_started" as Progress,
    SessionErased = "session_erased" as Progress,
}
