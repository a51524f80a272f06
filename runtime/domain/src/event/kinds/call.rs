//! What happens to a call.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::claims::ClaimKey;
use crate::confidence::Confidence;
use crate::event::list::{Decodable, payloads};
use crate::event::values::{ProbeFinding, Settlement};
use crate::gate::{GateAction, GateReason};
use crate::ids::{ApprovalId, CallId, ToolName};
use crate::inject::Overridden;
use crate::principal::Principal;
use crate::refusal::ToolRefusal;
use crate::time::Timestamp;
use crate::tool::{EffectClass, RecordedOutcome, ToolFailure};

payloads! {
    /// A call will be made: written before it is.
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
        /// What the call claims until its outcome is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<ClaimKey>,
    }
    /// A call came back.
    ToolReturned {
        /// The call.
        call: CallId,
        /// What came back.
        outcome: RecordedOutcome,
    }
    /// A call failed in a way that may pass: it is made again later, as its class allows or because it surely did not happen.
    /// Recorded before each pause.
    ToolDeferred {
        /// The call.
        call: CallId,
        /// What was seen.
        failure: ToolFailure,
        /// How often it failed since its tool is waited for.
        attempt: u32,
        /// When it failed first.
        waiting_since: Timestamp,
        /// When it is made next.
        next_at: Timestamp,
        /// When its tool is waited for no longer.
        budget_ends_at: Timestamp,
    }
    /// A call was refused and never made.
    ToolRefused {
        /// The call.
        call: CallId,
        /// The name as the model wrote it.
        tool: String,
        /// Why.
        refusal: ToolRefusal,
    }
    /// A call in doubt is made again, as its effect class, or its tool's own word, allows.
    CallReissued {
        /// The call.
        call: CallId,
    }
    /// A tool is to be asked whether a call in doubt happened.
    ProbeRequested {
        /// The call.
        call: CallId,
        /// Why nobody saw its end.
        cause: String,
    }
    /// It was asked, and said this.
    CallProbed {
        /// The call.
        call: CallId,
        /// What its tool said.
        finding: ProbeFinding,
    }
    /// The gate asked for attention.
    GateFired {
        /// The call, or `None` for a route.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<CallId>,
        /// What it does.
        action: GateAction,
        /// Why.
        reason: GateReason,
    }
    /// Nobody can know whether a call happened.
    OutcomeUnknown {
        /// The call.
        call: CallId,
        /// Why nobody can know.
        cause: String,
    }
    /// A person settled it.
    OutcomeSettled {
        /// The call.
        call: CallId,
        /// Who settled it.
        by: Principal,
        /// How.
        settlement: Settlement,
    }
    /// The confidence that a terminal tool or a findings tool stated differs from the envelope's.
    ConfidenceMismatched {
        /// The terminal call, or the one that recorded the finding.
        call: CallId,
        /// In the tool's arguments: this one counts.
        argument: Confidence,
        /// In the envelope, or the agent's last one.
        envelope: Confidence,
    }
    /// Fields of the session were patched.
    FieldsPatched {
        /// The call.
        call: CallId,
        /// The new values.
        patch: Arc<Value>,
    }
    /// A typed finding was recorded.
    FindingRecorded {
        /// The call.
        call: CallId,
        /// The findings tool.
        tool: ToolName,
        /// The finding.
        finding: Arc<Value>,
    }
    /// A terminal claim waits for its other calls or its effect.
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
    /// A terminal claim did not hold.
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
}
