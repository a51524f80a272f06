//! The files as written. Unknown keys are refused everywhere.

use std::collections::BTreeMap;
use std::time::Duration;

use provost_domain::condition::Condition;
use provost_domain::gate::GateAction;
use provost_domain::pack::OutcomeKind;
use provost_domain::tool::Risk;
use serde::Deserialize;
use serde_json::Value;

pub(crate) type Map<T> = BTreeMap<String, T>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPack {
    pub(crate) pack: String,
    pub(crate) version: u32,
    pub(crate) handle: String,
    pub(crate) fields: Value,
    #[serde(default)]
    pub(crate) rosters: Map<Vec<String>>,
    pub(crate) outcomes: Map<RawOutcome>,
    pub(crate) terminal_tools: Map<RawTerminal>,
    #[serde(default)]
    pub(crate) findings_tools: Map<RawFindings>,
    #[serde(default)]
    pub(crate) patch_tools: Map<RawPatch>,
    #[serde(default)]
    pub(crate) inject: Map<String>,
    pub(crate) entry: String,
    #[serde(default)]
    pub(crate) dispatch: Vec<RawDispatch>,
    pub(crate) gates: RawGates,
    pub(crate) retry: RawRetry,
    #[serde(default)]
    pub(crate) limits: RawLimits,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawOutcome {
    pub(crate) kind: OutcomeKind,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawTerminal {
    pub(crate) outcome: String,
    pub(crate) evidence: Option<RawEvidence>,
    pub(crate) args: Map<Value>,
    #[serde(default)]
    pub(crate) requires: Map<String>,
    pub(crate) effect: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawEvidence {
    Required,
    Optional,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawFindings {
    pub(crate) args: Map<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPatch {
    pub(crate) fields: Vec<String>,
    #[serde(default)]
    pub(crate) aliases: Map<Map<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawDispatch {
    pub(crate) when: Vec<Condition>,
    pub(crate) next: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawGates {
    #[serde(default)]
    pub(crate) rules: Vec<RawGateRule>,
    pub(crate) confidence_below: Option<f64>,
    pub(crate) approval: RawApproval,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawGateRule {
    pub(crate) tool: String,
    pub(crate) risk: Option<Risk>,
    pub(crate) action: Option<GateAction>,
    #[serde(default)]
    pub(crate) environment: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawApproval {
    #[serde(with = "humantime_serde")]
    pub(crate) expires: Duration,
    #[serde(default)]
    pub(crate) approvers: RawApprovers,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawApprovers {
    pub(crate) min: u32,
    pub(crate) not_requester: bool,
}

impl Default for RawApprovers {
    fn default() -> Self {
        Self { min: 1, not_requester: true }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRetry {
    pub(crate) max: u32,
    pub(crate) transient: bool,
    pub(crate) low_confidence_below: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawLimits {
    pub(crate) model_calls_per_turn: Option<u32>,
    pub(crate) tool_calls_per_turn: Option<u32>,
    #[serde(with = "humantime_serde")]
    pub(crate) turn_wall: Option<Duration>,
    pub(crate) session_tokens: Option<u64>,
    pub(crate) session_cost_usd: Option<f64>,
    pub(crate) no_progress: Option<u32>,
    pub(crate) assignments_per_session: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawAgent {
    pub(crate) role: provost_domain::pack::RoleKind,
    pub(crate) model: Option<String>,
    #[serde(default)]
    pub(crate) tools: Vec<String>,
    #[serde(with = "humantime_serde")]
    pub(crate) deadline: Duration,
    pub(crate) routes: Vec<RawRoute>,
    pub(crate) watch: Option<RawWatch>,
    #[serde(default)]
    pub(crate) fragments: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRoute {
    pub(crate) when: String,
    pub(crate) next: Option<String>,
    pub(crate) wait: Option<RawWait>,
    pub(crate) gate: Option<RawRouteGate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawWait {
    Operator,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRouteGate {
    pub(crate) confidence_below: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawWatch {
    pub(crate) tool: String,
    #[serde(default)]
    pub(crate) args: Map<Value>,
    pub(crate) until: Vec<Condition>,
    #[serde(with = "humantime_serde")]
    pub(crate) every: Duration,
    pub(crate) consecutive: u32,
}
