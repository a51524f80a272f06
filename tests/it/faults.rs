//! A whole session over a store that fails once: at every write, on either side of it. The session ends as it would have,
//! nothing acts twice, and what nobody can know is asked of a person.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use provost_domain::command::{Answer, Ask};
use provost_domain::event::{EventBody, Settlement};
use provost_domain::failure::ModelFailure;
use provost_domain::ids::SessionId;
use provost_domain::model::{Message, ModelReply, ModelRequest};
use provost_domain::port::{ModelProvider, Reads as _, StoreError};
use provost_engine::EngineError;
use provost_tests::eventually::eventually;
use provost_tests::faulty::{Fault, FaultyStore, Side};
use provost_tests::house::House;
use provost_tests::model::{PATIENCE, reply};
use serde_json::json;

/// Answers by what it sees: triage passes the case on, the closer acts once and then escalates.
#[derive(Debug)]
struct Steady;

#[async_trait]
impl ModelProvider for Steady {
    async fn ask(&self, request: &ModelRequest) -> Result<ModelReply, ModelFailure> {
        let acted = request.messages.iter().any(|message| matches!(message, Message::Tool { .. }));
        let finish = json!({"content": "seen", "confidence": 0.9, "rationale": "r", "signal": "close"});
        let escalate = json!({"team": "red", "reason": "r", "confidence": 0.9, "rationale": "r"});
        Ok(match (request.agent.as_str(), acted) {
            ("first", _) => reply("", &[("finish_turn", finish)]),
            (_, false) => reply("", &[("act__unsafe", json!({"n": 1}))]),
            (_, true) => reply("", &[("mark_escalated", escalate)]),
        })
    }
}

/// Runs the session to its end, as an operator who approves and tells the truth.
async fn run(store: &Arc<FaultyStore>) -> (House, SessionId) {
    let house = House::facing_on(Arc::clone(store) as _, provost_tests::pack::pack(), Arc::new(Steady)).await;
    let session = open(&house, store).await;
    let ended = eventually("the end", PATIENCE, || async {
        let folded = house.folded(session).await;
        // An answer that the store lost is given again.
        if let Some(approval) = folded.approvals().keys().next() {
            drop(house.answer(session, approval, Answer::Approve).await);
        }
        if let Some(call) = folded.unknown().keys().next().cloned() {
            let note = "looked".to_owned();
            let happened = house.tools.danger.arrived().iter().any(|arrived| arrived.call == call);
            let settlement = if happened { Settlement::Happened { note } } else { Settlement::DidNotHappen { note } };
            drop(house.ask(session, "operator", Ask::Settle { call, settlement }).await);
        }
        let rests = house.engine.registry().is_empty();
        (folded.status().is_end() && rests).then_some(folded)
    });
    let folded = ended.await.unwrap();
    assert_eq!(folded.status().as_str(), "escalated", "{}", folded.status_reason());
    (house, session)
}

/// Opens; where the answer was lost, looks whether the session is there.
async fn open(house: &House, store: &FaultyStore) -> SessionId {
    let first = SessionId::new(uuid::Uuid::now_v7());
    if house.try_session(first, "staging").await.is_ok() || store.session(first).await.is_ok() {
        return first;
    }
    let second = SessionId::new(uuid::Uuid::now_v7());
    house.try_session(second, "staging").await.unwrap();
    second
}

/// Red without `Engine::undamaged`: the caller would hear that the command is applied later.
#[tokio::test]
async fn a_damaged_session_is_said_to_be_so() {
    let fault = Fault { at: "take_over", nth: 1, side: Side::Damaged };
    let store = Arc::new(FaultyStore::new(Some(fault)));
    let house = House::facing_on(Arc::clone(&store) as _, provost_tests::pack::pack(), Arc::new(Steady)).await;
    let session = house.session("staging").await;
    let approval = house.approvals(session, 1).await.remove(0).id;
    let parked = || std::future::ready(house.engine.registry().is_empty().then_some(()));
    eventually("parking", PATIENCE, parked).await.unwrap();
    for _ in 0..2 {
        let answered = house.answer(session, &approval, Answer::Approve).await;
        assert!(matches!(answered, Err(EngineError::Store(StoreError::Damaged { .. }))), "{answered:?}");
    }
    assert!(house.tools.danger.arrived().is_empty());
}

fn denied(body: &EventBody) -> bool {
    matches!(body, EventBody::OutcomeSettled(settled) if matches!(settled.settlement, Settlement::DidNotHappen { .. }))
}

#[tokio::test]
async fn a_session_ends_as_it_would_have_wherever_its_store_fails_once() {
    let whole = Arc::new(FaultyStore::new(None));
    run(&whole).await;
    let crossed = whole.crossed();
    let mut ran = 0;
    for (at, times) in crossed {
        for fault in (1..=times).flat_map(|nth| [Side::Before, Side::After].map(|side| Fault { at, nth, side })) {
            let store = Arc::new(FaultyStore::new(Some(fault)));
            let (house, session) = run(&store).await;
            let acted: Vec<_> = house.tools.danger.arrived().into_iter().map(|call| call.call).collect();
            // Where the intent stood and nobody knew, the operator said truly that it had not happened.
            let never = house.log(session).await.iter().filter(|event| denied(&event.body)).count();
            assert_eq!(acted.len() + never, 1, "{fault:?}: {acted:?}");
            let told: BTreeSet<String> = house.tools.notify.arrived().into_iter().map(|call| call.key).collect();
            assert_eq!(told.len(), 1, "{fault:?}: an idempotent call under one key");
            let row = store.session(session).await.unwrap();
            let log = store.records(session, provost_domain::ids::Seq(0), u32::MAX).await.unwrap();
            let problems = provost_domain::invariant::check(&log, row.head_seq, row.head_hash);
            assert!(problems.is_empty(), "{fault:?}: {problems:?}");
            assert!(row.owner.is_none(), "{fault:?}: {row:?}");
            ran += 1;
        }
    }
    assert!(ran >= 20, "only {ran} faults: is the session still whole?");
}
