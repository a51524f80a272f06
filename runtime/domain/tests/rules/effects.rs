//! The effect of a terminal tool passes the gate like any other call, whoever claims.

use std::collections::BTreeMap;

use provost_domain::command::{Answer, Ask, Report, Verb};
use provost_domain::confidence::Confidence;
use provost_domain::event::EventBody;
use provost_domain::gate::{GateAction, GateReason};
use provost_domain::ids::ToolName;
use provost_domain::pack::Pack;
use provost_domain::principal::Principal;
use provost_domain::refusal::{Refusal, ToolRefusal};
use provost_domain::status::Status;
use provost_domain::tool::Catalog;
use serde_json::{Map, json};

use crate::world::{World, ok, opener, other, rule, terminal};

/// A session that is closed by a tool whose effect is this one.
fn closed_by(effect: &'static str) -> World {
    World::started(move |pack: &mut Pack, _: &mut Catalog| {
        pack.terminal_tools = BTreeMap::from([(ToolName::new("mark_done"), terminal(Some(effect)))]);
    })
}

fn claim() -> Ask {
    Ask::Claim { tool: ToolName::new("mark_done"), args: Map::new() }
}

fn done() -> Status {
    Status::Outcome("done".to_owned())
}

#[test]
fn an_agents_claim_with_a_gated_effect_waits_for_a_person() {
    let mut world = closed_by("act:gated");
    world.calls(&[("mark_done", json!({}))]);
    assert_eq!((world.intended(), world.session.status()), (vec![], &Status::AwaitingInput));
    let approval = world.approval();
    let asked = &world.session.approvals()[&approval].asked;
    assert_eq!((asked.tool.as_str(), asked.reason), ("act:gated", GateReason::Effect));
    world.ask(&other(), Ask::Answer { approval: approval.clone(), answer: Answer::Approve, reason: None }).unwrap();
    let intended = world.log.iter().find_map(|event| match event {
        EventBody::ToolIntended(intended) => Some(intended.clone()),
        _ => None,
    });
    let intended = intended.unwrap();
    assert_eq!((intended.tool.as_str(), intended.approval), ("act:gated", Some(approval)));
    world.returns(&intended.call, ok());
    assert_eq!(world.session.status(), &done());
}

#[test]
fn a_persons_claim_with_a_gated_effect_waits_for_another_person() {
    let mut world = closed_by("act:gated");
    world.ask(&opener(), claim()).unwrap();
    assert_eq!(world.intended(), [""; 0]);
    let approve = Ask::Answer { approval: world.approval(), answer: Answer::Approve, reason: None };
    let refused = world.ask(&opener(), approve.clone()).unwrap_err();
    assert_eq!(refused, Refusal::ApproverIsRequester { by: opener() });
    world.ask(&other(), approve).unwrap();
    assert_eq!(world.intended(), ["act:gated"]);
}

#[test]
fn a_denied_effect_never_runs() {
    let mut world = closed_by("act:denied");
    world.calls(&[("mark_done", json!({}))]);
    let denied = ToolRefusal::Denied { reason: GateReason::PolicyDenied };
    let refused = |event: &EventBody| match event {
        EventBody::ClaimRefused(refused) => Some(refused.refusal.clone()),
        _ => None,
    };
    assert_eq!(world.log.iter().find_map(refused), Some(denied.clone()));
    assert_eq!(world.ask(&opener(), claim()).unwrap_err(), Refusal::CallRefused { refusal: denied });
    assert_eq!((world.intended(), world.session.approvals().len()), (vec![], 0));
}

#[test]
fn a_rejected_or_expired_effect_refuses_the_claim_and_the_session_goes_on() {
    for expires in [false, true] {
        let mut world = closed_by("act:gated");
        world.calls(&[("mark_done", json!({}))]);
        let events = if expires {
            world.now = world.now.plus(world.pack.gates.approval.expires);
            world.report(Report::Tick)
        } else {
            let answer = Answer::Reject { reason: "not now".to_owned() };
            world.ask(&other(), Ask::Answer { approval: world.approval(), answer, reason: None }).unwrap()
        };
        assert!(events.iter().any(|event| matches!(event, EventBody::ClaimRefused(_))), "{events:?}");
        assert_eq!((world.intended(), world.session.claim()), (vec![], None));
        assert_eq!(world.session.status(), &Status::InProgress, "the agent is asked again");
    }
}

#[test]
fn a_stopped_session_takes_the_question_back() {
    let mut world = closed_by("act:gated");
    world.calls(&[("mark_done", json!({}))]);
    world.ask(&other(), Ask::Stop { reason: "enough".to_owned() }).unwrap();
    assert_eq!((world.session.status(), world.session.approvals().len()), (&Status::Stopped, 0));
    assert_eq!(world.intended(), [""; 0]);
}

#[test]
fn an_effect_of_an_unsure_agent_waits_unless_it_only_tells_people() {
    for (effect, waits) in [("act:free", true), ("tell:team", false)] {
        let mut world = closed_by(effect);
        world.pack.gates.confidence_below = Some(Confidence::new(0.7).unwrap());
        world.calls(&[("mark_done", json!({}))]);
        assert_eq!(world.session.approvals().len(), usize::from(waits), "{effect}");
        let mut world = closed_by(effect);
        world.pack.gates.confidence_below = Some(Confidence::new(0.7).unwrap());
        world.ask(&opener(), claim()).unwrap();
        assert_eq!(world.intended(), [effect], "a person is not held to an agent's confidence");
    }
}

#[test]
fn every_call_of_a_reply_passes_the_gate() {
    let mut world = World::started(|pack, _| pack.gates.rules.push(rule("look:*", GateAction::Deny)));
    world.calls(&[
        ("act__gated", json!({})),
        ("act__denied", json!({})),
        ("look__once", json!({})),
        ("act__free", json!({})),
    ]);
    assert_eq!(world.intended(), ["act:free"]);
    assert_eq!(world.session.approvals().len(), 1);
}

#[test]
fn a_sender_stops_only_what_it_opened() {
    let mut world = closed_by("act:gated");
    world.calls(&[("mark_done", json!({}))]);
    for name in ["intake:org", "intake:opener", "client:org", "ticker:retention", "runtime"] {
        let refused = world.ask(&Principal::parse(name), Ask::Stop { reason: "superseded".to_owned() });
        assert!(matches!(refused, Err(Refusal::NotAuthorised { verb: Verb::Stop, .. })), "{name}: {refused:?}");
    }
    assert_eq!(world.session.status(), &Status::AwaitingInput);
}
