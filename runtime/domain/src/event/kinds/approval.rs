//! What happens to an approval.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::list::{Decodable, payloads};
use crate::event::values::{ApprovalDecision, StaleReason};
use crate::gate::GateReason;
use crate::ids::{ApprovalId, CallId, Digest, ToolName};
use crate::inject::Overridden;
use crate::principal::Principal;
use crate::time::Timestamp;

payloads! {
    /// A person was asked.
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
        /// Whether nobody who caused the call may approve.
        not_requester: bool,
        /// When it expires.
        expires_at: Timestamp,
        /// The approval that became stale, in whose place this one is asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<ApprovalId>,
    }
    /// One of several needed people answered.
    ApprovalAnswered {
        /// The approval.
        approval: ApprovalId,
        /// Who said yes.
        by: Principal,
        /// Why, where the person said it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    }
    /// The approval is consumed.
    ApprovalDecided {
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
    ApprovalExpired {
        /// The approval.
        approval: ApprovalId,
        /// The call.
        call: CallId,
    }
    /// What was asked about changed since: the approval counts no more. Either it is asked anew, or the call is refused.
    ApprovalStale {
        /// The approval.
        approval: ApprovalId,
        /// The call.
        call: CallId,
        /// Whose answer came too late; the runtime, where the answer had been given before.
        by: Principal,
        /// What changed.
        why: StaleReason,
    }
    /// The session waited for a server that failed, which does not count for the approval: it expires that much later.
    ApprovalExtended {
        /// The approval.
        approval: ApprovalId,
        /// The call.
        call: CallId,
        /// When it expires now.
        expires_at: Timestamp,
    }
}
