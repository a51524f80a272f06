//! Who may act on what: calls that change the world claim their target, one after the other, and a stale approval counts no
//! more.

use std::time::Duration;

use provost_domain::claims::{ClaimKey, ClaimTarget};
use provost_domain::command::{Answer, Ask};
use provost_domain::event::{EventBody, Settlement, StaleReason};
use provost_domain::ids::{CallId, SessionId};
use provost_domain::projection::Obstacle;
use provost_domain::refusal::{Refusal, ToolRefusal};
use provost_domain::tool::{Happened, ToolOutcome};
use serde_json::{Value, json};

use crate::world::{World, ok, opener, other, tool};

fn shop() -> ClaimKey {
    ClaimKey::of("production", "shop")
}

fn rival() -> SessionId {
    SessionId::new(uuid::Uuid::from_u128(99))
}

/// Whose calls act on `production/shop`.
fn world() -> World {
    World::started(|pack, _| pack.target = Some(ClaimTarget::parse("{{ fields.environment }}/shop").unwrap()))
}

fn act(n: u64) -> (&'static str, Value) {
    ("act__free", json!({"n": n}))
}

fn refusals(events: &[EventBody]) -> Vec<&'static str> {
    let word = |event: &EventBody| match event {
        EventBody::ToolRefused(refused) => Some(refused.refusal.word()),
        _ => None,
    };
    events.iter().filter_map(word).collect()
}

fn kinds(events: &[EventBody]) -> Vec<&'static str> {
    events.iter().map(EventBody::kind).collect()
}

fn lost() -> ToolOutcome {
    let failure = json!({"kind": "transient", "happened": "maybe", "detail": "the answer was lost"});
    ToolOutcome::Failed { failure: serde_json::from_value(failure).unwrap() }
}

fn approve(world: &mut World) -> Result<Vec<EventBody>, Refusal> {
    let approval = world.approval();
    world.ask(&other(), Ask::Answer { approval, answer: Answer::Approve, reason: None })
}

#[test]
fn an_intent_takes_its_target_and_an_outcome_frees_it() {
    let mut world = world();
    world.calls(&[act(1), ("look__once", json!({})), ("tell__team", json!({}))]);
    assert_eq!(world.claims.take.len(), 1, "reading and telling people claim nothing");
    assert_eq!((&world.claims.take[0].key, &world.claims.take[0].call), (&shop(), &World::call_id(1, 0)));
    assert_eq!(world.session.held()[&World::call_id(1, 0)].key, shop());
    world.returns(&World::call_id(1, 0), ok());
    assert_eq!(world.claims.release.len(), 1);
    assert!(world.claims.release[0].acted && world.session.held().is_empty());
    world.returns(&World::call_id(1, 1), ok());
    assert!(world.claims.is_empty());
}

#[test]
fn what_surely_did_nothing_does_not_count_as_an_act() {
    let mut world = world();
    world.calls(&[act(1)]);
    let mut outcome = lost();
    if let ToolOutcome::Failed { failure } = &mut outcome {
        failure.happened = Happened::No;
    }
    world.returns(&World::call_id(1, 0), outcome);
    assert!(!world.claims.release[0].acted);
}

#[test]
fn what_was_carried_out_and_failed_counts_as_an_act_and_is_not_in_doubt() {
    let mut world = world();
    world.calls(&[act(1)]);
    let mut outcome = lost();
    if let ToolOutcome::Failed { failure } = &mut outcome {
        failure.happened = Happened::Answered;
    }
    let events = world.returns(&World::call_id(1, 0), outcome);
    assert_eq!(events.first().unwrap().kind(), "tool_returned");
    assert!(world.claims.release[0].acted && world.session.unknown().is_empty());
}

