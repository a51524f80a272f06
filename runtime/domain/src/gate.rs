//! The gate: one pure function decides whether a call runs, waits for a person, or is refused.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use provost_expr::{CannotTell, Expression, Judgement};
use serde::{Deserialize, Serialize};

use crate::confidence::Confidence;
use crate::ids::{Digest, ToolName};
use crate::tool::{Risk, Stake};
use crate::word;

/// A pack's gate policy, complete and validated: every pattern matches a tool that exists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GatePolicy {
    /// What the pack says about single tools: their risk, or what is done about their calls.
    pub rules: Vec<GateRule>,
    /// Calls that change the world wait for a person while the last known confidence is below this.
    pub confidence_below: Option<Confidence>,
    /// What an approval needs.
    pub approval: ApprovalRule,
    /// Digest of the rest in canonical form; an approval is bound to it.
    #[serde(skip)]
    pub digest: Digest,
}

/// One rule. Without `environment` and `when` it sets a tool's base action; with one of them it can only tighten it there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GateRule {
    /// A tool name or a pattern with `*`; the most specific pattern wins (an exact name, then the most literal
    /// characters, then the first written).
    pub tool: String,
    /// Risk that replaces the tool's own.
    pub risk: Option<Risk>,
    /// Action that replaces the one the risk gives.
    pub action: Option<GateAction>,
    /// The environments it applies to; empty = everywhere.
    pub environments: Vec<String>,
    /// What must hold for it to apply. Where that cannot be told, it applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Expression>,
}

/// What the gate does with a call, from loose to tight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateAction {
    /// Runs by itself.
    Auto,
    /// Runs by itself and is recorded as notable.
    Notify,
    /// Waits for a person.
    Approve,
    /// Is refused.
    Deny,
}

/// What an approval needs to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRule {
    /// How long it may stay unanswered.
    #[serde(with = "crate::time::millis")]
    pub expires: Duration,
    /// How many different people must approve.
    pub min: u32,
    /// The approver must not have caused the call: opened or started the session, claimed its outcome, or edited the call.
    pub not_requester: bool,
}

/// Why the gate decided as it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateReason {
    /// The tool's risk is high, or a rule says so.
    HighRiskTool,
    /// A rule for this environment tightened it.
    GatedEnvironment,
    /// The last known confidence is too low, or unknown where one is asked for.
    LowConfidence,
    /// A rule with a condition tightened it: the condition holds, or nobody can tell.
    Rule,
    /// It is the effect of a terminal tool, and the gate would ask for a call of it.
    Effect,
    /// A rule denies it.
    PolicyDenied,
    /// Nothing asks for a person.
    Auto,
}

impl fmt::Display for GateReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&word::of(self))
    }
}

/// The gate's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateDecision {
    /// What to do.
    pub action: GateAction,
    /// Why.
    pub reason: GateReason,
}

/// What the gate looks at of a call.
#[derive(Debug, Clone, Copy)]
pub struct GateCall<'a> {
    /// The full name of the tool that is to be called.
    pub tool: &'a ToolName,
    /// What is at stake in it.
    pub stake: Stake,
    /// Whether it is more than a read.
    pub changes_world: bool,
    /// Where it acts; unknown counts as every environment there is a rule for.
    pub environment: Option<&'a str>,
}

impl Risk {
    const fn action(self) -> GateAction {
        match self {
            Self::Low => GateAction::Auto,
            Self::Medium => GateAction::Notify,
            Self::High => GateAction::Approve,
        }
    }
}

impl GateRule {
    /// Whether it sets the base action of a tool.
    pub const fn is_base(&self) -> bool {
        self.environments.is_empty() && self.when.is_none()
    }

    /// The action it says, itself or by its risk.
    pub fn base(&self) -> Option<GateAction> {
        self.action.or_else(|| self.risk.map(Risk::action))
    }
}

/// The action on every call of a tool, whatever its arguments: the most specific rule without a condition, else the tool's
/// own risk; never below the floor of its risk. All else only tightens it.
pub fn base_action(tool: &ToolName, stake: Stake, policy: &GatePolicy) -> GateAction {
    let Stake { risk, floor } = stake;
    let base = policy
        .rules
        .iter()
        .filter(|rule| rule.is_base() && pattern_matches(&rule.tool, tool.as_str()))
        .filter_map(|rule| Some((specificity(&rule.tool), rule.base()?)))
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map_or(risk.action(), |(_, action)| action);
    floor.map_or(base, |floor| base.max(floor.action()))
}

