//! After a crash a session continues where it stood.

use std::sync::Arc;
use std::time::Duration;

use provost_agents::StandardRoles;
use provost_domain::command::{Ask, Report};
use provost_domain::decide;
use provost_domain::event::Settlement;
use provost_domain::failure::FailureKind;
use provost_domain::ids::{Digest, Fence, Owner, SessionId};
use provost_domain::pack::{AgentSpec, Pack};
use provost_domain::port::Roles;
use provost_domain::port::SessionStore as _;
use provost_domain::role::RoleSpec;
use provost_domain::session::Session;
use provost_domain::tool::{Happened, ProbeAnswer, ToolFailure, ToolOutcome};
use provost_store::MemoryStore;
use provost_tests::crash::points::{Death, Fault, Points, Strike};
use provost_tests::crash::ports::Pointed;
use provost_tests::facts::DecisionDesk;
use provost_tests::house::House;
use provost_tests::tools::Behaviour;
use serde_json::json;

#[tokio::test]
async fn a_finished_reply_is_never_asked_for_again() {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.model.finish("close", 0.9);
    house.model.asked_times(2).await;
    let house = house.crash().await;
    let asked = house.model.asked_times(1).await;
    assert_eq!(asked.first().unwrap().agent.as_str(), "closer");
    assert_eq!(house.count(session, "model_replied").await, 1);
}

/// Red if what one append holds were decided at several times: it is read back with one.
#[tokio::test]
async fn a_snapshot_is_what_the_log_says() {
    let store = Arc::new(MemoryStore::new());
    let house = House::on(Arc::clone(&store) as _, provost_tests::pack::shared()).await;
    house.tools.gauge.behave(Behaviour::Works(json!(1)));
    let session = house.session("staging").await;
    // A snapshot is due when a turn ends after so many events.
    let calls: Vec<_> = (0..24).map(|n| ("read__gauge", json!({"n": n}))).collect();
    house.model.calls(&calls);
    house.model.finish("close", 0.9);
    house.model.asked_times(3).await;
    let taken = store.take_over(session, &Owner::new("reader")).await.unwrap();
    let snapshot = taken.snapshot.unwrap();
    let mut log = house.log(session).await;
    log.retain(|event| event.seq <= snapshot.seq);
    assert_eq!(Session::from_snapshot(&snapshot.header).unwrap(), Session::fold(&log).unwrap().unwrap());
}

/// Crashes while a call hangs, then lets it work.
async fn crash_during(tool: &str) -> (House, SessionId) {
    let house = House::open().await;
    let session = house.session("staging").await;
    crash_in(house, session, tool).await
}

async fn crash_in(house: House, session: SessionId, tool: &str) -> (House, SessionId) {
    let backend = match tool {
        "act__safe" => Arc::clone(&house.tools.safe),
        "act__idempotent" => Arc::clone(&house.tools.idempotent),
        "act__probe" => Arc::clone(&house.tools.probed),
        _ => Arc::clone(&house.tools.gauge),
    };
    backend.behave(Behaviour::Hangs);
    house.model.finish("close", 0.9);
    house.model.calls(&[(tool, json!({"n": 1}))]);
    backend.arrived_times(1).await;
    backend.behave(Behaviour::Works(json!({"level": 1})));
    (house.crash().await, session)
}

#[tokio::test]
async fn a_read_in_doubt_runs_again() {
    let (house, session) = crash_during("read__gauge").await;
    house.model.asked_times(1).await;
    assert_eq!(house.tools.gauge.arrived().len(), 2);
    assert_eq!(house.count(session, "call_reissued").await, 1);
}

#[tokio::test]
async fn an_idempotent_call_in_doubt_runs_again_under_the_same_key() {
    let (house, _) = crash_during("act__idempotent").await;
    house.model.asked_times(1).await;
    let keys: Vec<String> = house.tools.idempotent.arrived().into_iter().map(|call| call.key).collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys.first(), keys.last());
}

