//! The files as written. Unknown keys are refused everywhere.

use std::num::NonZeroU64;

use provost_domain::evidence::ResultKind;
use provost_domain::gate::GateAction;
use provost_domain::pack::{DEFAULT_SIGNAL, OutcomeKind};
use provost_domain::tool::Risk;
use provost_form::{At, Cost, Count, FromYaml as _, Names, Period, Share, YamlNode, table, words};
use serde::Deserialize;

use crate::conditions::RawWhen;
use crate::intake::RawIntake;
use crate::own_tools::{RawFindings, RawTerminal};
use crate::rosters::RawRosters;
use crate::watching::RawWatch;

words! {
    pub(crate) struct RawOutcomeKind(OutcomeKind) = OutcomeKind::Neutral;
    pub(crate) struct RawRisk(Risk) = Risk::High;
    pub(crate) struct RawAction(GateAction) = GateAction::Deny;
    pub(crate) struct RawResultKind(ResultKind) = ResultKind::Whole;
    impl RawWait = RawWait::Operator;
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawPack {
        pub(crate) pack: At<String>,
        pub(crate) version: Count<0>,
        pub(crate) handle: At<String>,
        pub(crate) title: Option<At<String>> = None,
        pub(crate) fields: At<YamlNode>,
        pub(crate) types: Names<YamlNode> = Names::default(),
        pub(crate) rosters: RawRosters = Names::default(),
        pub(crate) outcomes: Names<RawOutcome>,
        pub(crate) terminal_tools: Names<RawTerminal>,
        pub(crate) findings_tools: Names<RawFindings> = Names::default(),
        pub(crate) evidence: RawEvidenceKinds = RawEvidenceKinds::blank(),
        pub(crate) patch_tools: Names<RawPatch> = Names::default(),
        pub(crate) inject: Names<At<String>> = Names::default(),
        pub(crate) target: Option<At<String>> = None,
        pub(crate) identity: Option<At<Vec<At<String>>>> = None,
        pub(crate) supersede: At<Vec<At<String>>> = At::default(),
        pub(crate) intake: RawIntake = RawIntake::default(),
        pub(crate) entry: At<String>,
        pub(crate) dispatch: Option<At<Vec<RawDispatch>>> = None,
        pub(crate) gates: RawGates,
        pub(crate) retry: RawRetry,
        pub(crate) limits: RawLimits = RawLimits::blank(),
    }
}

impl RawPack {
    /// Stands in for a manifest that is missing or could not be read: nothing can be said about the names in it.
    pub(crate) fn unread() -> Self {
        Self {
            types: Names::blank(),
            rosters: Names::blank(),
            findings_tools: Names::blank(),
            patch_tools: Names::blank(),
            inject: Names::blank(),
            ..Self::blank()
        }
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawOutcome {
        pub(crate) kind: RawOutcomeKind,
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawEvidenceKinds {
        pub(crate) also: Vec<RawResultKind> = Vec::new(),
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawPatch {
        pub(crate) fields: At<Vec<At<String>>>,
        pub(crate) aliases: Names<Names<At<String>>> = Names::default(),
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawDispatch {
        pub(crate) when: RawWhen,
        pub(crate) next: At<String>,
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
        pub(crate) risk: Option<RawRisk> = None,
        pub(crate) action: Option<RawAction> = None,
        pub(crate) environment: Option<At<Vec<At<String>>>> = None,
        pub(crate) when: Option<At<String>> = None,
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawApproval {
        pub(crate) expires: Period,
        pub(crate) approvers: RawApprovers = RawApprovers::blank(),
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawApprovers {
        pub(crate) min: Count<1> = Count(1),
        pub(crate) not_requester: bool = true,
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawRetry {
        pub(crate) max: Count<0>,
        pub(crate) transient: bool,
        pub(crate) low_confidence_below: Option<Share> = None,
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawLimits {
        pub(crate) model_calls_per_turn: Option<Count<1>> = None,
        pub(crate) tool_calls_per_turn: Option<Count<1>> = None,
        pub(crate) turn_wall: Option<Period> = None,
        pub(crate) session_tokens: Option<NonZeroU64> = None,
        pub(crate) session_cost_usd: Option<Cost> = None,
        pub(crate) no_progress: Option<Count<2>> = None,
        pub(crate) assignments_per_session: Option<Count<1>> = None,
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawAgent {
        pub(crate) role: At<String>,
        pub(crate) model: Option<At<String>> = None,
        pub(crate) tools: Option<At<Vec<At<String>>>> = None,
        pub(crate) deadline: Option<Period> = None,
        pub(crate) routes: At<Vec<RawRoute>>,
        pub(crate) watch: Option<At<RawWatch>> = None,
        pub(crate) report: Option<At<Names<YamlNode>>> = None,
        pub(crate) fragments: Vec<At<String>> = Vec::new(),
    }
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawRoute {
        pub(crate) signal: Option<At<String>> = None,
        pub(crate) when: Option<At<String>> = None,
        pub(crate) next: Option<At<String>> = None,
        pub(crate) wait: Option<At<RawWait>> = None,
        pub(crate) gate: Option<RawRouteGate> = None,
    }
}

impl RawRoute {
    /// The signal it takes, if it takes only one. Packs wrote it as a word under `when` before there were expressions.
    pub(crate) fn signal(&self) -> Option<&At<String>> {
        self.signal.as_ref().or_else(|| self.when.as_ref().filter(|when| is_word(when)))
    }

    /// The expression that must hold.
    pub(crate) fn condition(&self) -> Option<&At<String>> {
        self.when.as_ref().filter(|when| self.signal.is_some() || !is_word(when))
    }

    /// Whether what it takes could not be read.
    pub(crate) fn is_unread(&self) -> bool {
        [&self.signal, &self.when].into_iter().flatten().any(At::is_blank)
    }

    /// Whether it takes every report that no other route takes.
    pub(crate) fn is_default(&self) -> bool {
        let any = self.signal().is_none_or(|signal| signal.as_str() == DEFAULT_SIGNAL);
        any && self.condition().is_none() && !self.is_unread()
    }
}

/// Whether a text is a word, and not an expression that something could be told of.
fn is_word(text: &str) -> bool {
    text.chars().all(|sign| sign.is_alphanumeric() || matches!(sign, '_' | '-' | ' '))
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
