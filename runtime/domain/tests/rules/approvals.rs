//! Who may let a call run: somebody who did not cause it, and as many as the pack asks for.

use std::collections::BTreeMap;

use provost_domain::command::{Answer, Ask, Report};
use provost_domain::event::{ApprovalDecision, EventBody};
use provost_domain::gate::GateAction;
use provost_domain::ids::ToolName;
use provost_domain::principal::Principal;
use provost_domain::refusal::{Refusal, ToolRefusal};
use provost_domain::status::Status;
use serde_json::{Map, json};

use crate::world::{World, opener, other, rule, terminal};

fn third() -> Principal {
    Principal::user("third")
}

fn approve(world: &mut World, by: &Principal) -> Result<Vec<EventBody>, Refusal> {
    let ask = Ask::Answer { approval: world.approval(), answer: Answer::Approve, reason: None };
    world.ask(by, ask)
}

fn edit(world: &mut World, by: &Principal) -> Result<Vec<EventBody>, Refusal> {
    let args = Map::from_iter([("n".to_owned(), json!(2))]);
    let ask = Ask::Answer { approval: world.approval(), answer: Answer::Edit { args }, reason: None };
    world.ask(by, ask)
}

#[track_caller]
fn may_not(result: &Result<Vec<EventBody>, Refusal>, by: &Principal) {
    assert_eq!(result, &Err(Refusal::ApproverIsRequester { by: by.clone() }));
}

#[test]
fn whoever_opened_the_session_may_not_approve() {
    let mut world = World::started(|_, _| {});
    world.calls(&[("act__gated", json!({}))]);
    may_not(&approve(&mut world, &opener()), &opener());
    may_not(&edit(&mut world, &opener()), &opener());
    approve(&mut world, &other()).unwrap();
    assert_eq!(world.intended(), ["act:gated"]);
}

#[test]
fn whoever_started_or_retried_the_session_may_not_approve() {
    let mut world = World::opened(|_, _| {});
    world.ask(&other(), Ask::Start).unwrap();
    world.calls(&[("act__gated", json!({}))]);
    may_not(&approve(&mut world, &other()), &other());
    world.report(Report::GivenUp { cause: "too often".to_owned() });
    assert_eq!(world.session.status(), &Status::Error);
    world.ask(&third(), Ask::Retry { force: true }).unwrap();
    world.calls(&[("act__gated", json!({}))]);
    may_not(&approve(&mut world, &third()), &third());
    approve(&mut world, &Principal::user("fourth")).unwrap();
}

#[test]
fn whoever_claimed_or_edited_a_claim_may_not_approve_its_effect() {
    let gated = || {
        World::started(|pack, _| {
            pack.terminal_tools = BTreeMap::from([(ToolName::new("mark_done"), terminal(Some("act:gated")))]);
            pack.gates.rules.push(rule("mark_done", GateAction::Approve));
        })
    };
    let mut world = gated();
    world.ask(&other(), Ask::Claim { tool: ToolName::new("mark_done"), args: Map::new() }).unwrap();
    may_not(&approve(&mut world, &other()), &other());
    approve(&mut world, &third()).unwrap();
    assert_eq!(world.intended(), ["act:gated"]);

    let mut world = gated();
    world.calls(&[("mark_done", json!({}))]);
    edit(&mut world, &other()).unwrap();
    assert_eq!(world.session.approvals()[&world.approval()].asked.tool.as_str(), "act:gated");
    may_not(&approve(&mut world, &other()), &other());
    approve(&mut world, &third()).unwrap();
    assert_eq!(world.intended(), ["act:gated"]);
}

#[test]
fn a_pack_may_let_anybody_approve() {
    let mut world = World::started(|pack, _| pack.gates.approval.not_requester = false);
    world.calls(&[("act__gated", json!({}))]);
    approve(&mut world, &opener()).unwrap();
    assert_eq!(world.intended(), ["act:gated"]);
}

#[test]
fn several_different_people_must_approve_and_one_refuses_for_all() {
    let several = || World::started(|pack, _| pack.gates.approval.min = 2);
    let mut world = several();
    world.calls(&[("act__gated", json!({}))]);
    approve(&mut world, &other()).unwrap();
    assert_eq!(world.intended(), [""; 0], "one is not enough");
    assert_eq!(approve(&mut world, &other()), Err(Refusal::AlreadyApproved { by: other() }));
    let edited = edit(&mut world, &third()).unwrap_err();
    assert!(matches!(edited, Refusal::CallRefused { refusal: ToolRefusal::InvalidArguments { .. } }), "{edited:?}");
    approve(&mut world, &third()).unwrap();
    assert_eq!(world.intended(), ["act:gated"]);

    let mut world = several();
    world.calls(&[("act__gated", json!({}))]);
    approve(&mut world, &other()).unwrap();
    let reject = Answer::Reject { reason: "no".to_owned() };
    let approval = world.approval();
    world.ask(&third(), Ask::Answer { approval: approval.clone(), answer: reject, reason: None }).unwrap();
    let decided = world.log.iter().find_map(|event| match event {
        EventBody::ApprovalDecided(decided) => Some(decided.decision.clone()),
        _ => None,
    });
    assert_eq!(decided, Some(ApprovalDecision::Rejected { reason: "no".to_owned() }));
    let again = Ask::Answer { approval: approval.clone(), answer: Answer::Approve, reason: None };
    assert_eq!(world.ask(&other(), again), Err(Refusal::ApprovalAlreadyDecided { approval }));
}