/// The rule alone: what comes of a call's last attempt after a person stopped the session.
#[tokio::test]
async fn a_sure_failure_after_a_stop_settles_only_what_was_made_once() {
    for (crash, left) in [(false, 0), (true, 1)] {
        let mut house = House::open().await;
        let session = house.session("staging").await;
        house.tools.idempotent.behave(Behaviour::Hangs);
        house.model.finish("close", 0.9);
        house.model.calls(&[("act__idempotent", json!({"n": 1}))]);
        house.tools.idempotent.arrived_times(1).await;
        if crash {
            house = house.crash().await;
            house.tools.idempotent.arrived_times(2).await;
        }
        house.ask(session, "boss", Ask::Stop { reason: "enough".to_owned() }).await.unwrap();
        let stopped = house.until(session, "stopped").await;
        let (call, _) = stopped.unknown().first_key_value().unwrap();
        let desk = DecisionDesk::new(provost_tests::pack::pack(), house.engine.catalog());
        let facts = desk.facts(stopped.updated_at(), Fence(9));
        let failure = ToolFailure {
            kind: FailureKind::Transient,
            happened: Happened::No,
            detail: "refused".to_owned(),
            exit: None,
            signal: None,
            timeout_ms: None,
        };
        let report = Report::Returned { call: call.clone(), outcome: ToolOutcome::Failed { failure } };
        let after = decide::report(stopped.clone(), report, &facts).after;
        assert_eq!(after.unknown().len(), left, "after a crash: {crash}");
    }
}

