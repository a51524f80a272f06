use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A case: what the call and the policy look like.
#[derive(Debug, Clone)]
struct Case {
    rules: Vec<GateRule>,
    risk: Risk,
    floor: Option<Risk>,
    changes_world: bool,
    environment: Option<&'static str>,
    confidence: Option<f64>,
    confidence_below: Option<f64>,
}

impl Case {
    fn decide(&self) -> GateDecision {
        let &Self { risk, floor, changes_world, environment, .. } = self;
        let tool = ToolName::new("service:restart");
        let approval = ApprovalRule { expires: Duration::from_mins(1), min: 1, not_requester: false };
        let confidence_below = self.confidence_below.map(sure);
        let policy = GatePolicy { rules: self.rules.clone(), confidence_below, approval, digest: Digest::default() };
        let stake = Stake { risk, floor };
        let call = GateCall { tool: &tool, stake, changes_world, environment };
        should_gate(&call, self.confidence.map(sure), &policy, &of_three)
    }

    #[track_caller]
    fn check(&self, action: GateAction, reason: GateReason) {
        assert_eq!(self.decide(), GateDecision { action, reason }, "{self:?}");
    }
}

fn sure(value: f64) -> Confidence {
    Confidence::new(value).unwrap()
}

/// A call that changes the world, made with enough confidence.
fn case(risk: Risk, rules: Vec<GateRule>) -> Case {
    let (confidence, confidence_below) = (Some(0.9), Some(0.7));
    Case { rules, risk, floor: None, changes_world: true, environment: None, confidence, confidence_below }
}

fn rule(tool: &str, action: GateAction, environments: &[&str]) -> GateRule {
    let environments = environments.iter().map(|e| (*e).to_owned()).collect();
    GateRule { tool: tool.to_owned(), risk: None, action: Some(action), environments, when: None }
}

/// What an expression comes to on the three values: `t`, `f`, and `u`, which is absent.
fn of_three(expression: &Expression) -> Judgement {
    expression.judge(&json!({"t": true, "f": false}))
}

/// A rule for every environment with a condition.
fn when(tool: &str, action: GateAction, condition: &str) -> GateRule {
    GateRule { when: Some(Expression::parse(condition).unwrap()), ..rule(tool, action, &[]) }
}

/// The table of the three values: a rule applies unless its condition certainly does not hold.
#[test]
fn a_rule_whose_condition_cannot_be_told_applies() {
    for (condition, applies) in
        [("t", true), ("f", false), ("u", true), ("!u", true), ("u && f", false), ("u || t", true)]
    {
        let asks = case(Risk::Low, vec![when("service:*", GateAction::Approve, condition)]);
        let (action, reason) =
            if applies { (GateAction::Approve, GateReason::Rule) } else { (GateAction::Auto, GateReason::Auto) };
        asks.check(action, reason);
        let denies = case(Risk::Low, vec![when("*", GateAction::Deny, condition)]);
        let (action, reason) =
            if applies { (GateAction::Deny, GateReason::PolicyDenied) } else { (GateAction::Auto, GateReason::Auto) };
        denies.check(action, reason);
    }
}

#[test]
fn a_rule_with_a_condition_only_tightens_and_the_strictest_wins() {
    let loosens = case(Risk::High, vec![when("service:restart", GateAction::Auto, "t")]);
    loosens.check(GateAction::Approve, GateReason::HighRiskTool);
    let strictest = vec![when("*", GateAction::Approve, "t"), when("service:restart", GateAction::Deny, "u")];
    case(Risk::Low, strictest).check(GateAction::Deny, GateReason::PolicyDenied);
    // With an environment both must fit.
    let mut there = when("*", GateAction::Approve, "t");
    there.environments = vec!["staging".to_owned()];
    let mut elsewhere = case(Risk::Low, vec![there]);
    elsewhere.environment = Some("production");
    elsewhere.check(GateAction::Auto, GateReason::Auto);
    // Before there is a call every condition counts.
    let policy = GatePolicy {
        rules: vec![when("*", GateAction::Deny, "f")],
        confidence_below: None,
        approval: ApprovalRule { expires: Duration::ZERO, min: 1, not_requester: true },
        digest: Digest::default(),
    };
    let tool = ToolName::new("service:restart");
    assert_eq!(tightest_action(&tool, Risk::Low.into(), &policy), GateAction::Deny);
    assert_eq!(base_action(&tool, Risk::Low.into(), &policy), GateAction::Auto);
}

