//! A server that is away for a while is waited for, and what that costs nobody.

use std::sync::Arc;
use std::time::Duration;

use provost_domain::command::{Answer, Ask, Report};
use provost_domain::event::EventBody;
use provost_domain::failure::{AgentFailure, FailureKind, ModelFailure};
use provost_domain::ids::{AssignmentId, Fence, ToolName};
use provost_domain::outage::OutageBudgets;
use provost_domain::refusal::Refusal;
use provost_domain::session::{Owed, owed};
use provost_domain::tool::{EffectClass, Happened, ToolFailure, ToolOutcome, ToolSpec};
use serde_json::json;

use crate::world::{World, ok, opener, other, tool};

const MINUTE: Duration = Duration::from_mins(1);
const BUDGET: Duration = Duration::from_mins(20);

fn down() -> ModelFailure {
    ModelFailure::Unavailable { detail: "down".to_owned() }
}

/// A session whose calls wait.
fn waiting_world() -> World {
    let mut world = World::started(|pack, catalog| {
        let acts = [EffectClass::Read, EffectClass::Idempotent, EffectClass::Probe, EffectClass::Unsafe];
        for (name, effect) in ["go:read", "go:idempotent", "go:probe", "go:unsafe"].into_iter().zip(acts) {
            catalog.insert(ToolName::new(name), Arc::new(ToolSpec { effect, ..tool(name) }));
            pack.agents.values_mut().next().unwrap().tools.push(ToolName::new(name));
        }
        pack.retry.transient = true;
        pack.limits.turn_wall = Duration::from_mins(5);
    });
    world.outages = OutageBudgets::default();
    world
}

impl World {
    fn kinds(&self) -> Vec<&'static str> {
        self.log.iter().map(EventBody::kind).collect()
    }

    fn passes(&mut self, span: Duration) {
        self.now = self.now.plus(span);
    }

    /// The model fails so.
    fn fails(&mut self, failure: ModelFailure) -> Vec<EventBody> {
        let work = self.session.works().values().next().unwrap();
        let (assignment, round) = (work.assignment, work.turn().unwrap().round);
        self.report(Report::Replied { assignment, round, result: Err(failure) })
    }

    /// It goes on failing until nothing waits any more.
    fn stays_down(&mut self) {
        for _ in 0..100 {
            let Some((_, deferral)) = self.session.deferrals().next() else { return };
            self.now = deferral.next_at;
            self.fails(down());
        }
        panic!("it waits for ever");
    }
}

#[test]
fn a_model_that_is_away_is_waited_for() {
    let mut world = waiting_world();
    let began = world.now;
    world.fails(down());
    let (_, first) = world.session.deferrals().next().unwrap();
    assert_eq!((first.attempt, first.waiting_since, first.budget_ends_at), (1, began, began.plus(BUDGET)));
    let (due, since) = (first.next_at, world.now);
    let timer = world.session.next_timer(Fence(1), since, world.now);
    assert_eq!(timer, Some(due), "nothing would ask it again");
    assert_eq!(world.session.asks_at(AssignmentId(1), Fence(1), since), Some(due));
    world.now = due;
    world.fails(down());
    let (_, second) = world.session.deferrals().next().unwrap();
    assert_eq!((second.attempt, second.waiting_since, second.budget_ends_at), (2, began, began.plus(BUDGET)));
    world.calls(&[("look__once", json!({}))]);
    assert_eq!(world.session.deferrals().count(), 0);
    assert_eq!(world.session.status().as_str(), "in_progress");
    assert!(!world.kinds().contains(&"retry_started"), "the wait used up a retry");
}