#[test]
fn a_tools_own_target_comes_before_the_packs_and_without_either_nothing_is_claimed() {
    let mut world = World::started(|_, _| {});
    world.calls(&[act(1)]);
    assert!(world.claims.is_empty() && world.session.held().is_empty());
    let mut world = World::started(|pack, catalog| {
        pack.target = Some(ClaimTarget::parse("-/pack").unwrap());
        let mut spec = tool("act:free");
        spec.claim.target = Some(ClaimTarget::parse("{{ args.environment }}/own-{{ args.n }}").unwrap());
        catalog.insert(spec.name.clone(), spec.into());
    });
    world.calls(&[act(7)]);
    assert_eq!(world.claims.take[0].key, ClaimKey::of("-", "own-7"));
}

#[test]
fn calls_of_one_session_on_one_target_run_one_after_another() {
    let mut world = world();
    world.calls(&[act(1), act(2), act(3)]);
    assert_eq!(world.intended().len(), 1);
    world.returns(&World::call_id(1, 0), ok());
    assert_eq!(world.intended().len(), 2);
    world.returns(&World::call_id(1, 1), ok());
    assert_eq!(world.intended().len(), 3);
    world.returns(&World::call_id(1, 2), ok());
    let work = world.session.works().values().next().unwrap();
    assert_eq!(work.turn().unwrap().round, 2, "then the model is asked again");
}

#[test]
fn an_approved_call_waits_for_the_one_before_it_and_then_runs() {
    let mut world = world();
    world.calls(&[act(1), ("act__gated", json!({"n": 2}))]);
    assert_eq!(world.intended(), ["act:free"]);
    approve(&mut world).unwrap();
    assert_eq!(world.intended(), ["act:free"]);
    world.returns(&World::call_id(1, 0), ok());
    assert_eq!(world.intended(), ["act:free", "act:gated"]);
    assert!(world.claims.take[0].asked_at.is_some());
}

#[test]
fn an_unknown_outcome_keeps_the_target_until_it_is_settled() {
    let mut world = world();
    world.calls(&[act(1), act(2), ("act__gated", json!({}))]);
    world.returns(&World::call_id(1, 0), lost());
    assert!(world.claims.release.is_empty());
    assert_eq!(world.session.held().len(), 1);
    let busy = ToolRefusal::TargetBusy { target: shop(), holder: world.session.id(), since: world.now };
    let refused = world.log.iter().find_map(|event| match event {
        EventBody::ToolRefused(refused) => Some(refused.refusal.clone()),
        _ => None,
    });
    assert_eq!(refused, Some(busy));
    let held = approve(&mut world).unwrap_err();
    assert_eq!(held.code(), "target_busy");
    let stop = Ask::Stop { reason: "enough".to_owned() };
    world.ask(&opener(), stop).unwrap();
    assert_eq!(world.session.held().len(), 1, "also after the session's end");
    let settlement = Settlement::DidNotHappen { note: "looked".to_owned() };
    world.ask(&opener(), Ask::Settle { call: World::call_id(1, 0), settlement }).unwrap();
    assert!(world.session.held().is_empty() && !world.claims.release[0].acted);
}

#[test]
fn the_loser_is_told_who_holds_the_target_and_since_when() {
    let mut world = world();
    let (call, since) = (World::call_id(1, 0), world.now.minus(Duration::from_secs(9)));
    world.obstacles.note(call.clone(), Obstacle::Taken { key: shop(), holder: rival(), since });
    let events = world.calls(&[act(1)]);
    assert_eq!(refusals(&events), ["target_busy"]);
    assert!(world.claims.is_empty() && world.intended().is_empty());
    let shown = &world.session.works().values().next().unwrap().turn().unwrap().history;
    let shown = serde_json::to_string(shown).unwrap();
    assert!(shown.contains(&format!("\"holder\":\"{}\"", rival())) && shown.contains("\"since\""), "{shown}");
}

#[test]
fn beyond_the_repeat_a_model_is_told_when_the_tool_may_act_again() {
    let mut world = world();
    let free_at = world.now.plus(Duration::from_mins(7));
    world.obstacles.note(World::call_id(1, 0), Obstacle::Repeated { free_at });
    assert_eq!(refusals(&world.calls(&[act(1)])), ["repeat_limit"]);
    let shown = &world.session.works().values().next().unwrap().turn().unwrap().history;
    let shown = serde_json::to_string(shown).unwrap();
    assert!(shown.contains("\"max\":2") && shown.contains(&free_at.to_string()), "{shown}");
}