/// Approvals of today's sessions are bound to the digest of a policy without conditions.
#[test]
fn a_rule_without_a_condition_is_written_as_before() {
    let written = serde_json::to_value(rule("a", GateAction::Approve, &["staging"])).unwrap();
    assert_eq!(written, json!({"tool": "a", "risk": null, "action": "approve", "environments": ["staging"]}));
}

#[test]
fn risk_gives_the_base_action() {
    case(Risk::Low, vec![]).check(GateAction::Auto, GateReason::Auto);
    case(Risk::Medium, vec![]).check(GateAction::Notify, GateReason::Auto);
    case(Risk::High, vec![]).check(GateAction::Approve, GateReason::HighRiskTool);
}

#[test]
fn a_rule_sets_the_risk_or_the_action_and_the_action_counts() {
    let set = |risk, action| vec![GateRule { risk, action, ..rule("service:*", GateAction::Auto, &[]) }];
    case(Risk::Low, set(Some(Risk::High), None)).check(GateAction::Approve, GateReason::HighRiskTool);
    case(Risk::High, set(Some(Risk::Medium), None)).check(GateAction::Notify, GateReason::Auto);
    case(Risk::Low, set(Some(Risk::Low), Some(GateAction::Deny))).check(GateAction::Deny, GateReason::PolicyDenied);
    let mut silent = set(None, None);
    silent[0].tool = "service:restart".to_owned();
    silent.push(rule("*", GateAction::Notify, &[]));
    case(Risk::High, silent).check(GateAction::Notify, GateReason::Auto);
}

#[test]
fn no_rule_goes_below_what_the_site_says_of_the_risk() {
    let set = |risk, action| vec![GateRule { risk, action, ..rule("service:*", GateAction::Auto, &[]) }];
    let floor = |floor, rules| Case { floor: Some(floor), ..case(Risk::High, rules) };
    floor(Risk::High, set(None, Some(GateAction::Auto))).check(GateAction::Approve, GateReason::HighRiskTool);
    floor(Risk::High, set(Some(Risk::Low), None)).check(GateAction::Approve, GateReason::HighRiskTool);
    floor(Risk::Medium, set(Some(Risk::Low), None)).check(GateAction::Notify, GateReason::Auto);
    floor(Risk::Low, set(None, Some(GateAction::Auto))).check(GateAction::Auto, GateReason::Auto);
    floor(Risk::Medium, set(None, Some(GateAction::Deny))).check(GateAction::Deny, GateReason::PolicyDenied);
    floor(Risk::Medium, vec![]).check(GateAction::Approve, GateReason::HighRiskTool);
}

#[test]
fn the_most_specific_name_wins_over_order() {
    let names = ["*", "service:*", "service:re*", "service:restart"];
    for (at, name) in names.iter().enumerate() {
        let mut rules: Vec<_> = names[..at].iter().map(|name| rule(name, GateAction::Deny, &[])).collect();
        rules.push(rule(name, GateAction::Auto, &[]));
        case(Risk::High, rules.clone()).check(GateAction::Auto, GateReason::Auto);
        rules.reverse();
        case(Risk::High, rules).check(GateAction::Auto, GateReason::Auto);
    }
    let same = vec![rule("service:*", GateAction::Auto, &[]), rule("*restart*", GateAction::Deny, &[])];
    case(Risk::High, same).check(GateAction::Auto, GateReason::Auto);
    let first = vec![rule("service:*", GateAction::Notify, &[]), rule("*restart:", GateAction::Deny, &[])];
    case(Risk::High, first).check(GateAction::Notify, GateReason::Auto);
    let tie = vec![rule("service:*", GateAction::Notify, &[]), rule("*:restart", GateAction::Deny, &[])];
    case(Risk::High, tie.clone()).check(GateAction::Notify, GateReason::Auto);
    case(Risk::High, tie.into_iter().rev().collect()).check(GateAction::Deny, GateReason::PolicyDenied);
}