/// Red if the stand-in had to wait as long as the first model asked for, or if the model that failed were asked next.
#[test]
fn another_model_is_asked_after_a_short_pause() {
    let mut world = waiting_world();
    world.models.0 = vec!["other".to_owned()];
    let began = world.now;
    let asked = |events: &[EventBody]| {
        let model = |event: &EventBody| match event {
            EventBody::ModelRequested(asked) => asked.model.clone(),
            _ => None,
        };
        events.iter().filter_map(model).collect::<Vec<_>>()
    };
    let slow = ModelFailure::RateLimited { retry_after_ms: Some(600_000) };
    let events = world.fails(slow.clone());
    assert_eq!(asked(&events), ["other"]);
    let (_, deferral) = world.session.deferrals().next().unwrap();
    assert!(deferral.next_at.since(began) <= Duration::from_secs(1));
    // Another process asks the same one.
    (world.fence, world.since, world.now) = (Fence(2), Some(deferral.next_at), deferral.next_at);
    let events = world.report(Report::TakenOver);
    assert_eq!(asked(&events), [""; 0]);
    assert_eq!(asked(&world.fails(down())), ["stub"]);
    // Alone it waits as it is asked to.
    world.models.0.clear();
    let events = world.fails(slow);
    assert_eq!(asked(&events), [""; 0]);
    let (_, deferral) = world.session.deferrals().next().unwrap();
    assert!(deferral.next_at.since(world.now) >= Duration::from_mins(10));
}

#[test]
fn a_fault_of_the_configuration_asks_no_other_model() {
    let mut world = waiting_world();
    world.models.0 = vec!["other".to_owned()];
    let events = world.fails(ModelFailure::LlmConfig { detail: "the key is wrong".to_owned() });
    assert!(!events.iter().any(|event| event.kind() == "model_requested"), "{events:?}");
}

/// Red if another owner counted anew: a server that kills processes would be waited for without end.
#[test]
fn another_process_goes_on_from_where_the_wait_stood() {
    let mut world = waiting_world();
    let began = world.now;
    world.fails(down());
    world.passes(MINUTE);
    (world.fence, world.since) = (Fence(2), Some(world.now));
    world.report(Report::TakenOver);
    assert!(!world.kinds().contains(&"model_failed"));
    world.fails(down());
    let (_, deferral) = world.session.deferrals().next().unwrap();
    assert_eq!((deferral.attempt, deferral.waiting_since), (2, began));
    assert_eq!(deferral.budget_ends_at, began.plus(BUDGET));
}

#[test]
fn a_spent_budget_needs_review_and_goes_on_by_retry_whatever_the_policy_counts() {
    let mut world = waiting_world();
    world.pack.retry.transient = false;
    world.pack.retry.max = 0;
    let began = world.now;
    world.fails(down());
    world.stays_down();
    assert_eq!(world.now, began.plus(BUDGET));
    assert_eq!((world.session.status().as_str(), world.session.status_reason()), ("needs_review", "outage"));
    assert!(matches!(world.session.last_failure(), Some(AgentFailure::Outage { attempts: 20.., .. })));
    world.ask(&opener(), Ask::Retry { force: false }).unwrap();
    assert_eq!(world.session.status().as_str(), "in_progress");
}

#[test]
fn the_packs_retry_decides_after_a_spent_budget() {
    let mut world = waiting_world();
    world.fails(down());
    world.stays_down();
    assert_eq!(world.session.retries(), 1);
    assert_eq!(world.session.status().as_str(), "in_progress");
}

#[test]
fn a_server_that_asks_for_more_than_the_budget_is_not_waited_for() {
    let mut world = waiting_world();
    world.pack.retry.transient = false;
    let asked = |minutes: u64| ModelFailure::RateLimited { retry_after_ms: Some(minutes * 60_000) };
    world.fails(asked(15));
    let (_, deferral) = world.session.deferrals().next().unwrap();
    assert!(deferral.next_at >= world.now.plus(15 * MINUTE), "it asks before its time");
    world.now = deferral.next_at;
    world.fails(asked(15));
    assert_eq!((world.session.status().as_str(), world.session.status_reason()), ("needs_review", "outage"));
    let failure = world.session.last_failure().unwrap().to_string();
    assert!(failure.contains("900000 ms"), "{failure}");
}

