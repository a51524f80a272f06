//! Approvals: durable one-time capabilities.

use provost_domain::command::{Answer, Ask};
use provost_domain::ids::ApprovalId;
use provost_domain::refusal::Refusal;
use provost_engine::EngineError;
use provost_tests::house::House;
use serde_json::{Map, Value, json};

#[track_caller]
fn refused(result: Result<impl std::fmt::Debug, EngineError>, code: &str) {
    match result {
        Err(EngineError::Refused(refusal)) => assert_eq!(refusal.code(), code, "{refusal}"),
        other => panic!("expected refusal {code}, got {other:?}"),
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

/// A house whose session waits for the approval of one gated call.
async fn waiting() -> (House, provost_domain::ids::SessionId, ApprovalId) {
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
async fn a_rejected_call_appears_once_and_as_rejected() {
    let (house, session, approval) = waiting().await;
    house.answer(session, &approval, Answer::Reject { reason: "too risky".to_owned() }).await.unwrap();
    let asked = house.model.asked_times(3).await;
    let last = serde_json::to_string(&asked.last().unwrap().messages).unwrap();
    assert!(last.contains("too risky") && last.contains("rejected"), "{last}");
    assert_eq!(house.count(session, "tool_intended").await, 0);
    assert_eq!(house.tools.danger.arrived().len(), 0);
    assert_eq!(house.reads().approval(&approval).await.unwrap().state, "rejected");
}

#[tokio::test]
async fn a_wrong_id_a_wrong_session_and_a_stopped_session_run_nothing() {
    let (house, session, approval) = waiting().await;
    let other = house.session_as("staging", false).await;
    refused(house.answer(session, &ApprovalId::new("apr_made_up"), Answer::Approve).await, "approval_unknown");
    refused(house.answer(other, &approval, Answer::Approve).await, "approval_unknown");
    house.ask(session, "boss", Ask::Stop { reason: "enough".to_owned() }).await.unwrap();
    refused(house.answer(session, &approval, Answer::Approve).await, "approval_already_decided");
    let folded = house.folded(session).await;
    assert_eq!((folded.status().as_str(), folded.status_reason()), ("stopped", "enough"));
    assert_eq!(house.reads().approval(&approval).await.unwrap().state, "cancelled");
    assert_eq!(house.tools.danger.arrived().len(), 0);
}

#[tokio::test]
async fn the_requester_may_not_approve() {
    let (house, session, approval) = waiting().await;
    let ask = Ask::Answer { approval, answer: Answer::Approve };
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
async fn of_two_opposite_answers_at_once_exactly_one_wins() {
    for _ in 0..20 {
        let (house, session, approval) = waiting().await;
        let reject = Answer::Reject { reason: "no".to_owned() };
        let (yes, no) =
            tokio::join!(house.answer(session, &approval, Answer::Approve), house.answer(session, &approval, reject),);
        let lost: Vec<EngineError> = [yes, no].into_iter().filter_map(Result::err).collect();
        let expected =
            |lost: &[EngineError]| matches!(lost, [EngineError::Refused(Refusal::ApprovalAlreadyDecided { .. })]);
        assert!(expected(&lost), "{lost:?}");
        house.model.asked_times(3).await;
        assert_eq!(house.count(session, "approval_decided").await, 1);
    }
}

#[tokio::test]
async fn two_gated_calls_in_one_message_are_answered_in_either_order() {
    for order in [[0, 1], [1, 0]] {
        let house = House::open().await;
        let session = house.session("production").await;
        house.model.finish("close", 0.9);
        house.model.calls(&[("act__unsafe", json!({"n": 1})), ("act__safe", json!({"n": 2}))]);
        let rows = house.approvals(session, 2).await;
        for index in order {
            house.answer(session, &rows.get(index).unwrap().id, Answer::Approve).await.unwrap();
        }
        let asked = house.model.asked_times(3).await;
        assert!(provost_domain::request::is_valid_history(&asked.last().unwrap().messages));
        assert_eq!((house.tools.danger.arrived().len(), house.tools.safe.arrived().len()), (1, 1));
    }
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

#[tokio::test]
async fn an_unanswered_approval_expires_and_does_not_run() {
    let mut pack = provost_tests::pack::pack();
    pack.gates.approval.expires = std::time::Duration::from_millis(30);
    let house = House::with(pack).await;
    let session = house.session("staging").await;
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__unsafe", json!({"n": 1}))]);
    let asked = house.model.asked_times(3).await;
    let last = serde_json::to_string(&asked.last().unwrap().messages).unwrap();
    assert!(last.contains("expired"), "{last}");
    assert_eq!(house.count(session, "approval_expired").await, 1);
    assert_eq!(house.tools.danger.arrived().len(), 0);
}
