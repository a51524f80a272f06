//! Approvals: durable one-time capabilities. What the ancestor got wrong about them is in `ancestor`.

use std::sync::Arc;
use std::time::Duration;

use prometheus::Registry;
use provost_domain::command::{Answer, Ask};
use provost_domain::event::ApprovalState;
use provost_domain::ids::{ApprovalId, SessionId};
use provost_domain::port::{ApprovalFilter, Clock};
use provost_domain::time::Timestamp;
use provost_engine::{EngineError, Next, OldestApproval, Ticker as _};
use provost_tests::eventually::eventually;
use provost_tests::house::House;
use provost_tests::model::PATIENCE;
use serde_json::{Map, Value, json};

#[track_caller]
pub(crate) fn refused(result: Result<impl std::fmt::Debug, EngineError>, code: &str) {
    match result {
        Err(EngineError::Refused(refusal)) => assert_eq!(refusal.code(), code, "{refusal}"),
        other => panic!("expected refusal {code}, got {other:?}"),
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

/// A house whose session waits for the approval of one gated call.
pub(crate) async fn waiting() -> (House, SessionId, ApprovalId) {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__unsafe", json!({"service": "shop", "n": 1, "environment": "production"}))]);
    let rows = house.approvals(session, 1).await;
    let approval = rows.first().unwrap().id.clone();
    (house, session, approval)
}

#[tokio::test]
async fn an_approved_call_runs_once_with_the_sessions_own_environment() {
    let (house, session, approval) = waiting().await;
    assert_eq!(house.tools.danger.arrived().len(), 0);
    house.answer(session, &approval, Answer::Approve).await.unwrap();
    let arrived = house.tools.danger.arrived_times(1).await;
    assert_eq!(*arrived.first().unwrap().args, json!({"environment": "staging", "service": "shop", "n": 1}));
    house.model.asked_times(3).await;
    refused(house.answer(session, &approval, Answer::Approve).await, "approval_already_decided");
    assert_eq!(house.tools.danger.arrived().len(), 1);
}

#[tokio::test]
async fn another_session_cannot_answer_it() {
    let (house, session, approval) = waiting().await;
    let other = house.session_as("staging", false).await;
    refused(house.answer(other, &approval, Answer::Approve).await, "approval_unknown");
    assert_eq!(house.folded(session).await.status().as_str(), "awaiting_input");
    assert_eq!(house.tools.danger.arrived().len(), 0);
}

#[tokio::test]
async fn the_requester_may_not_approve() {
    let (house, session, approval) = waiting().await;
    let ask = Ask::Answer { approval, answer: Answer::Approve, reason: None };
    refused(house.ask(session, "opener", ask).await, "approver_is_requester");
    assert_eq!(house.tools.danger.arrived().len(), 0);
}

#[tokio::test]
async fn an_edit_replaces_the_models_arguments_and_cannot_touch_injected_ones() {
    let (house, session, approval) = waiting().await;
    let edit = |args| Answer::Edit { args: object(&args) };
    refused(house.answer(session, &approval, edit(json!({"environment": "production"}))).await, "not_editable");
    refused(house.answer(session, &approval, edit(json!({"n": "many"}))).await, "call_refused");
    refused(house.answer(session, &approval, edit(json!({"sudo": true}))).await, "call_refused");
    house.answer(session, &approval, edit(json!({"service": "other"}))).await.unwrap();
    let arrived = house.tools.danger.arrived_times(1).await;
    assert_eq!(*arrived.first().unwrap().args, json!({"environment": "staging", "service": "other"}));
    assert_eq!(house.reads().approval(&approval).await.unwrap().args["service"], "other");
}

#[tokio::test]
async fn a_response_stands_in_for_the_result() {
    let (house, session, approval) = waiting().await;
    house.answer(session, &approval, Answer::Respond { text: "I did it by hand".to_owned() }).await.unwrap();
    let asked = house.model.asked_times(3).await;
    let last = serde_json::to_string(&asked.last().unwrap().messages).unwrap();
    assert!(last.contains("I did it by hand"), "{last}");
    assert_eq!(house.tools.danger.arrived().len(), 0);
}

/// Every approval a session ever asked for, pending or not, once there are this many.
async fn asked_for(house: &House, session: SessionId, count: usize) -> Vec<ApprovalId> {
    let filter =
        ApprovalFilter { session: Some(session), pending_only: false, limit: 100, ..ApprovalFilter::default() };
    let all = || async {
        let rows = house.reads().approvals(&filter).await.unwrap();
        (rows.len() >= count).then(|| rows.into_iter().map(|row| row.id).collect())
    };
    eventually("the approvals", PATIENCE, all).await.unwrap()
}

/// A session asks for an approval that expires soon, perhaps already has.
async fn waiting_shortly() -> (House, SessionId, ApprovalId) {
    let mut pack = provost_tests::pack::pack();
    pack.gates.approval.expires = Duration::from_millis(200);
    let house = House::with(pack).await;
    let session = house.session("staging").await;
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__unsafe", json!({"service": "shop", "n": 1}))]);
    let approval = asked_for(&house, session, 1).await.remove(0);
    (house, session, approval)
}

/// Every answer there is.
fn answers() -> [Answer; 4] {
    [
        Answer::Approve,
        Answer::Reject { reason: "no".to_owned() },
        Answer::Edit { args: object(&json!({"n": 2})) },
        Answer::Respond { text: "by hand".to_owned() },
    ]
}

/// No answer is taken, nothing ran, and the approval keeps this state.
async fn no_answer_counts(house: &House, session: SessionId, approval: &ApprovalId, state: &str) {
    let head = house.reads().session(session).await.unwrap().head_seq;
    for answer in answers() {
        refused(house.answer(session, approval, answer).await, "approval_already_decided");
    }
    let row = house.reads().approval(approval).await.unwrap();
    assert_eq!((row.state.as_str(), house.tools.danger.arrived().len()), (state, 0), "{row:?}");
    assert_eq!(house.reads().session(session).await.unwrap().head_seq, head, "a refused answer left a trace");
}

#[tokio::test]
async fn a_session_closed_by_an_outcome_takes_no_answer() {
    let (house, session, approval) = waiting().await;
    let args = object(&json!({"team": "blue", "reason": "r", "confidence": 1, "rationale": "by phone"}));
    house.ask(session, "human", Ask::Claim { tool: "mark_escalated".into(), args }).await.unwrap();
    house.until(session, "escalated").await;
    no_answer_counts(&house, session, &approval, "cancelled").await;
    for answer in answers() {
        refused(house.answer(session, &ApprovalId::new("apr_made_up"), answer).await, "session_ended");
    }
    assert_eq!(house.folded(session).await.status().as_str(), "escalated");
    // Nor does the approval of one session let another, open one go on.
    let other = house.session("staging").await;
    refused(house.answer(other, &approval, Answer::Approve).await, "approval_unknown");
}

#[tokio::test]
async fn an_expired_approval_takes_no_answer() {
    let (house, session, approval) = waiting_shortly().await;
    house.model.asked_times(3).await;
    no_answer_counts(&house, session, &approval, "expired").await;
    let decided = house.reads().approval(&approval).await.unwrap();
    assert_eq!(decided.decided_by, None, "nobody decided it");
    // The model may ask again; that is another approval.
    house.model.calls(&[("act__unsafe", json!({"service": "shop", "n": 1}))]);
    let all = asked_for(&house, session, 2).await;
    assert_ne!(all.first(), all.last());
}

#[tokio::test]
async fn an_approval_expires_though_its_process_was_killed() {
    let (house, session, approval) = waiting_shortly().await;
    let house = house.crash().await;
    let asked = house.model.asked_times(1).await;
    assert!(serde_json::to_string(&asked.last().unwrap().messages).unwrap().contains("expired"));
    no_answer_counts(&house, session, &approval, "expired").await;
}

#[tokio::test]
async fn an_edit_out_of_roster_is_refused_and_the_approval_stays() {
    let (house, session, approval) = waiting().await;
    let edit = |args| Answer::Edit { args: object(&args) };
    for (args, code) in [
        (json!({"team": "nobody"}), "call_refused"),
        (json!({"team": ["red"]}), "call_refused"),
        (json!({"team": "red", "environment": "production"}), "not_editable"),
        (json!({"team": "red", "environment": "staging"}), "not_editable"),
        (json!({"team": "red", "environment": null}), "not_editable"),
    ] {
        refused(house.answer(session, &approval, edit(args)).await, code);
    }
    assert_eq!(house.reads().approval(&approval).await.unwrap().state, ApprovalState::Pending);
    assert_eq!((house.count(session, "approval_decided").await, house.tools.danger.arrived().len()), (0, 0));
    house.answer(session, &approval, edit(json!({"team": "red"}))).await.unwrap();
    let arrived = house.tools.danger.arrived_times(1).await;
    assert_eq!(*arrived.first().unwrap().args, json!({"environment": "staging", "team": "red"}));
    assert_eq!(house.reads().approval(&approval).await.unwrap().state, ApprovalState::Edited);
}

/// Killed after the request, and again after the answer: it is asked once, decided once and acted on at most once.
#[tokio::test]
async fn a_process_killed_between_request_and_answer_keeps_the_question() {
    let expected = [("approved", 1), ("rejected", 0), ("edited", 1), ("responded", 0)];
    for (answer, (state, ran)) in answers().into_iter().zip(expected) {
        let (house, session, approval) = waiting().await;
        let house = house.crash().await;
        let [row] = &house.approvals(session, 1).await[..] else { panic!("not one approval") };
        assert_eq!((&row.id, row.state.as_str()), (&approval, "pending"));
        house.answer(session, &approval, answer).await.unwrap();
        house.model.asked_times(1).await;
        let house = house.crash().await;
        house.model.asked_times(1).await;
        refused(house.answer(session, &approval, Answer::Approve).await, "approval_already_decided");
        assert_eq!(house.reads().approval(&approval).await.unwrap().state.as_str(), state);
        let counts = (house.count(session, "approval_requested").await, house.count(session, "approval_decided").await);
        assert_eq!((counts, house.tools.danger.arrived().len()), ((1, 1), ran), "{state}");
        assert_eq!(house.problems(session).await, Vec::<String>::new());
    }
}

/// A clock that stands.
#[derive(Debug)]
struct Stands(Timestamp);

impl Clock for Stands {
    fn now(&self) -> Timestamp {
        self.0
    }
}

#[tokio::test]
async fn the_age_of_the_oldest_approval_is_a_figure() {
    let (house, session, approval) = waiting().await;
    let asked = house.reads().approval(&approval).await.unwrap().requested_at;
    let (clock, figures) = (Arc::new(Stands(asked.plus(Duration::from_secs(90)))), Registry::new());
    let mut ticker = OldestApproval::new(house.reads(), clock, &figures).unwrap();
    let age = || figures.gather()[0].get_metric()[0].get_gauge().get_value();
    assert!(age().is_nan(), "nobody has looked yet");
    assert_eq!(ticker.tick().await.unwrap(), Next::Period);
    assert!((age() - 90.0).abs() < f64::EPSILON, "{}", age());
    house.answer(session, &approval, Answer::Reject { reason: "no".to_owned() }).await.unwrap();
    assert_eq!(ticker.tick().await.unwrap(), Next::Period);
    assert!(age().abs() < f64::EPSILON, "{}", age());
}