#[test]
fn production_tightens_and_never_loosens() {
    let at = |environment, risk, action| {
        let rules = vec![rule("service:restart", action, &["production"])];
        Case { environment, ..case(risk, rules) }
    };
    let (here, there) = (Some("production"), Some("staging"));
    at(here, Risk::Low, GateAction::Approve).check(GateAction::Approve, GateReason::GatedEnvironment);
    at(here, Risk::Low, GateAction::Deny).check(GateAction::Deny, GateReason::PolicyDenied);
    at(there, Risk::Low, GateAction::Approve).check(GateAction::Auto, GateReason::Auto);
    at(None, Risk::Low, GateAction::Approve).check(GateAction::Approve, GateReason::GatedEnvironment);
    at(here, Risk::High, GateAction::Auto).check(GateAction::Approve, GateReason::HighRiskTool);
    at(here, Risk::High, GateAction::Approve).check(GateAction::Approve, GateReason::HighRiskTool);
}

#[test]
fn low_and_unknown_confidence_ask_before_the_world_changes() {
    let with = |confidence| Case { confidence, ..case(Risk::Low, vec![]) };
    for confidence in [Some(0.69), None] {
        with(confidence).check(GateAction::Approve, GateReason::LowConfidence);
        let read = Case { changes_world: false, ..with(confidence) };
        read.check(GateAction::Auto, GateReason::Auto);
        Case { confidence_below: None, ..with(confidence) }.check(GateAction::Auto, GateReason::Auto);
    }
    with(Some(0.7)).check(GateAction::Auto, GateReason::Auto);
}

#[test]
fn patterns() {
    for (pattern, name, expect) in [
        ("a:*", "a:b", true),
        ("*", "a:b", true),
        ("*:b", "a:b", true),
        ("a*b*c", "axbyc", true),
        ("a*b*c", "axcyb", false),
        ("a:b", "a:bc", false),
        ("*b", "ab", true),
        ("ab*ab", "ab", false),
        ("", "", true),
        ("", "a", false),
        ("**", "", true),
    ] {
        assert_eq!(pattern_matches(pattern, name), expect, "{pattern} {name}");
    }
}

/// The meaning of a pattern, spelled out: `*` takes nothing, or one character more.
fn fits(pattern: &[char], name: &[char]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        (['*', rest @ ..], _) => fits(rest, name) || (!name.is_empty() && fits(pattern, &name[1..])),
        ([p, rest @ ..], [n, more @ ..]) => p == n && fits(rest, more),
        ([], _) | (_, []) => false,
    }
}

fn actions() -> impl Strategy<Value = GateAction> {
    prop_oneof![Just(GateAction::Auto), Just(GateAction::Notify), Just(GateAction::Approve), Just(GateAction::Deny)]
}

fn risks() -> impl Strategy<Value = Risk> {
    prop_oneof![Just(Risk::Low), Just(Risk::Medium), Just(Risk::High)]
}

fn environments() -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![Just(vec!["production"]), Just(vec!["staging"]), Just(vec!["staging", "production"])]
}

fn rules() -> impl Strategy<Value = Vec<GateRule>> {
    let tool = prop_oneof![Just("*"), Just("service:*"), Just("*restart"), Just("service:restart"), Just("other:*")];
    let one = (
        tool,
        proptest::option::of(actions()),
        proptest::option::of(risks()),
        prop_oneof![Just(vec![]), environments()],
    )
        .prop_map(|(tool, action, risk, environments)| GateRule {
            risk,
            action,
            ..rule(tool, GateAction::Auto, &environments)
        });
    proptest::collection::vec(one, 0..6)
}

