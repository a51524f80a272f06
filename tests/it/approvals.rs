//! Approvals: durable one-time capabilities. What the ancestor got wrong about them is in `ancestor`.

use provost_domain::command::{Answer, Ask};
use provost_domain::ids::ApprovalId;
use provost_engine::EngineError;
use provost_tests::house::House;
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
pub(crate) async fn waiting() -> (House, provost_domain::ids::SessionId, ApprovalId) {
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
async fn a_response_stands_in_for_the_result() {
    let (house, session, approval) = waiting().await;
    house.answer(session, &approval, Answer::Respond { text: "I did it by hand".to_owned() }).await.unwrap();
    let asked = house.model.asked_times(3).await;
    let last = serde_json::to_string(&asked.last().unwrap().messages).unwrap();
    assert!(last.contains("I did it by hand"), "{last}");
    assert_eq!(house.tools.danger.arrived().len(), 0);
}
