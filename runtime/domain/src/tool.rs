//! Tools: what they declare, what a call is, what comes back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::claims::{ClaimKey, ClaimRule, ClaimTarget};
use crate::failure::FailureKind;
use crate::ids::{CallId, Digest, SessionId, ToolName};
use crate::length::value_bytes;
use crate::nesting;
use crate::schema::ArgSchema;

/// Results above this many bytes are stored once by content hash instead of inside their event.
pub const INLINE_MAX: usize = 4 * 1024;

/// What a call does to the world, which decides what happens to an intent without an outcome after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectClass {
    /// Changes nothing: run again.
    Read,
    /// Safe to repeat under the same key: run again with that key.
    Idempotent,
    /// Can be asked whether it happened: asked, and run again only if it surely did not.
    Probe,
    /// Everything else: never run again by itself. The default.
    #[default]
    Unsafe,
}

/// How much is at stake in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Runs by itself.
    Low,
    /// Runs by itself and is shown as notable.
    Medium,
    /// Waits for a person. The default: what is not declared is dangerous.
    #[default]
    High,
}

/// A backend tool as the runtime knows it.
#[derive(Debug, Clone)]
pub struct ToolSpec {
    /// `server:tool`.
    pub name: ToolName,
    /// What it does, for the model.
    pub description: String,
    /// The schema its arguments are checked against.
    pub schema: ArgSchema,
    /// Its effect class.
    pub effect: EffectClass,
    /// Its risk, unless the pack's gates say otherwise.
    pub risk: Risk,
    /// The least that a pack's gates may make of the risk: no pack lowers what a site says about it.
    pub risk_floor: Option<Risk>,
    /// How long one call may take.
    pub timeout: Duration,
    /// Most bytes of its result that are kept.
    pub output_limit: usize,
    /// Arguments whose value must be in one of the pack's rosters: argument → roster name (schema keyword `x-roster`).
    pub rosters: BTreeMap<String, String>,
    /// Whether its calls only tell people something: they act on no target, and a person can always be told.
    pub tells_people: bool,
    /// What its calls act on, and how often.
    pub claim: ClaimRule,
    /// The schema of its results, where it is known; paths into a result are checked against it when a pack is loaded.
    pub output: Option<Arc<Value>>,
}

/// What is at stake in the calls of a tool, for the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stake {
    /// The tool's own risk.
    pub risk: Risk,
    /// See [`ToolSpec::risk_floor`].
    pub floor: Option<Risk>,
}

impl From<Risk> for Stake {
    fn from(risk: Risk) -> Self {
        Self { risk, floor: None }
    }
}

impl ToolSpec {
    /// What is at stake in its calls.
    pub const fn stake(&self) -> Stake {
        Stake { risk: self.risk, floor: self.risk_floor }
    }

    /// Whether a call of it does more than read and tell: what the gate and the confidence it asks for are about.
    pub fn changes_world(&self) -> bool {
        self.effect != EffectClass::Read && !self.tells_people
    }

    /// Whether any call of it claims something, in sessions of a pack that says this of what is acted on.
    pub fn may_claim(&self, of_pack: Option<&ClaimTarget>) -> bool {
        self.changes_world() && self.claim.target.as_ref().or(of_pack).is_some()
    }

    /// What a call with these arguments claims, in a session with these fields: nothing where it changes nothing, where it
    /// only tells people, and where neither the tool nor the pack says what is acted on.
    pub fn claims(&self, of_pack: Option<&ClaimTarget>, args: &Value, fields: &Value) -> Option<ClaimKey> {
        let target = self.claim.target.as_ref().or(of_pack)?;
        self.changes_world().then(|| target.key(args, fields))
    }
}

/// All backend tools, by name.
pub type Catalog = BTreeMap<ToolName, Arc<ToolSpec>>;

/// One call as a backend gets it. The engine builds it from a journaled intent only.
#[derive(Debug, Clone)]
pub struct ToolCall {
    /// The session it belongs to.
    pub session: SessionId,
    /// The id under which the call is journaled.
    pub call: CallId,
    /// The full name of the tool.
    pub tool: ToolName,
    /// The final arguments: injected, validated, roster-checked, gated.
    pub args: Arc<Value>,
    /// The idempotency key, the same for every attempt.
    pub key: String,
}