fn cases() -> impl Strategy<Value = Case> {
    let environment = prop_oneof![Just(None), Just(Some("production")), Just(Some("staging"))];
    let confidence = || proptest::option::of(0.0..=1.0_f64);
    let stake = (risks(), proptest::option::of(risks()));
    (rules(), stake, any::<bool>(), environment, confidence(), confidence()).prop_map(
        |(rules, (risk, floor), changes_world, environment, confidence, confidence_below)| Case {
            rules,
            risk,
            floor,
            changes_world,
            environment,
            confidence,
            confidence_below,
        },
    )
}

proptest! {
    #[test]
    fn a_pattern_means_what_it_says(pattern in "[ab*]{0,6}", name in "[ab]{0,6}") {
        let [p, n] = [&pattern, &name].map(|text| text.chars().collect::<Vec<_>>());
        prop_assert_eq!(pattern_matches(&pattern, &name), fits(&p, &n));
    }

    #[test]
    fn a_rule_with_environments_never_loosens(
        case in cases(), tool in "\\*|service:\\*|service:restart", action in actions(), environments in environments(),
        at: prop::sample::Index,
    ) {
        let mut more = case.clone();
        more.rules.insert(at.index(case.rules.len() + 1), rule(&tool, action, &environments));
        let (before, after) = (case.decide().action, more.decide().action);
        let here = case.environment.is_none_or(|environment| environments.contains(&environment));
        prop_assert_eq!(after, if here { before.max(action) } else { before });
    }

    #[test]
    fn the_order_of_rules_with_environments_is_irrelevant(case in cases(), at: prop::sample::Index) {
        let (mut tight, base): (Vec<_>, Vec<_>) =
            case.rules.iter().cloned().partition(|rule| !rule.environments.is_empty());
        tight.reverse();
        if !tight.is_empty() {
            let by = at.index(tight.len());
            tight.rotate_left(by);
        }
        tight.extend(base);
        prop_assert_eq!(Case { rules: tight, ..case.clone() }.decide(), case.decide());
    }

    #[test]
    fn less_confidence_never_loosens(case in cases(), high in 0.0..=1.0, low in 0.0..=1.0) {
        let (low, high) = if low < high { (low, high) } else { (high, low) };
        let [none, unsure, sure] =
            [None, Some(low), Some(high)].map(|confidence| Case { confidence, ..case.clone() }.decide().action);
        prop_assert!(none >= unsure && unsure >= sure);
        let unasked = Case { confidence_below: None, ..case };
        prop_assert!(sure >= unasked.decide().action);
    }

    #[test]
    fn deny_always_wins(case in cases(), here: bool) {
        let mut denied = case;
        if here {
            denied.rules.push(rule("*", GateAction::Deny, &["production"]));
            denied.environment = Some("production");
        } else {
            denied.rules.insert(0, rule("service:restart", GateAction::Deny, &[]));
        }
        let decision = denied.decide();
        prop_assert_eq!(decision, GateDecision { action: GateAction::Deny, reason: GateReason::PolicyDenied });
    }

    #[test]
    fn the_reason_fits_the_action(case in cases()) {
        let GateDecision { action, reason } = case.decide();
        match reason {
            GateReason::Auto => prop_assert!(action < GateAction::Approve),
            GateReason::PolicyDenied => prop_assert_eq!(action, GateAction::Deny),
            GateReason::HighRiskTool | GateReason::GatedEnvironment | GateReason::LowConfidence | GateReason::Rule => {
                prop_assert_eq!(action, GateAction::Approve);
            }
            GateReason::Effect => prop_assert!(false, "only who calls can say that"),
        }
    }
}