#[tokio::test]
async fn a_call_that_may_have_happened_before_a_crash_is_never_recorded_as_one_that_did_not() {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.tools.idempotent.behave(Behaviour::Hangs);
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__idempotent", json!({"n": 1}))]);
    house.tools.idempotent.arrived_times(1).await;
    house.tools.idempotent.behave(Behaviour::Refuses);
    let house = house.crash().await;
    let asked = house.model.asked_times(1).await;
    let shown = serde_json::to_string(&asked.first().unwrap().messages).unwrap();
    assert!(shown.contains(r#""happened":"maybe""#), "{shown}");
    assert_eq!(house.tools.idempotent.arrived().len(), 2);
    assert_eq!(house.problems(session).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_call_that_its_tool_says_happened_is_recorded_and_never_made_again() {
    let (house, session) = crash_during_probed(None).await;
    house.tools.probed.asked_times(1).await;
    // A process that dies while it asks has changed nothing: the next one asks again.
    let house = house.crash().await;
    house.tools.probed.asked_times(2).await;
    house.tools.probed.say(Some(ProbeAnswer::Happened { outcome: ToolOutcome::Ok { content: json!("released") } }));
    let asked = house.model.asked_times(1).await;
    assert!(serde_json::to_string(&asked.first().unwrap().messages).unwrap().contains("released"));
    assert_eq!(house.tools.probed.arrived().len(), 1);
    let (made, about) = (house.tools.probed.arrived().remove(0), house.tools.probed.asked());
    assert!(about.iter().all(|call| (&call.key, &call.args) == (&made.key, &made.args)), "{about:?}");
    assert_eq!(house.count(session, "probe_requested").await, 1);
    assert_eq!(house.count(session, "call_probed").await, 1);
    assert_eq!(house.problems(session).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_call_that_surely_did_not_happen_is_made_again_under_the_same_key() {
    let (house, session) = crash_during_probed(Some(ProbeAnswer::DidNotHappen)).await;
    house.model.asked_times(1).await;
    let keys: Vec<String> = house.tools.probed.arrived().into_iter().map(|call| call.key).collect();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys.first(), keys.last());
    assert_eq!(house.count(session, "call_reissued").await, 1);
    assert_eq!(house.problems(session).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_call_of_which_its_tool_cannot_tell_waits_for_a_person() {
    let lost = ToolOutcome::Failed {
        failure: ToolFailure {
            kind: FailureKind::Transient,
            happened: Happened::Maybe,
            detail: "broke off".to_owned(),
            exit: None,
            signal: None,
            timeout_ms: None,
        },
    };
    for answer in [ProbeAnswer::CannotTell { detail: "broke off".to_owned() }, ProbeAnswer::Happened { outcome: lost }]
    {
        let (house, session) = crash_during_probed(Some(answer)).await;
        let folded = house.until(session, "awaiting_input").await;
        assert_eq!(folded.unknown().values().collect::<Vec<_>>(), ["broke off"]);
        assert_eq!(house.tools.probed.arrived().len(), 1);
    }
}

/// Virtual time: the tool never answers.
#[tokio::test(start_paused = true)]
async fn a_tool_that_does_not_answer_cannot_tell() {
    let (house, session) = crash_during_probed(None).await;
    let folded = house.until(session, "awaiting_input").await;
    assert!(folded.unknown().values().all(|cause| cause.contains("no answer within")), "{:?}", folded.unknown());
    assert_eq!((house.tools.probed.arrived().len(), house.tools.probed.asked().len()), (1, 1));
}

#[tokio::test]
async fn a_call_whose_answer_is_lost_every_time_is_not_made_for_ever() {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.tools.probed.behave(Behaviour::LosesTheAnswer);
    house.tools.probed.say(Some(ProbeAnswer::DidNotHappen));
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__probe", json!({"n": 1}))]);
    let folded = house.until(session, "awaiting_input").await;
    assert_eq!(folded.unknown().len(), 1);
    assert_eq!((house.tools.probed.arrived().len(), house.tools.probed.asked().len()), (4, 3));
}

async fn crash_during_probed(says: Option<ProbeAnswer>) -> (House, SessionId) {
    let house = House::open().await;
    house.tools.probed.say(says);
    let session = house.session("staging").await;
    crash_in(house, session, "act__probe").await
}

#[tokio::test]
async fn an_unsafe_call_in_doubt_waits_for_a_person_and_never_runs_again() {
    let (house, session) = crash_during("act__safe").await;
    let folded = house.until(session, "awaiting_input").await;
    assert_eq!(folded.status_reason(), "outcome_unknown");
    let call = folded.unknown().keys().next().unwrap().clone();
    let settlement = Settlement::Happened { note: "seen in the console".to_owned() };
    house.ask(session, "operator", Ask::Settle { call: call.clone(), settlement: settlement.clone() }).await.unwrap();
    let asked = house.model.asked_times(1).await;
    assert!(serde_json::to_string(&asked.first().unwrap().messages).unwrap().contains("seen in the console"));
    assert_eq!(house.tools.safe.arrived().len(), 1);
    let again = house.ask(session, "operator", Ask::Settle { call, settlement }).await;
    assert!(again.is_err());
}

#[tokio::test]
async fn a_lost_answer_of_an_unsafe_call_is_unknown_too() {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.tools.safe.behave(Behaviour::LosesTheAnswer);
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__safe", json!({"n": 1}))]);
    let folded = house.until(session, "awaiting_input").await;
    assert_eq!(folded.unknown().len(), 1);
    assert_eq!(house.tools.safe.arrived().len(), 1);
}

#[tokio::test]
async fn a_session_that_its_takeovers_bring_no_further_is_given_up() {
    let mut house = House::open().await;
    let session = house.session("staging").await;
    for _ in 0..5 {
        house.model.asked_times(1).await;
        house = house.crash().await;
    }
    house.model.asked_times(1).await;
    house = house.crash().await;
    let folded = house.until(session, "error").await;
    assert_eq!(folded.status_reason(), "taken over 6 times without getting any further");
    assert_eq!(house.model.asked().await.len(), 0);
    // A person's retry counts anew.
    house.ask(session, "operator", Ask::Retry { force: true }).await.unwrap();
    house.model.asked_times(1).await;
}

/// Asking is no progress either.
#[tokio::test]
async fn a_session_that_only_asks_its_tools_is_given_up() {
    let (mut house, session) = crash_during_probed(None).await;
    for asked in 1..=5 {
        house.tools.probed.asked_times(asked).await;
        house = house.crash().await;
    }
    let folded = house.until(session, "error").await;
    assert_eq!(folded.status_reason(), "taken over 6 times without getting any further");
    assert_eq!(folded.unknown().len(), 1);
}

/// Red if damaged sessions counted against a sweep's bound: each sweep would find the same ones.
#[tokio::test]
async fn damaged_sessions_do_not_stand_before_others() {
    const DAMAGED: usize = 70;
    let store = Arc::new(MemoryStore::new());
    let house = House::on(Arc::clone(&store) as _, provost_tests::pack::shared()).await;
    for _ in 0..=DAMAGED {
        house.session("staging").await;
    }
    house.engine.shutdown(Duration::ZERO).await;
    let damaged = |nth| Strike { at: format!("store.take_over#{nth}"), fault: Fault::Damaged, death: Death::Never };
    let points = Arc::new(Points::new(vec![(1..=DAMAGED).map(damaged).collect()]));
    points.begin();
    let house = House::on(Arc::new(Pointed::new(store, &points)) as _, provost_tests::pack::shared()).await;
    assert_eq!(house.model.asked_times(1).await.len(), 1);
}

#[tokio::test]
async fn progress_counts_the_takeovers_anew() {
    let mut house = House::open().await;
    let session = house.session("staging").await;
    for n in 0..8 {
        house.model.asked_times(1).await;
        house.model.calls(&[("read__gauge", json!({"n": n}))]);
        house.model.asked_times(2).await;
        house = house.crash().await;
    }
    house.model.asked_times(1).await;
    assert_eq!(house.folded(session).await.status().as_str(), "in_progress");
}

/// Roles whose code fails for one agent.
#[derive(Debug)]
struct Broken;

impl Roles for Broken {
    fn specs(&self) -> Vec<RoleSpec> {
        StandardRoles.specs()
    }

    fn digest(&self) -> Digest {
        Digest::of(b"broken")
    }

    fn brief(&self, _: &Session, agent: &AgentSpec, _: &Pack) -> String {
        assert_ne!(agent.name.as_str(), "closer", "a fault in the code");
        "go on".to_owned()
    }
}

#[tokio::test]
async fn a_session_whose_supervisor_keeps_failing_ends_as_error_with_the_cause() {
    let house = House::with_roles(provost_tests::pack::pack(), Arc::new(Broken)).await;
    let session = house.session("staging").await;
    for _ in 0..6 {
        house.model.finish("close", 0.9);
    }
    let folded = house.until(session, "error").await;
    let reason = folded.status_reason();
    assert!(reason.contains("failed 6 times") && reason.contains("a fault in the code"), "{reason}");
    assert!(house.engine.registry().is_empty());
}

/// Sweeps of the test house are 20 ms apart and find 64 sessions each; one that is full is followed at once.
#[tokio::test(start_paused = true)]
async fn many_interrupted_sessions_go_on_before_the_next_sweep_is_due() {
    const SESSIONS: usize = 193;
    let house = House::open().await;
    let gauge = Arc::clone(&house.tools.gauge);
    gauge.behave(Behaviour::Hangs);
    for opened in 1..=SESSIONS {
        house.session("staging").await;
        house.model.finish("close", 0.9);
        house.model.calls(&[("read__gauge", json!({"n": 1}))]);
        gauge.arrived_times(opened).await;
    }
    let _house = house.crash().await;
    let began = tokio::time::Instant::now();
    gauge.arrived_times(2 * SESSIONS).await;
    assert!(began.elapsed() < Duration::from_millis(20), "{:?}", began.elapsed());
}
