//! Ending in order: what was begun is finished and recorded, and carrying on is no takeover.

use std::sync::Arc;

use provost_domain::command::Ask;
use provost_tests::house::House;
use provost_tests::tools::Behaviour;
use serde_json::json;

#[tokio::test]
async fn a_drain_waits_for_the_call_under_way_and_leaves_nothing_in_doubt() {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.tools.safe.behave(Behaviour::Waits);
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__safe", json!({"n": 1}))]);
    house.tools.safe.arrived_times(1).await;
    let safe = Arc::clone(&house.tools.safe);
    let (house, ()) = tokio::join!(house.restart(), async { safe.behave(Behaviour::Works(json!({"level": 1}))) });
    house.model.asked_times(1).await;
    assert_eq!(house.tools.safe.arrived().len(), 1);
    assert_eq!(house.count(session, "tool_returned").await, 1);
    assert_eq!(house.count(session, "outcome_unknown").await, 0);
}

#[tokio::test]
async fn a_reply_during_a_drain_is_carried_out_and_no_further_question_asked() {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.model.finish("close", 0.9);
    house.model.asked_times(2).await;
    let model = house.model.clone();
    let (house, ()) = tokio::join!(house.restart(), async { model.calls(&[("act__safe", json!({"n": 1}))]) });
    house.model.asked_times(1).await;
    assert_eq!(model.asked().await.len(), 2);
    assert_eq!(house.tools.safe.arrived().len(), 1);
    assert_eq!(house.count(session, "outcome_unknown").await, 0);
}

/// Red without `takeovers = 0` in the stores' `park`, or when a drain keeps the session.
#[tokio::test]
async fn many_restarts_in_order_are_no_reason_to_give_a_session_up() {
    let mut house = House::open().await;
    let session = house.session("staging").await;
    for n in 0..8 {
        house.model.asked_times(1).await;
        house.model.calls(&[("read__gauge", json!({"n": n}))]);
        house = house.restart().await;
    }
    house.model.asked_times(1).await;
    assert_eq!(house.folded(session).await.status().as_str(), "in_progress");
    assert_eq!(house.reads().session(session).await.unwrap().takeovers, 0);
}

#[tokio::test]
async fn what_a_stop_could_not_prevent_is_still_recorded() {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.tools.safe.behave(Behaviour::Waits);
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__safe", json!({"n": 1}))]);
    house.tools.safe.arrived_times(1).await;
    house.ask(session, "operator", Ask::Stop { reason: "enough".to_owned() }).await.unwrap();
    assert_eq!(house.folded(session).await.unknown().len(), 1);
    assert_eq!(house.engine.registry().len(), 1, "held for as long as the call runs");
    let safe = Arc::clone(&house.tools.safe);
    let (house, ()) = tokio::join!(house.restart(), async { safe.behave(Behaviour::Works(json!({"level": 1}))) });
    let folded = house.folded(session).await;
    assert_eq!(folded.status().as_str(), "stopped");
    assert!(folded.unknown().is_empty(), "its result came");
    assert_eq!(house.count(session, "tool_returned").await, 1);
    assert!(house.reads().session(session).await.unwrap().owner.is_none());
}
