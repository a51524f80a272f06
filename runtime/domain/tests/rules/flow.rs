//! Where a session goes and what stops it on the way: versions, requirements, the gate before a claim, dispatch and routes.

use std::collections::BTreeMap;

use provost_domain::command::{Answer, Ask, Command};
use provost_domain::condition::{Condition, Op};
use provost_domain::confidence::Confidence;
use provost_domain::event::EventBody;
use provost_domain::gate::{GateAction, GateReason};
use provost_domain::ids::{AgentName, Seq, ToolName};
use provost_domain::pack::{DispatchRule, RouteTo};
use provost_domain::refusal::{Refusal, ToolRefusal};
use provost_domain::status::Status;
use serde_json::{Value, json};

use crate::world::{World, ok, opener, other, rule};

fn confidence(value: f64) -> Confidence {
    Confidence::new(value).unwrap()
}

fn finish(confidence: f64, signal: &str) -> (&'static str, Value) {
    ("finish_turn", json!({"content": "c", "confidence": confidence, "rationale": "r", "signal": signal}))
}

fn refused_claim(events: &[EventBody]) -> Option<ToolRefusal> {
    events.iter().find_map(|event| match event {
        EventBody::ClaimRefused(refused) => Some(refused.refusal.clone()),
        _ => None,
    })
}

#[test]
fn a_command_about_an_older_version_is_refused() {
    let mut world = World::started(|_, _| {});
    let head = world.session.head();
    for (expected, fits) in [(Seq(head.0 - 1), false), (Seq(head.0 + 1), false), (head, true)] {
        let ask = Ask::Annotate { text: "seen".to_owned() };
        let result = world.command(&Command { by: other(), if_version: Some(expected), ask });
        match result {
            Ok(_) => assert!(fits, "{expected}"),
            Err(refusal) => {
                assert!(!fits, "{expected}");
                assert_eq!(refusal, Refusal::StaleVersion { expected, actual: head });
            }
        }
    }
}

/// `first` must have reported `settled` since the last change before anybody's agent closes.
fn requiring() -> World {
    World::started(|pack, _| {
        let tool = pack.terminal_tools.get_mut("mark_done").unwrap();
        tool.requires = BTreeMap::from([(AgentName::new("first"), "operator".to_owned())]);
    })
}

#[test]
fn a_claim_needs_the_report_that_its_tool_requires_after_the_last_change() {
    let unmet = |has: Option<&str>| ToolRefusal::Unmet {
        agent: AgentName::new("first"),
        wants: "operator".to_owned(),
        has: has.map(str::to_owned),
    };
    let mut world = requiring();
    assert_eq!(refused_claim(&world.calls(&[("mark_done", json!({}))])), Some(unmet(None)));
    world.calls(&[finish(0.9, "operator")]);
    world.ask(&other(), Ask::Speak { text: "go on".to_owned() }).unwrap();
    // A change makes the report old.
    world.calls(&[("act__free", json!({}))]);
    let call = world.last_intended();
    world.returns(&call, ok());
    assert_eq!(refused_claim(&world.calls(&[("mark_done", json!({}))])), Some(unmet(None)));
    world.calls(&[finish(0.9, "operator")]);
    world.ask(&other(), Ask::Speak { text: "go on".to_owned() }).unwrap();
    assert_eq!(refused_claim(&world.calls(&[("mark_done", json!({}))])), None);
    assert_eq!(world.session.status(), &Status::Outcome("done".to_owned()));
    // What agents must have reported does not bind a person.
    let mut world = requiring();
    world.ask(&other(), Ask::Claim { tool: ToolName::new("mark_done"), args: serde_json::Map::new() }).unwrap();
    assert_eq!(world.session.status(), &Status::Outcome("done".to_owned()));
}

#[test]
fn a_claim_itself_passes_the_gate() {
    let gated = |action| World::started(move |pack, _| pack.gates.rules.push(rule("mark_done", action)));
    let mut world = gated(GateAction::Approve);
    world.calls(&[("mark_done", json!({}))]);
    assert_eq!(world.session.status(), &Status::AwaitingInput);
    let ask = Ask::Answer { approval: world.approval(), answer: Answer::Approve, reason: None };
    world.ask(&other(), ask).unwrap();
    assert_eq!(world.session.status(), &Status::Outcome("done".to_owned()));
    let mut world = gated(GateAction::Deny);
    let refusal = refused_claim(&world.calls(&[("mark_done", json!({}))]));
    assert_eq!(refusal, Some(ToolRefusal::Denied { reason: GateReason::PolicyDenied }));
    assert_eq!(world.session.status(), &Status::InProgress);
}

#[test]
fn an_unsure_agent_asks_before_it_changes_anything() {
    for (stated, waits) in [(None, true), (Some(0.69), true), (Some(0.7), false)] {
        let mut world = World::started(|pack, _| pack.gates.confidence_below = Some(confidence(0.7)));
        if let Some(stated) = stated {
            world.calls(&[finish(stated, "operator")]);
            world.ask(&other(), Ask::Speak { text: "go on".to_owned() }).unwrap();
        }
        world.calls(&[("look__once", json!({})), ("act__free", json!({}))]);
        assert_eq!(world.session.approvals().len(), usize::from(waits), "{stated:?}");
        let reasons: Vec<GateReason> = world.session.approvals().values().map(|own| own.asked.reason).collect();
        assert!(reasons.iter().all(|reason| *reason == GateReason::LowConfidence), "{reasons:?}");
        assert!(world.intended().contains(&"look:once".to_owned()), "a read is never asked about");
    }
}

#[test]
fn dispatch_comes_before_the_routes() {
    let dispatched = |value: &'static str| {
        let mut world = World::started(move |pack, _| {
            let when = vec![Condition { path: "signal".to_owned(), op: Op::Eq, value: json!(value) }];
            pack.dispatch = vec![DispatchRule { when, condition: None, next: RouteTo::End }];
        });
        world.calls(&[finish(0.9, "operator")]);
        world.session.status().clone()
    };
    assert_eq!(dispatched("operator"), Status::NeedsReview, "the rule ends it");
    assert_eq!(dispatched("other"), Status::AwaitingInput, "the route asks an operator");
}

#[test]
fn a_route_pauses_below_its_threshold() {
    for (stated, asks) in [(0.49, true), (0.5, false)] {
        let mut world = World::started(|pack, _| {
            for route in &mut pack.agents.values_mut().next().unwrap().routes {
                route.gate_below = Some(confidence(0.5));
            }
        });
        world.calls(&[finish(stated, "default")]);
        let asked = world.session.operator().and_then(|asked| asked.threshold);
        assert_eq!(asked, asks.then(|| confidence(0.5)), "{stated}");
        if asks {
            world.ask(&opener(), Ask::Speak { text: "go on".to_owned() }).unwrap();
        }
        assert_eq!(world.session.status(), &Status::NeedsReview, "then it goes where the route leads");
    }
}
