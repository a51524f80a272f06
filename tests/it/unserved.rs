//! A session whose pack is not loaded as it was pinned: nothing is decided by another pack's rules, and nothing is stuck.

use provost_domain::command::{Answer, Ask};
use provost_domain::event::Settlement;
use provost_domain::ids::Digest;
use provost_domain::pack::Pack;
use provost_domain::refusal::Refusal;
use provost_engine::EngineError;
use provost_tests::house::House;
use provost_tests::tools::Behaviour;
use serde_json::json;

/// The test pack in another version.
fn changed() -> Pack {
    Pack { digest: Digest::of(b"another version"), ..provost_tests::pack::pack() }
}

/// The test pack under another name: the pinned one is gone.
fn renamed() -> Pack {
    Pack { name: "other".into(), ..provost_tests::pack::pack() }
}

#[tokio::test]
async fn work_it_owes_ends_as_error_and_a_call_in_doubt_never_runs_again() {
    for pack in [changed(), renamed()] {
        let house = House::open().await;
        let session = house.session("staging").await;
        house.tools.safe.behave(Behaviour::Hangs);
        house.model.finish("close", 0.9);
        house.model.calls(&[("act__safe", json!({"n": 1}))]);
        house.tools.safe.arrived_times(1).await;
        let house = house.crash_into(pack).await;
        let folded = house.until(session, "error").await;
        assert!(folded.status_reason().contains("load the pinned version"), "{}", folded.status_reason());
        assert_eq!(folded.unknown().len(), 1);
        assert_eq!(house.tools.safe.arrived().len(), 1);
        assert!(house.model.asked().await.is_empty());
        let again = house.ask(session, "operator", Ask::Retry { force: true }).await;
        assert!(matches!(again, Err(EngineError::Refused(Refusal::PackChanged { .. }))), "{again:?}");
    }
}

#[tokio::test]
async fn what_waits_for_a_person_waits_on_and_can_be_stopped() {
    let house = House::open().await;
    let session = house.session("production").await;
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__unsafe", json!({"n": 1}))]);
    let approval = house.approvals(session, 1).await.first().unwrap().id.clone();
    let house = house.crash_into(changed()).await;
    let answered = house.answer(session, &approval, Answer::Approve).await;
    assert!(matches!(answered, Err(EngineError::Refused(Refusal::PackChanged { .. }))), "{answered:?}");
    assert_eq!(house.folded(session).await.approvals().len(), 1);
    house.ask(session, "operator", Ask::Stop { reason: "not today".to_owned() }).await.unwrap();
    let folded = house.until(session, "stopped").await;
    assert!(folded.approvals().is_empty());
    assert!(house.tools.danger.arrived().is_empty());
}

#[tokio::test]
async fn with_the_pinned_pack_back_it_is_settled_and_tried_again() {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.tools.safe.behave(Behaviour::Hangs);
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__safe", json!({"n": 1}))]);
    house.tools.safe.arrived_times(1).await;
    let house = house.crash_into(changed()).await;
    let folded = house.until(session, "error").await;
    let house = house.crash_into(provost_tests::pack::pack()).await;
    let again = house.ask(session, "operator", Ask::Retry { force: true }).await;
    assert!(matches!(again, Err(EngineError::Refused(Refusal::OutcomeUnsettled { .. }))), "{again:?}");
    let call = folded.unknown().keys().next().unwrap().clone();
    let settlement = Settlement::Happened { note: "seen".to_owned() };
    house.ask(session, "operator", Ask::Settle { call, settlement }).await.unwrap();
    house.ask(session, "operator", Ask::Retry { force: true }).await.unwrap();
    house.model.asked_times(1).await;
}

#[tokio::test]
async fn a_reload_leaves_a_waiting_session_the_pack_it_was_opened_with() {
    let house = House::open().await;
    let session = house.session("production").await;
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__unsafe", json!({"n": 1}))]);
    let approval = house.approvals(session, 1).await.first().unwrap().id.clone();
    house.reload(changed());
    house.answer(session, &approval, Answer::Approve).await.unwrap();
    house.tools.danger.arrived_times(1).await;
    assert_eq!(house.engine.packs()["case"].digest, changed().digest);
}
