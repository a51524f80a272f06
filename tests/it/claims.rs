//! A person's own terminal claim while agents are at work: it is carried out once, alone, and bound by nothing of theirs.

use std::sync::Arc;

use provost_domain::command::Ask;
use provost_domain::ids::{SessionId, ToolName};
use provost_domain::refusal::Refusal;
use provost_domain::session::Session;
use provost_engine::EngineError;
use provost_tests::house::House;
use provost_tests::tools::Behaviour;
use serde_json::{Value, json};

fn escalate() -> Ask {
    let args = json!({"team": "red", "reason": "by hand", "confidence": 1, "rationale": "seen"});
    let Value::Object(args) = args else { panic!("an object") };
    Ask::Claim { tool: ToolName::new("mark_escalated"), args }
}

fn worked() -> Behaviour {
    Behaviour::Works(json!({"level": 9}))
}

/// Ends the claim's effect and waits for the end.
async fn told(house: &House, session: SessionId) -> Session {
    house.tools.notify.behave(worked());
    let folded = house.until(session, "escalated").await;
    assert_eq!(house.tools.notify.arrived().len(), 1, "the effect happened once");
    assert_eq!(house.count(session, "claim_refused").await, 0);
    folded
}

/// Red without `claim::none_open` in `speak`: the next assignment's worker would make the effect again.
#[tokio::test]
async fn an_operators_words_wait_for_a_claim_under_way() {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.model.finish("operator", 0.9);
    house.until(session, "awaiting_input").await;
    house.tools.notify.behave(Behaviour::Waits);
    house.ask(session, "operator", escalate()).await.unwrap();
    house.tools.notify.arrived_times(1).await;
    let said = house.ask(session, "operator", Ask::Speak { text: "go on".to_owned() }).await;
    assert!(matches!(said, Err(EngineError::Refused(Refusal::NothingToDo { .. }))), "{said:?}");
    told(&house, session).await;
}

/// Red when a poll's call takes the place of the claim's effect: the poll's result would close the session.
#[tokio::test]
async fn a_watcher_neither_replaces_nor_outruns_a_claim() {
    let house = House::open().await;
    house.tools.gauge.behave(worked());
    let session = house.session("staging").await;
    house.model.finish("watch", 0.9);
    house.tools.gauge.arrived_times(2).await;
    house.tools.notify.behave(Behaviour::Waits);
    house.ask(session, "operator", escalate()).await.unwrap();
    house.tools.notify.arrived_times(1).await;
    let polls = house.tools.gauge.arrived().len();
    // Later than the watcher's next poll would be, many times over.
    let signal = Ask::Signal { source: "test".to_owned(), payload: "still here".into() };
    for _ in 0..20 {
        house.ask(session, "test", signal.clone()).await.unwrap();
    }
    assert!(house.tools.gauge.arrived().len() <= polls + 1, "only the poll that was under way");
    assert_eq!(house.folded(session).await.status().as_str(), "in_progress");
    told(&house, session).await;
}

#[tokio::test]
async fn what_an_agent_failed_at_does_not_bind_a_person() {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.model.finish("close", 0.9);
    house.model.calls(&[("no__such_tool", json!({})), ("act__unsafe", json!({"n": 1}))]);
    house.approvals(session, 1).await;
    house.ask(session, "operator", escalate()).await.unwrap();
    let folded = told(&house, session).await;
    assert!(folded.approvals().is_empty());
    assert!(house.tools.danger.arrived().is_empty());
}

#[tokio::test]
async fn a_tool_that_panics_has_failed_and_nobody_waits_for_it() {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.tools.gauge.behave(Behaviour::ByCall(|_| panic!("a fault in the tool")));
    house.model.calls(&[("read__gauge", json!({"n": 1}))]);
    let asked = house.model.asked_times(2).await;
    let seen = serde_json::to_string(&asked.last().unwrap().messages).unwrap();
    assert!(seen.contains("it panicked"), "{seen}");
    house.ask(session, "operator", Ask::Stop { reason: "enough".to_owned() }).await.unwrap();
}

#[tokio::test]
async fn what_is_under_way_cannot_be_settled_yet() {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.tools.safe.behave(Behaviour::Waits);
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__safe", json!({"n": 1}))]);
    house.tools.safe.arrived_times(1).await;
    house.ask(session, "operator", Ask::Stop { reason: "enough".to_owned() }).await.unwrap();
    let call = house.folded(session).await.unknown().keys().next().unwrap().clone();
    let settlement = provost_domain::event::Settlement::DidNotHappen { note: "looked".to_owned() };
    let early = house.ask(session, "operator", Ask::Settle { call, settlement }).await;
    assert!(matches!(early, Err(EngineError::Refused(Refusal::CallUnderWay { .. }))), "{early:?}");
    let safe = Arc::clone(&house.tools.safe);
    let (house, ()) = tokio::join!(house.restart(), async { safe.behave(worked()) });
    assert_eq!(house.count(session, "tool_returned").await, 1);
}
