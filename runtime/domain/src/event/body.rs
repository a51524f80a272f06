//! The event kinds and their codec.

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

#[cfg_attr(not(test), expect(clippy::wildcard_imports, reason = "every payload has a kind"))]
use super::payload::*;
use super::upcast::{Upcasts, Written};
use crate::terminal::StatusChanged;

/// Bytes could not be read as events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A kind, or a version of its payload, from after this program.
    #[error("event `{kind}` version {version} was written by a newer provost; upgrade this one")]
    Newer {
        /// The kind.
        kind: String,
        /// Its payload's version.
        version: u16,
    },
    /// A version of a kind's payload that no step leads on from.
    #[error("event `{kind}` version {version} is older than any release wrote; restore a backup")]
    Unheard {
        /// The kind.
        kind: String,
        /// Its payload's version.
        version: u16,
    },
    /// The payload does not have its kind's form.
    #[error("event `{kind}` is malformed: {detail}")]
    Malformed {
        /// The kind, or `list` for the array itself.
        kind: String,
        /// What is wrong.
        detail: String,
    },
}

#[derive(Deserialize)]
struct Wire<'a> {
    kind: String,
    v: u16,
    #[serde(borrow)]
    data: &'a RawValue,
}

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $kind:literal),* $(,)?) => {
        /// What happened. Past tense; every payload is versioned.
        #[derive(Debug, Clone, PartialEq)]
        pub enum EventBody {
            $($(#[$doc])* $name($name)),*
        }

        impl EventBody {
            /// Every kind's wire word.
            pub const KINDS: &'static [&'static str] = &[$($kind),*];

            /// The kind's wire word, also the event name of streams.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$name(_) => $kind),* }
            }

            /// The payload as JSON, for faces.
            pub fn data(&self) -> serde_json::Value {
                let value = match self { $(Self::$name(data) => serde_json::to_value(data)),* };
                value.unwrap_or_default()
            }

            /// From a payload in its kind's present form.
            fn present(kind: &str, version: u16, data: &str) -> Result<Self, DecodeError> {
                let malformed = |error: serde_json::Error| DecodeError::Malformed {
                    kind: kind.to_owned(),
                    detail: error.to_string(),
                };
                match kind {
                    $($kind => serde_json::from_str::<<$name as Decodable>::Form>(data)
                        .map(|form| Self::$name(form.into())).map_err(malformed),)*
                    kind => Err(DecodeError::Newer { kind: kind.to_owned(), version }),
                }
            }
        }

        impl Serialize for EventBody {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut wire = serializer.serialize_struct("Event", 3)?;
                wire.serialize_field("kind", self.kind())?;
                wire.serialize_field("v", &Upcasts::KNOWN.present(self.kind()))?;
                match self { $(Self::$name(data) => wire.serialize_field("data", data)?),* }
                wire.end()
            }
        }

        $(impl From<$name> for EventBody {
            fn from(data: $name) -> Self {
                Self::$name(data)
            }
        })*
    };
}

/// The form a payload is decoded from: itself, or a private one for sealed payloads.
trait Decodable: Sized {
    type Form: serde::de::DeserializeOwned + Into<Self>;
}

macro_rules! decodable {
    ($($name:ident),* $(,)?) => { $(impl Decodable for $name { type Form = Self; })* };
}

impl Decodable for StatusChanged {
    type Form = crate::terminal::StatusChangedForm;
}

decodable!(
    SessionCreated,
    SessionStarted,
    AssignmentIssued,
    ModelRequested,
    ModelReplied,
    ModelFailed,
    RepairRequested,
    ToolIntended,
    ToolReturned,
    ToolRefused,
    CallReissued,
    ProbeRequested,
    CallProbed,
    GateFired,
    ApprovalRequested,
    ApprovalAnswered,
    ApprovalDecided,
    ApprovalExpired,
    OutcomeUnknown,
    OutcomeSettled,
    ConfidenceEmitted,
    ConfidenceMismatched,
    RouteDecided,
    OperatorAsked,
    OperatorSpoke,
    AgentFinished,
    AgentFailed,
    AssignmentRedispatched,
    WatchPolled,
    FieldsPatched,
    FindingRecorded,
    ClaimRaised,
    ClaimRefused,
    SignalReceived,
    LimitReached,
    StopRequested,
    RetryStarted,
    SessionErased,
);

