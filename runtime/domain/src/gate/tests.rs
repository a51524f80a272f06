use proptest::prelude::*;

use super::*;

fn policy(rules: Vec<GateRule>, confidence_below: Option<f64>) -> GatePolicy {
    let approval = ApprovalRule { expires: Duration::from_mins(1), min: 1, not_requester: false };
    GatePolicy { rules, confidence_below, approval, digest: Digest::default() }
}

fn rule(tool: &str, action: GateAction, environments: &[&str]) -> GateRule {
    let environments = environments.iter().map(|e| (*e).to_owned()).collect();
    GateRule { tool: tool.to_owned(), risk: None, action: Some(action), environments }
}

fn decide(rules: Vec<GateRule>, risk: Risk, environment: Option<&str>, confidence: Option<f64>) -> GateDecision {
    let tool = ToolName::new("service:restart");
    let call = GateCall { tool: &tool, risk, changes_world: true, environment, agent_gate: false };
    should_gate(&call, confidence, &policy(rules, Some(0.7)))
}

#[track_caller]
fn check(decision: GateDecision, action: GateAction, reason: GateReason) {
    assert_eq!(decision, GateDecision { action, reason });
}

#[test]
fn risk_gives_the_base_action() {
    check(decide(vec![], Risk::Low, None, Some(0.9)), GateAction::Auto, GateReason::Auto);
    check(decide(vec![], Risk::Medium, None, Some(0.9)), GateAction::Notify, GateReason::Auto);
    check(decide(vec![], Risk::High, None, Some(0.9)), GateAction::Approve, GateReason::HighRiskTool);
}

#[test]
fn the_most_specific_name_wins_over_order() {
    let rules = vec![rule("service:*", GateAction::Deny, &[]), rule("service:restart", GateAction::Auto, &[])];
    check(decide(rules, Risk::High, None, Some(0.9)), GateAction::Auto, GateReason::Auto);
}

#[test]
fn production_tightens_and_never_loosens() {
    let rules = vec![rule("service:restart", GateAction::Approve, &["production"])];
    check(
        decide(rules.clone(), Risk::Low, Some("production"), Some(0.9)),
        GateAction::Approve,
        GateReason::GatedEnvironment,
    );
    check(decide(rules, Risk::Low, Some("staging"), Some(0.9)), GateAction::Auto, GateReason::Auto);
    let rules = vec![rule("service:restart", GateAction::Auto, &["production"])];
    check(decide(rules, Risk::High, Some("production"), Some(0.9)), GateAction::Approve, GateReason::HighRiskTool);
}

#[test]
fn low_and_unknown_confidence_ask() {
    check(decide(vec![], Risk::Low, None, Some(0.69)), GateAction::Approve, GateReason::LowConfidence);
    check(decide(vec![], Risk::Low, None, None), GateAction::Approve, GateReason::LowConfidence);
    check(decide(vec![], Risk::Low, None, Some(f64::NAN)), GateAction::Approve, GateReason::LowConfidence);
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
    ] {
        assert_eq!(pattern_matches(pattern, name), expect, "{pattern} {name}");
    }
}

fn actions() -> impl Strategy<Value = GateAction> {
    prop_oneof![Just(GateAction::Auto), Just(GateAction::Notify), Just(GateAction::Approve), Just(GateAction::Deny)]
}

fn rules() -> impl Strategy<Value = Vec<GateRule>> {
    let tool = prop_oneof![Just("*"), Just("service:*"), Just("service:restart"), Just("other:*")];
    let environments = prop_oneof![Just(vec![]), Just(vec!["production"]), Just(vec!["staging", "production"])];
    let one =
        (tool, actions(), environments).prop_map(|(tool, action, environments)| rule(tool, action, &environments));
    proptest::collection::vec(one, 0..6)
}

proptest! {
    #[test]
    fn an_environment_rule_only_tightens(base in rules(), extra in actions(), confidence in 0.0..1.0) {
        let before = decide(base.clone(), Risk::Medium, Some("production"), Some(confidence));
        let mut more = base;
        more.push(rule("service:restart", extra, &["production"]));
        let after = decide(more, Risk::Medium, Some("production"), Some(confidence));
        prop_assert!(after.action >= before.action);
    }

    #[test]
    fn less_confidence_never_loosens(base in rules(), high in 0.0..1.0, low in 0.0..1.0) {
        let (low, high) = if low < high { (low, high) } else { (high, low) };
        let sure = decide(base.clone(), Risk::Medium, Some("production"), Some(high));
        let unsure = decide(base, Risk::Medium, Some("production"), Some(low));
        prop_assert!(unsure.action >= sure.action);
    }
}