/// The tightest action on a call of a tool in any environment, however sure an agent is.
pub fn tightest_action(tool: &ToolName, stake: Stake, policy: &GatePolicy) -> GateAction {
    let anywhere = GateCall { tool, stake, changes_world: false, environment: None };
    let unknown = |_: &Expression| Judgement::CannotTell(CannotTell::nowhere("no call was made yet"));
    should_gate(&anywhere, None, policy, &unknown).action
}

/// The argument, or the field, that says where a call acts.
pub const ENVIRONMENT: &str = "environment";

/// Decides one call. The base is [`base_action`]; everything after that (environments, conditions, confidence) only tightens.
/// `judge` evaluates the condition of a rule; one that cannot be told counts as held.
pub fn should_gate(
    call: &GateCall<'_>,
    confidence: Option<Confidence>,
    policy: &GatePolicy,
    judge: &dyn Fn(&Expression) -> Judgement,
) -> GateDecision {
    let matching = || policy.rules.iter().filter(|rule| pattern_matches(&rule.tool, call.tool.as_str()));
    let base = base_action(call.tool, call.stake, policy);
    let here = |rule: &&GateRule| {
        let named = |environment| rule.environments.iter().any(|own| own == environment);
        rule.environments.is_empty() || call.environment.is_none_or(named)
    };
    let place = |rule: &&GateRule| rule.when.is_none() && !rule.is_base() && here(rule);
    let applies = |rule: &&GateRule| rule.when.as_ref().is_some_and(|when| here(rule) && !judge(when).is_false());
    let environment = matching().filter(place).filter_map(GateRule::base).max();
    let conditional = matching().filter(applies).filter_map(GateRule::base).max();
    let unsure = policy.confidence_below.is_some_and(|below| confidence.is_none_or(|c| c < below));
    let ask = |asks: bool| asks.then_some(GateAction::Approve);

    let mut decision = GateDecision { action: base, reason: GateReason::HighRiskTool };
    let tighter = [
        (environment, GateReason::GatedEnvironment),
        (conditional, GateReason::Rule),
        (ask(call.changes_world && unsure), GateReason::LowConfidence),
    ];
    for (action, reason) in tighter {
        if let Some(action) = action.filter(|action| *action > decision.action) {
            decision = GateDecision { action, reason };
        }
    }
    match decision.action {
        GateAction::Auto | GateAction::Notify => decision.reason = GateReason::Auto,
        GateAction::Deny => decision.reason = GateReason::PolicyDenied,
        GateAction::Approve => {}
    }
    decision
}

/// The rules that say something about a call, by their places in the policy: of those that set the base action the most
/// specific, and each that tightens it here, also where another one is stricter.
pub fn rules_about(
    call: &GateCall<'_>,
    policy: &GatePolicy,
    judge: &dyn Fn(&Expression) -> Judgement,
) -> BTreeSet<usize> {
    let matching =
        || policy.rules.iter().enumerate().filter(|(_, rule)| pattern_matches(&rule.tool, call.tool.as_str()));
    let base = matching()
        .filter(|(_, rule)| rule.is_base() && rule.base().is_some())
        .reduce(|best, next| if specificity(&next.1.tool) > specificity(&best.1.tool) { next } else { best });
    let here = |rule: &GateRule| {
        let named = |environment| rule.environments.iter().any(|own| own == environment);
        rule.environments.is_empty() || call.environment.is_none_or(named)
    };
    let holds = |rule: &GateRule| rule.when.as_ref().is_none_or(|when| !judge(when).is_false());
    let tightening = matching().filter(|(_, rule)| !rule.is_base() && here(rule) && holds(rule));
    base.into_iter().chain(tightening).map(|(place, _)| place).collect()
}

/// Whether a tool name fits a pattern, where `*` stands for any text.
pub fn pattern_matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(head) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        let Some(at) = left.find(part) else { return false };
        left = left.get(at + part.len()..).unwrap_or_default();
    }
    true
}

/// How specific a pattern is: an exact name beats every pattern, then the one with more literal characters.
pub fn specificity(pattern: &str) -> (bool, usize) {
    (!pattern.contains('*'), pattern.chars().filter(|c| *c != '*').count())
}

#[cfg(test)]
mod tests;