/// What came back from a tool. There is no empty success: nothing found is [`ToolOutcome::Empty`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum ToolOutcome {
    /// It worked and this is the result.
    Ok {
        /// The result.
        content: Value,
    },
    /// It worked and there was nothing to return.
    Empty {
        /// What was looked for.
        note: String,
    },
    /// It worked; the result was longer than the bound and is cut.
    Truncated {
        /// What was kept.
        content: Value,
        /// The size before the cut, in bytes.
        total_bytes: u64,
    },
    /// It worked, and the answer itself says that it is not the whole truth: a part of the storage did not answer, or the
    /// server warns. Whoever measures cannot tell by it.
    Partial {
        /// The result.
        content: Value,
        /// What is missing, in the server's words.
        why: String,
    },
    /// It did not work.
    Failed {
        /// How.
        failure: ToolFailure,
    },
}

impl ToolOutcome {
    /// The same without what is nested too deeply to be kept. A result of which something was cut off is not whole.
    #[must_use]
    pub fn bounded(self) -> Self {
        match self {
            Self::Ok { mut content } if !nesting::fits(&content, nesting::LEVELS_MAX) => {
                let total_bytes = value_bytes(&content) as u64;
                nesting::cut(&mut content, nesting::LEVELS_MAX);
                Self::Truncated { content, total_bytes }
            }
            Self::Truncated { mut content, total_bytes } => {
                nesting::cut(&mut content, nesting::LEVELS_MAX);
                Self::Truncated { content, total_bytes }
            }
            Self::Partial { mut content, why } => {
                nesting::cut(&mut content, nesting::LEVELS_MAX);
                Self::Partial { content, why }
            }
            Self::Ok { .. } | Self::Empty { .. } | Self::Failed { .. } => self,
        }
    }

    /// The outcome of a call of which an earlier attempt may have happened: that a later one failed without effect does not
    /// undo that.
    #[must_use]
    pub fn after_a_lost_attempt(self) -> Self {
        match self {
            Self::Failed { failure } => Self::Failed { failure: ToolFailure { happened: Happened::Maybe, ..failure } },
            Self::Ok { .. } | Self::Empty { .. } | Self::Truncated { .. } | Self::Partial { .. } => self,
        }
    }
}

/// What a tool says when it is asked whether one of its calls happened.
#[derive(Debug, Clone, PartialEq)]
pub enum ProbeAnswer {
    /// It happened, and this is what came of it.
    Happened {
        /// The result, as the call itself would have returned it.
        outcome: ToolOutcome,
    },
    /// It did not happen, and nothing that is still under way will make it happen a second time beside a repetition under
    /// the same key: the tool can be sure.
    DidNotHappen,
    /// The tool cannot tell, or could not be asked.
    CannotTell {
        /// Why, for the operator who must find out instead.
        detail: String,
    },
}

/// Whether a failed call's effect may have happened all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// Certainly not: it was refused, or never sent.
    No,
    /// It was carried out and answered that it failed: what it changed before that stays. Nothing is in doubt about the call.
    Answered,
    /// Perhaps: the answer was lost or unreadable.
    Maybe,
}

/// How a call failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolFailure {
    /// Whether it may succeed later.
    pub kind: FailureKind,
    /// Whether the effect may have happened.
    pub happened: Happened,
    /// What was seen, for the model and the operator; secrets redacted.
    pub detail: String,
    /// The exit code of a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// The signal that ended a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// The timeout that passed, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// A value in an event: inline when small, by content hash when large.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blob {
    /// The value itself.
    Inline(Arc<Value>),
    /// The value's canonical JSON bytes, stored once.
    Stored {
        /// Their SHA-256.
        sha256: Digest,
        /// Their length.
        bytes: u64,
    },
}

/// Bytes to be stored by content hash in the same transaction as the event that names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// What is stored, byte for byte.
    pub bytes: Vec<u8>,
}

/// Large values by content hash: those that the open turns of a session name.
#[derive(Debug, Clone, Default)]
pub struct Contents(BTreeMap<Digest, Arc<Value>>);

impl Contents {
    /// Adds a value by the digest of its canonical bytes.
    ///
    /// # Errors
    /// The bytes are not JSON.
    pub fn add(&mut self, digest: Digest, bytes: &[u8]) -> Result<(), serde_json::Error> {
        self.0.insert(digest, Arc::new(serde_json::from_slice(bytes)?));
        Ok(())
    }