/// A gated call whose approval was asked for, then the obstacle that its intent met.
fn gated(obstacle: impl FnOnce(&World) -> Obstacle) -> World {
    let mut world = world();
    world.calls(&[("act__gated", json!({"n": 1}))]);
    world.now = world.now.plus(Duration::from_mins(1));
    let obstacle = obstacle(&world);
    world.obstacles.note(World::call_id(1, 0), obstacle);
    world
}

#[track_caller]
fn asked_anew(world: &mut World, why: StaleReason) {
    let before = world.approval();
    let events = approve(world).unwrap();
    assert_eq!(kinds(&events), ["approval_stale", "approval_requested"]);
    let EventBody::ApprovalStale(stale) = events.first().unwrap() else { panic!("{events:?}") };
    assert_eq!((&stale.approval, stale.why), (&before, why));
    let EventBody::ApprovalRequested(asked) = events.get(1).unwrap() else { panic!("{events:?}") };
    assert_eq!(asked.replaces.as_ref(), Some(&before));
    assert!(asked.approval != before && world.approval() == asked.approval);
    assert!(world.intended().is_empty());
}

#[test]
fn an_approval_is_stale_once_another_session_acted_and_the_new_one_counts() {
    let mut world = gated(|world| Obstacle::Acted { key: shop(), by: rival(), at: world.now });
    let why = StaleReason::Acted { session: rival(), at: world.now };
    asked_anew(&mut world, why);
    world.obstacles.clear();
    approve(&mut world).unwrap();
    assert_eq!(world.intended(), ["act:gated"]);
    assert_eq!(world.claims.take[0].asked_at, Some(world.now), "asked when it was asked anew");
}

#[test]
fn an_approval_is_stale_while_another_session_acts() {
    let mut world = gated(|world| Obstacle::Taken { key: shop(), holder: rival(), since: world.now });
    let why = StaleReason::Acted { session: rival(), at: world.now };
    asked_anew(&mut world, why);
}

#[test]
fn an_approval_is_stale_once_the_alert_is_over() {
    let mut world = world();
    world.calls(&[("act__gated", json!({"n": 1}))]);
    world.now = world.now.plus(Duration::from_mins(1));
    let signal = |part: &str| Ask::Signal { source: "s".to_owned(), payload: json!({part: {"alerts": [{}]}}) };
    world.ask(&opener(), signal("resolved")).unwrap();
    let why = StaleReason::Resolved { at: world.now };
    asked_anew(&mut world, why);
    approve(&mut world).unwrap();
    assert_eq!(world.intended(), ["act:gated"]);
}

#[test]
fn an_alert_that_fires_again_makes_nothing_stale() {
    let mut world = world();
    world.calls(&[("act__gated", json!({"n": 1}))]);
    world.now = world.now.plus(Duration::from_mins(1));
    for part in ["resolved", "joined"] {
        let payload = json!({part: {"alerts": [{}]}});
        world.ask(&opener(), Ask::Signal { source: "s".to_owned(), payload }).unwrap();
    }
    approve(&mut world).unwrap();
    assert_eq!(world.intended(), ["act:gated"]);
}

#[test]
fn an_unused_approval_is_stale_too() {
    let mut world = world();
    world.calls(&[act(1), ("act__gated", json!({"n": 2}))]);
    approve(&mut world).unwrap();
    let call: CallId = World::call_id(1, 1);
    let at = world.now;
    world.obstacles.note(call, Obstacle::Acted { key: shop(), by: rival(), at });
    let events = world.returns(&World::call_id(1, 0), ok());
    assert!(
        kinds(&events).ends_with(&["approval_stale", "approval_requested"])
            || kinds(&events).contains(&"approval_stale")
    );
    assert_eq!(world.intended(), ["act:free"]);
    world.obstacles.clear();
    approve(&mut world).unwrap();
    assert_eq!(world.intended(), ["act:free", "act:gated"]);
}