events! {
    /// The session exists.
    SessionCreated = "session_created",
    /// Its run began.
    SessionStarted = "session_started",
    /// An agent was given work.
    AssignmentIssued = "assignment_issued",
    /// A silent or lost worker's assignment was given out again, byte for byte.
    AssignmentRedispatched = "assignment_redispatched",
    /// A question to a model was decided on.
    ModelRequested = "model_requested",
    /// A model answered.
    ModelReplied = "model_replied",
    /// A model gave no usable reply, retries included.
    ModelFailed = "model_failed",
    /// A reply without an envelope was sent back once.
    RepairRequested = "repair_requested",
    /// A call will be made: written before it is.
    ToolIntended = "tool_intended",
    /// A call came back.
    ToolReturned = "tool_returned",
    /// A call was refused and never made.
    ToolRefused = "tool_refused",
    /// A call in doubt is made again, as its effect class, or its tool's own word, allows.
    CallReissued = "call_reissued",
    /// A tool is to be asked whether a call in doubt happened.
    ProbeRequested = "probe_requested",
    /// It was asked, and said this.
    CallProbed = "call_probed",
    /// The gate asked for attention.
    GateFired = "gate_fired",
    /// A person was asked.
    ApprovalRequested = "approval_requested",
    /// One of several needed people answered.
    ApprovalAnswered = "approval_answered",
    /// The approval is consumed.
    ApprovalDecided = "approval_decided",
    /// Nobody answered in time: the call does not run.
    ApprovalExpired = "approval_expired",
    /// Nobody can know whether a call happened.
    OutcomeUnknown = "outcome_unknown",
    /// A person settled it.
    OutcomeSettled = "outcome_settled",
    /// An agent stated its confidence.
    ConfidenceEmitted = "confidence_emitted",
    /// A terminal tool's confidence differs from the envelope's.
    ConfidenceMismatched = "confidence_mismatched",
    /// The next agent was chosen.
    RouteDecided = "route_decided",
    /// An operator's word is needed.
    OperatorAsked = "operator_asked",
    /// An operator answered.
    OperatorSpoke = "operator_spoke",
    /// An agent handed back its report.
    AgentFinished = "agent_finished",
    /// An agent ended without one.
    AgentFailed = "agent_failed",
    /// The status moved.
    StatusChanged = "status_changed",
    /// A watcher's poll was measured.
    WatchPolled = "watch_polled",
    /// Fields of the session were patched.
    FieldsPatched = "fields_patched",
    /// A typed finding was recorded.
    FindingRecorded = "finding_recorded",
    /// A terminal claim waits for its other calls or its effect.
    ClaimRaised = "claim_raised",
    /// A terminal claim did not hold.
    ClaimRefused = "claim_refused",
    /// Something outside reported; moves no status.
    SignalReceived = "signal_received",
    /// A limit ended the turn.
    LimitReached = "limit_reached",
    /// A person stopped the session.
    StopRequested = "stop_requested",
    /// A new try began.
    RetryStarted = "retry_started",
    /// What the session said was erased for good: the tombstone, a record of its own and the log's last.
    SessionErased = "session_erased",
}

impl EventBody {
    /// The events as the bytes of a record.
    pub(crate) fn encode_all(events: &[Self]) -> Vec<u8> {
        serde_json::to_vec(events).unwrap_or_default()
    }

    /// The events of a record's bytes, each brought to its kind's present form.
    pub(crate) fn decode_all(bytes: &[u8], upcasts: Upcasts) -> Result<Vec<Self>, DecodeError> {
        let wires: Vec<Wire<'_>> = serde_json::from_slice(bytes)
            .map_err(|error| DecodeError::Malformed { kind: "list".to_owned(), detail: error.to_string() })?;
        wires.iter().map(|wire| Self::decode(wire, upcasts)).collect()
    }

    fn decode(wire: &Wire<'_>, upcasts: Upcasts) -> Result<Self, DecodeError> {
        let Wire { kind, v, data } = wire;
        match upcasts.lift(kind, *v, data.get())? {
            Written::Now => Self::present(kind, *v, data.get()),
            Written::Before(lifted) => Self::present(kind, *v, &lifted.to_string()),
        }
    }
}