#[test]
fn what_will_not_pass_is_never_waited_for() {
    let config = ModelFailure::LlmConfig { detail: "the account is exhausted".to_owned() };
    for failure in [config, ModelFailure::Refused { detail: "too long".to_owned() }] {
        let mut world = waiting_world();
        world.fails(failure);
        assert_eq!(world.session.status().as_str(), "error");
        assert!(!world.kinds().contains(&"model_deferred"));
    }
}

#[test]
fn the_wait_counts_neither_as_silence_nor_for_the_wall_limit() {
    let mut world = waiting_world();
    world.since = Some(world.now);
    world.passes(MINUTE);
    world.fails(ModelFailure::RateLimited { retry_after_ms: Some(900_000) });
    world.passes(14 * MINUTE);
    world.report(Report::Tick);
    assert!(!world.kinds().contains(&"assignment_redispatched"), "who pauses is not silent");
    world.passes(2 * MINUTE);
    world.calls(&[("look__once", json!({}))]);
    world.passes(MINUTE);
    let call = World::call_id(1, 0);
    world.returns(&call, ok());
    assert!(!world.kinds().contains(&"limit_reached"), "17 minutes, of which 2 count, and 5 may pass");
    world.passes(5 * MINUTE);
    world.calls(&[("look__once", json!({}))]);
    world.returns(&World::call_id(2, 0), ok());
    assert!(world.kinds().contains(&"limit_reached"));
}

fn failed(happened: Happened, kind: FailureKind) -> ToolOutcome {
    let detail = "connection refused".to_owned();
    ToolOutcome::Failed { failure: ToolFailure { kind, happened, detail, exit: None, signal: None, timeout_ms: None } }
}

/// What follows when a tool of this name fails so.
#[track_caller]
fn tool_fails(name: &str, happened: Happened, expect: &str) -> World {
    let mut world = waiting_world();
    world.calls(&[(name, json!({}))]);
    let call = World::call_id(1, 0);
    let events = world.returns(&call, failed(happened, FailureKind::Transient));
    assert_eq!(events.first().unwrap().kind(), expect, "{name}, {happened:?}");
    world
}

#[test]
fn a_call_is_repeated_only_where_its_class_allows_it_or_it_surely_did_not_happen() {
    for name in ["go__read", "go__idempotent", "go__probe", "go__unsafe"] {
        tool_fails(name, Happened::No, "tool_deferred");
    }
    tool_fails("go__read", Happened::Maybe, "tool_deferred");
    tool_fails("go__idempotent", Happened::Maybe, "tool_deferred");
    tool_fails("go__probe", Happened::Maybe, "probe_requested");
    tool_fails("go__unsafe", Happened::Maybe, "outcome_unknown");
    for name in ["go__probe", "go__unsafe"] {
        tool_fails(name, Happened::Answered, "tool_returned");
    }
    let mut world = waiting_world();
    world.calls(&[("go__read", json!({}))]);
    let events = world.returns(&World::call_id(1, 0), failed(Happened::No, FailureKind::Permanent));
    assert_eq!(events.first().unwrap().kind(), "tool_returned");
}

/// Red if a crash put a call in doubt that was not under way, or did not put one in doubt that was.
#[test]
fn a_call_that_pauses_is_not_in_doubt_after_a_crash_and_one_that_was_made_again_is() {
    let mut world = tool_fails("go__unsafe", Happened::No, "tool_deferred");
    let call = World::call_id(1, 0);
    (world.fence, world.since) = (Fence(2), Some(world.now));
    world.report(Report::TakenOver);
    assert!(matches!(owed(&world.session, world.fence)[..], [Owed::Paused(_)]));
    world.passes(MINUTE);
    let events = world.report(Report::Tick);
    assert_eq!(events.iter().map(EventBody::kind).collect::<Vec<_>>(), ["call_reissued"]);
    assert!(matches!(owed(&world.session, world.fence)[..], [Owed::Run(_)]));
    assert!(!world.session.may_have_happened_before(&call));
    (world.fence, world.since) = (Fence(3), Some(world.now));
    world.report(Report::TakenOver);
    assert!(world.session.unknown().contains_key(&call));
}

