//! The files as written. Unknown keys are refused everywhere.

use std::time::Duration;

use provost_domain::condition::{Condition, Op};
use provost_domain::gate::GateAction;
use provost_domain::pack::{OutcomeKind, RoleKind};
use provost_domain::tool::Risk;
use serde::Deserialize;
use serde_json::Value;

use crate::form::{Log, Names, Read, Share, table, words};
use crate::node::{At, Node};

words!(OutcomeKind, RoleKind, Risk, GateAction, Op, RawEvidence, RawWait);

table! {
    #[derive(Debug)]
    pub(crate) struct RawPack {
        pub(crate) pack: At<String>,
        pub(crate) version: u32,
        pub(crate) handle: At<String>,
        pub(crate) fields: Node,
        pub(crate) rosters: Names<Vec<String>> = Names::default(),
        pub(crate) outcomes: Names<RawOutcome>,
        pub(crate) terminal_tools: Names<RawTerminal>,
        pub(crate) findings_tools: Names<RawFindings> = Names::default(),
        pub(crate) patch_tools: Names<RawPatch> = Names::default(),
        pub(crate) inject: Names<At<String>> = Names::default(),
        pub(crate) entry: At<String>,
        pub(crate) dispatch: Vec<RawDispatch> = Vec::new(),
        pub(crate) gates: RawGates,
        pub(crate) retry: RawRetry,
        pub(crate) limits: RawLimits = RawLimits::default(),
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawOutcome {
        pub(crate) kind: OutcomeKind,
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawTerminal {
        pub(crate) outcome: At<String>,
        pub(crate) evidence: RawEvidence = RawEvidence::Optional,
        pub(crate) args: Names<Node>,
        pub(crate) requires: Names<At<String>> = Names::default(),
        pub(crate) effect: Option<At<String>> = None,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawEvidence {
    Required,
    Optional,
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawFindings {
        pub(crate) args: Names<Node>,
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawPatch {
        pub(crate) fields: Vec<At<String>>,
        pub(crate) aliases: Names<Names<Node>> = Names::default(),
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawDispatch {
        pub(crate) when: Vec<Condition>,
        pub(crate) next: At<String>,
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawCondition {
        pub(crate) path: String,
        pub(crate) op: Op = Op::default(),
        pub(crate) value: Option<Node> = None,
    }
}

impl Read for Condition {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        let RawCondition { path, op, value } = RawCondition::read(node, log)?;
        let needs_value = !matches!(op, Op::Exists | Op::Absent);
        if needs_value && value.is_none() {
            log.report(node.place, "the comparison has no value", "add `value:`, or write `op: exists`");
            return None;
        }
        Some(Self { path, op, value: value.map_or(Value::Null, |value| value.value()) })
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawGates {
        pub(crate) rules: Vec<RawGateRule> = Vec::new(),
        pub(crate) confidence_below: Option<Share> = None,
        pub(crate) approval: RawApproval,
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawGateRule {
        pub(crate) tool: At<String>,
        pub(crate) risk: Option<Risk> = None,
        pub(crate) action: Option<GateAction> = None,
        pub(crate) environment: Option<At<Vec<At<String>>>> = None,
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawApproval {
        pub(crate) expires: At<Duration>,
        pub(crate) approvers: RawApprovers = RawApprovers::default(),
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawApprovers {
        pub(crate) min: At<u32> = Self::default().min,
        pub(crate) not_requester: bool = Self::default().not_requester,
    }
}

impl Default for RawApprovers {
    fn default() -> Self {
        Self { min: At { value: 1, ..At::default() }, not_requester: true }
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawRetry {
        pub(crate) max: u32,
        pub(crate) transient: bool,
        pub(crate) low_confidence_below: Option<Share> = None,
    }
}

table! {
    #[derive(Debug, Default)]
    pub(crate) struct RawLimits {
        pub(crate) model_calls_per_turn: Option<At<u32>> = None,
        pub(crate) tool_calls_per_turn: Option<At<u32>> = None,
        pub(crate) turn_wall: Option<At<Duration>> = None,
        pub(crate) session_tokens: Option<At<u64>> = None,
        pub(crate) session_cost_usd: Option<At<f64>> = None,
        pub(crate) no_progress: Option<At<u32>> = None,
        pub(crate) assignments_per_session: Option<At<u32>> = None,
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawAgent {
        pub(crate) role: At<RoleKind>,
        pub(crate) model: Option<At<String>> = None,
        pub(crate) tools: Vec<At<String>> = Vec::new(),
        pub(crate) deadline: At<Duration>,
        pub(crate) routes: At<Vec<RawRoute>>,
        pub(crate) watch: Option<At<RawWatch>> = None,
        pub(crate) fragments: Vec<At<String>> = Vec::new(),
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawRoute {
        pub(crate) when: At<String>,
        pub(crate) next: Option<At<String>> = None,
        pub(crate) wait: Option<RawWait> = None,
        pub(crate) gate: Option<RawRouteGate> = None,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawWait {
    Operator,
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawRouteGate {
        pub(crate) confidence_below: Share,
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawWatch {
        pub(crate) tool: At<String>,
        pub(crate) args: Names<Node> = Names::default(),
        pub(crate) until: At<Vec<Condition>>,
        pub(crate) every: At<Duration>,
        pub(crate) consecutive: At<u32>,
    }
}
