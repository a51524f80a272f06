//! What the expressions of a pack decide, and what happens where they cannot be told.

use provost_domain::event::EventBody;
use provost_domain::gate::{GateAction, GateReason};
use provost_domain::ids::AgentName;
use provost_domain::pack::{Requirement, Route, RouteTo};
use provost_domain::refusal::ToolRefusal;
use provost_domain::status::Status;
use provost_expr::Expression;
use serde_json::{Value, json};

use crate::world::{World, rule};

fn expression(text: &str) -> Expression {
    Expression::parse(text).unwrap()
}

fn finish(signal: &str) -> (&'static str, Value) {
    ("finish_turn", json!({"content": "c", "confidence": 0.6, "rationale": "r", "signal": signal}))
}

/// The table of the three values: a claim stands only where each condition certainly holds.
#[test]
fn a_claim_whose_condition_does_not_certainly_hold_is_refused_in_the_packs_words() {
    for (that, stands) in [
        ("args.n == 1", true),
        ("args.n == 2", false),
        ("args.gone == 1", false),
        ("args.gone == 1 || fields.environment == \"production\"", true),
        ("agent == \"first\" && !has(reports.first)", true),
        ("size(findings.any) == 0", true),
        ("case.age_s >= 0 && case.opened_by == \"user:opener\"", true),
        ("retries == 0", true),
    ] {
        let mut world = World::started(|pack, _| {
            let tool = pack.terminal_tools.get_mut("mark_done").unwrap();
            tool.conditions = vec![
                Requirement { that: expression("true"), otherwise: "never said".to_owned() },
                Requirement { that: expression(that), otherwise: "measure first".to_owned() },
            ];
        });
        let events = world.calls(&[("mark_done", json!({"n": 1}))]);
        let refused = events.iter().find_map(|event| match event {
            EventBody::ClaimRefused(refused) => Some(refused.refusal.clone()),
            _ => None,
        });
        let expect = (!stands).then(|| ToolRefusal::ConditionUnmet { otherwise: "measure first".to_owned() });
        assert_eq!(refused, expect, "{that}");
        assert_eq!(*world.session.status() == Status::Outcome("done".to_owned()), stands, "{that}");
    }
}

/// The table of the three values: a gate's rule applies unless its condition certainly does not hold.
#[test]
fn a_gate_that_cannot_tell_is_closed() {
    for (when, runs) in [
        ("args.n == 1", false),
        ("args.n == 2", true),
        ("args.gone == 1", false),
        ("tool.effect == \"read\"", true),
        ("tool.name == \"act:free\" && tool.risk == \"low\"", false),
        ("agent == \"second\"", true),
        ("requester == \"user:opener\"", false),
        ("fields.environment == \"staging\"", true),
        ("reports.first.stale", false),
    ] {
        let mut world = World::started(|pack, _| {
            let mut asks = rule("act:free", GateAction::Approve);
            asks.when = Some(expression(when));
            pack.gates.rules.push(asks);
        });
        let events = world.calls(&[("act__free", json!({"n": 1}))]);
        let fired = events.iter().find_map(|event| match event {
            EventBody::GateFired(fired) => Some(fired.reason),
            _ => None,
        });
        assert_eq!(fired, (!runs).then_some(GateReason::Rule), "{when}");
        assert_eq!(!world.intended().is_empty(), runs, "{when}");
    }
}

/// The table of the three values: a route takes only what certainly fits; what cannot be told is recorded.
#[test]
fn a_route_that_cannot_be_told_does_not_match_and_is_recorded() {
    for (condition, matches, told) in [
        ("confidence < 0.7", true, true),
        ("confidence > 0.7", false, true),
        ("report.gone == 1", false, false),
        ("report.signal == \"odd\" && signal == \"odd\" && !report.stale", true, true),
        ("reports.first.content == \"c\"", true, true),
        ("agent == \"first\"", true, true),
    ] {
        let mut world = World::started(|pack, _| {
            let agent = pack.agents.get_mut(&AgentName::new("first")).unwrap();
            let route = |condition, to| Route { when: "default".to_owned(), condition, to, gate_below: None };
            agent.routes = vec![route(Some(expression(condition)), RouteTo::Operator), route(None, RouteTo::End)];
        });
        let events = world.calls(&[finish("odd")]);
        let routed = events.iter().find_map(|event| match event {
            EventBody::RouteDecided(route) => Some((route.to.clone(), route.matched, route.unclear.len())),
            _ => None,
        });
        let to = if matches { RouteTo::Operator } else { RouteTo::End };
        assert_eq!(routed, Some((to, matches, usize::from(!told))), "{condition}");
    }
}
