//! What happens to a session as a whole.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::confidence::Confidence;
use crate::event::list::{Decodable, payloads};
use crate::ids::{AgentName, CmdId, Digest, Handle, PackName, SessionId};
use crate::origin::CaseOrigin;
use crate::pack::RouteTo;
use crate::principal::Principal;
use crate::retry::RetryReason;

payloads! {
    /// The session exists.
    SessionCreated {
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
        /// What its delivery says of it besides the fields.
        #[serde(default, skip_serializing_if = "CaseOrigin::is_empty")]
        origin: CaseOrigin,
    }
    /// The session goes on with another tool catalogue, or other roles, than before.
    CatalogueChanged {
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
    SessionStarted {
        /// Who started it.
        by: Principal,
    }
    /// The next agent was chosen.
    RouteDecided {
        /// The agent that finished.
        from: AgentName,
        /// The signal that routed.
        signal: String,
        /// Whether a route named it; otherwise it fell to the default.
        matched: bool,
        /// Where it leads.
        to: RouteTo,
        /// Conditions that could not be told, each with why: they did not match.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unclear: Vec<String>,
    }
    /// An operator's word is needed.
    OperatorAsked {
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
    OperatorSpoke {
        /// Who.
        by: Principal,
        /// What they said.
        text: String,
    }
    /// Something outside reported; moves no status.
    SignalReceived {
        /// Where it came from.
        source: String,
        /// What it said.
        payload: Arc<Value>,
    }
    /// A person left a note for other people; moves no status.
    NoteAdded {
        /// Who.
        by: Principal,
        /// The note.
        text: String,
    }
    /// A person said that they are at it; moves no status. Nobody is reminded of what was needed then.
    CaseAcknowledged {
        /// Who.
        by: Principal,
    }
    /// A person stopped the session.
    StopRequested {
        /// Who.
        by: Principal,
        /// Why.
        reason: String,
    }
    /// A new try began.
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
    /// What the session said was erased for good: the tombstone, a record of its own and the log's last.
    SessionErased {
        /// A person, or the runtime where the session's time was up.
        by: Principal,
        /// Why.
        reason: String,
        /// How many events stood before it: all of them are erased.
        events: u64,
    }
}