    /// The value of this digest, if it is here.
    pub fn get(&self, digest: Digest) -> Option<Arc<Value>> {
        self.0.get(&digest).cloned()
    }

    /// Forgets all but these.
    pub fn keep(&mut self, named: &BTreeSet<Digest>) {
        self.0.retain(|digest, _| named.contains(digest));
    }
}

/// Identifies what the tools declare: name by name, everything a model is told of them and everything that decides.
pub fn catalogue_digest(catalog: &Catalog) -> Digest {
    let tools = catalog.values().map(|tool| {
        // The schema of results decides when a pack is loaded, and about no session.
        let ToolSpec { name, description, schema, effect, risk, risk_floor, timeout, output_limit, rosters, .. } =
            &**tool;
        let ToolSpec { tells_people, claim, .. } = &**tool;
        let mut declared = vec![
            serde_json::json!(name),
            serde_json::json!(description),
            schema.raw().clone(),
            serde_json::json!(effect),
            serde_json::json!(risk),
            serde_json::json!(timeout.as_secs_f64()),
            serde_json::json!(output_limit),
            serde_json::json!(rosters),
            serde_json::json!(tells_people),
            serde_json::json!(claim),
        ];
        // Only where there is one, so that catalogues without it keep the digest that sessions have pinned.
        declared.extend(risk_floor.map(|floor| serde_json::json!({"risk_floor": floor})));
        Value::Array(declared)
    });
    Digest::of_json(&tools.collect())
}

impl Blob {
    /// Inline when it fits [`INLINE_MAX`], else a reference and the content to store.
    pub fn of(value: Value) -> (Self, Option<Content>) {
        if value_bytes(&value) <= INLINE_MAX {
            return (Self::Inline(Arc::new(value)), None);
        }
        let bytes = value.to_string().into_bytes();
        let digest = Digest::of(&bytes);
        (Self::Stored { sha256: digest, bytes: bytes.len() as u64 }, Some(Content { digest, bytes }))
    }
}

/// A tool outcome as its event records it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum RecordedOutcome {
    /// See [`ToolOutcome::Ok`].
    Ok {
        /// The result.
        content: Blob,
    },
    /// See [`ToolOutcome::Empty`].
    Empty {
        /// What was looked for.
        note: String,
    },
    /// See [`ToolOutcome::Truncated`].
    Truncated {
        /// What was kept.
        content: Blob,
        /// The size before the cut, in bytes.
        total_bytes: u64,
    },
    /// See [`ToolOutcome::Partial`].
    Partial {
        /// The result.
        content: Blob,
        /// What is missing.
        why: String,
    },
    /// See [`ToolOutcome::Failed`].
    Failed {
        /// How.
        failure: ToolFailure,
    },
}

impl RecordedOutcome {
    /// Splits large content off.
    pub fn of(outcome: ToolOutcome) -> (Self, Option<Content>) {
        match outcome {
            ToolOutcome::Ok { content } => {
                let (blob, stored) = Blob::of(content);
                (Self::Ok { content: blob }, stored)
            }
            ToolOutcome::Empty { note } => (Self::Empty { note }, None),
            ToolOutcome::Truncated { content, total_bytes } => {
                let (blob, stored) = Blob::of(content);
                (Self::Truncated { content: blob, total_bytes }, stored)
            }
            ToolOutcome::Partial { content, why } => {
                let (blob, stored) = Blob::of(content);
                (Self::Partial { content: blob, why }, stored)
            }
            ToolOutcome::Failed { failure } => (Self::Failed { failure }, None),
        }
    }

    /// Whether the call worked (also when it found nothing).
    pub fn worked(&self) -> bool {
        match self {
            Self::Ok { .. } | Self::Empty { .. } | Self::Truncated { .. } | Self::Partial { .. } => true,
            Self::Failed { .. } => false,
        }
    }

    /// The content's blob, if there is content.
    pub fn blob(&self) -> Option<&Blob> {
        match self {
            Self::Ok { content } | Self::Truncated { content, .. } | Self::Partial { content, .. } => Some(content),
            Self::Empty { .. } | Self::Failed { .. } => None,
        }
    }
}