#[test]
fn a_call_whose_answer_was_lost_once_stays_in_doubt_however_it_fails_later() {
    let mut world = tool_fails("go__idempotent", Happened::Maybe, "tool_deferred");
    world.passes(MINUTE);
    world.report(Report::Tick);
    assert!(world.session.may_have_happened_before(&World::call_id(1, 0)));
}

#[test]
fn a_tool_that_stays_away_has_failed_and_the_model_is_told() {
    let mut world = tool_fails("go__read", Happened::No, "tool_deferred");
    let began = world.now;
    let next = |world: &World| world.session.deferrals().next().map(|(_, deferral)| deferral.next_at);
    while let Some(next_at) = next(&world) {
        world.now = next_at;
        world.report(Report::Tick);
        world.returns(&World::call_id(1, 0), failed(Happened::No, FailureKind::Transient));
    }
    assert_eq!(world.now, began.plus(BUDGET));
    let Some(EventBody::ToolReturned(returned)) = world.log.iter().rev().find(|event| event.kind() == "tool_returned")
    else {
        panic!("it never failed")
    };
    let told = serde_json::to_string(&returned.outcome).unwrap();
    assert!(told.contains("waited 1200 s for it"), "{told}");
    assert_eq!(world.session.status().as_str(), "in_progress");
}

/// Red if what surely did not happen were in doubt, or kept its target.
#[test]
fn a_stop_settles_a_call_that_pauses() {
    let mut world = tool_fails("go__unsafe", Happened::No, "tool_deferred");
    world.ask(&opener(), Ask::Stop { reason: "enough".to_owned() }).unwrap();
    assert!(world.session.unknown().is_empty() && world.kinds().contains(&"tool_returned"));
    let mut world = tool_fails("go__idempotent", Happened::Maybe, "tool_deferred");
    world.ask(&opener(), Ask::Stop { reason: "enough".to_owned() }).unwrap();
    assert_eq!(world.session.unknown().len(), 1);
}

/// An approval that waits beside a read whose tool is away for 40 minutes.
fn approval_in_an_outage() -> World {
    let mut world = waiting_world();
    world.outages.standard = Duration::from_hours(2);
    world.calls(&[("act__gated", json!({})), ("go__read", json!({}))]);
    world.passes(20 * MINUTE);
    world.returns(&World::call_id(1, 1), failed(Happened::No, FailureKind::Transient));
    world.passes(40 * MINUTE);
    world.report(Report::Tick);
    world
}

#[test]
fn an_approval_that_waits_meanwhile_expires_that_much_later() {
    let mut world = approval_in_an_outage();
    assert!(!world.kinds().contains(&"approval_expired"), "it expired in the outage");
    world.returns(&World::call_id(1, 1), ok());
    let (_, pending) = world.session.approvals().first_key_value().unwrap();
    assert_eq!(pending.asked.expires_at, world.now.plus(10 * MINUTE), "30 minutes, of which 20 had passed");
    world.passes(9 * MINUTE);
    world.report(Report::Tick);
    assert!(!world.kinds().contains(&"approval_expired"));
    world.passes(MINUTE);
    world.report(Report::Tick);
    assert!(world.kinds().contains(&"approval_expired"));
}

#[test]
fn an_approval_is_answered_in_an_outage_however_long_it_lasts() {
    let mut world = approval_in_an_outage();
    let answer = Ask::Answer { approval: world.approval(), answer: Answer::Approve, reason: None };
    world.ask(&other(), answer.clone()).unwrap();
    assert!(world.intended().contains(&"act:gated".to_owned()));
    let mut world = approval_in_an_outage();
    world.returns(&World::call_id(1, 1), ok());
    world.passes(11 * MINUTE);
    assert!(matches!(world.ask(&other(), answer), Err(Refusal::ApprovalAlreadyDecided { .. })));
}
