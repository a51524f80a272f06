//! Servers that are away for minutes, in virtual time: sessions wait for them, and what was promised meanwhile holds.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::command::{Answer, Ask};
use provost_domain::failure::ModelFailure;
use provost_domain::ids::{AgentName, SessionId};
use provost_domain::model::{Message, ModelReply, ModelRequest};
use provost_domain::pack::Pack;
use provost_domain::port::ModelProvider;
use provost_store::MemoryStore;
use provost_tests::clock::TokioClock;
use provost_tests::house::House;
use provost_tests::model::reply;
use provost_tests::tools::Behaviour;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_mins(1);
const BUDGET: Duration = Duration::from_mins(20);
const SESSIONS: u128 = 100;

/// A model that is away until it is back. Its closer makes these calls, then escalates.
#[derive(Debug)]
struct Distant {
    is_back: watch::Sender<bool>,
    asked: watch::Sender<usize>,
    calls: Vec<(&'static str, Value)>,
}

impl Distant {
    fn that_calls(tools: &[&'static str]) -> Arc<Self> {
        let calls = tools.iter().map(|tool| (*tool, json!({"n": 1}))).collect();
        Arc::new(Self { is_back: watch::Sender::new(false), asked: watch::Sender::new(0), calls })
    }

    fn asked(&self) -> usize {
        *self.asked.borrow()
    }
}

#[async_trait]
impl ModelProvider for Distant {
    async fn ask(&self, request: &ModelRequest, _body: &[u8]) -> Result<ModelReply, ModelFailure> {
        self.asked.send_modify(|asked| *asked += 1);
        if !*self.is_back.borrow() {
            return Err(ModelFailure::Unavailable { detail: "away".to_owned() });
        }
        let acted = request.messages.iter().any(|message| matches!(message, Message::Tool { .. }));
        let finish = json!({"content": "seen", "confidence": 0.9, "rationale": "r", "signal": "close"});
        let escalate = json!({"team": "red", "reason": "r", "confidence": 0.9, "rationale": "r"});
        Ok(match (request.agent.as_str(), acted || self.calls.is_empty()) {
            ("first", _) => reply("", &[("finish_turn", finish)]),
            (_, false) => reply("", &self.calls),
            (_, true) => reply("", &[("mark_escalated", escalate)]),
        })
    }
}

fn pack() -> Pack {
    let mut pack = provost_tests::pack::pack();
    // Less than any outage here: none of them may count.
    pack.gates.approval.expires = 5 * MINUTE;
    pack.limits.turn_wall = 2 * MINUTE;
    pack.agents.get_mut(&AgentName::new("closer")).unwrap().deadline = MINUTE;
    pack.retry.transient = false;
    pack
}

async fn house(model: &Arc<Distant>, pack: Pack) -> House {
    let clock = TokioClock::default();
    clock.begin();
    let parts = (pack, Arc::clone(model) as Arc<dyn ModelProvider>);
    House::patient(Arc::new(MemoryStore::new()), parts, Arc::new(clock), BUDGET).await
}

fn all() -> impl Iterator<Item = SessionId> {
    (1..=SESSIONS).map(|n| SessionId::new(uuid::Uuid::from_u128(n)))
}

/// How many sessions have this status.
async fn with_status(house: &House, status: &str) -> usize {
    let mut found = 0;
    for id in all() {
        found += usize::from(house.folded(id).await.status().as_str() == status);
    }
    found
}

/// Red without the durable wait: every session would have ended as `error`.
#[tokio::test(start_paused = true)]
async fn a_hundred_sessions_go_on_by_themselves_once_the_model_is_back() {
    let model = Distant::that_calls(&["act__safe", "read__gauge"]);
    let house = house(&model, pack()).await;
    house.tools.gauge.behave(Behaviour::Refuses);
    for id in all() {
        house.try_session(id, "production").await.unwrap();
    }
    sleep(4 * MINUTE).await;
    let before: Vec<_> = futures::future::join_all(all().map(|id| house.folded(id))).await;
    let house = house.crash().await;
    sleep(6 * MINUTE).await;
    assert_eq!(with_status(&house, "in_progress").await, all().count());
    for (id, before) in all().zip(before) {
        let after = house.folded(id).await;
        let [(_, before), (_, after)] = [&before, &after].map(|session| session.deferrals().next().unwrap());
        assert_eq!((after.waiting_since, after.budget_ends_at), (before.waiting_since, before.budget_ends_at));
        assert!(after.attempt > before.attempt && after.attempt < 25, "{after:?}");
    }
    // It is back. Now the tool is away that stands beside an approval in every session.
    model.is_back.send_replace(true);
    sleep(12 * MINUTE).await;
    let house = house.crash().await;
    assert_eq!(with_status(&house, "in_progress").await, all().count());
    house.tools.gauge.behave(Behaviour::Works(json!({"level": 1})));
    sleep(2 * MINUTE).await;
    assert_eq!(with_status(&house, "awaiting_input").await, all().count(), "an approval expired, or nobody went on");
    for id in all() {
        let folded = house.folded(id).await;
        let (approval, _) = folded.approvals().first_key_value().unwrap();
        house.answer(id, approval, Answer::Approve).await.unwrap();
    }
    sleep(MINUTE).await;
    assert_eq!(with_status(&house, "escalated").await, all().count());
    assert_eq!(house.tools.safe.arrived().len(), all().count());
    for id in all() {
        assert_eq!(house.problems(id).await, Vec::<String>::new());
        assert_eq!(house.count(id, "limit_reached").await + house.count(id, "assignment_redispatched").await, 0);
        assert_eq!(house.folded(id).await.retries(), 0);
    }
    house.engine.shutdown(Duration::ZERO).await;
}

#[tokio::test(start_paused = true)]
async fn a_spent_budget_needs_review_and_goes_on_by_retry() {
    let model = Distant::that_calls(&[]);
    let house = house(&model, pack()).await;
    let id = all().next().unwrap();
    let began = Instant::now();
    house.try_session(id, "staging").await.unwrap();
    while house.folded(id).await.status().as_str() == "in_progress" {
        sleep(MINUTE).await;
    }
    let folded = house.folded(id).await;
    assert_eq!((folded.status().as_str(), folded.status_reason()), ("needs_review", "outage"));
    assert!(began.elapsed() >= BUDGET && began.elapsed() < BUDGET + 3 * MINUTE, "{:?}", began.elapsed());
    assert!(model.asked() < 60, "asked {} times", model.asked());
    model.is_back.send_replace(true);
    house.ask(id, "boss", Ask::Retry { force: false }).await.unwrap();
    house.until(id, "escalated").await;
    assert_eq!(house.problems(id).await, Vec::<String>::new());
    house.engine.shutdown(Duration::ZERO).await;
}

/// Red if a session that pauses were held: those that work could not be carried beside it.
#[tokio::test(start_paused = true)]
async fn who_waits_is_given_up_until_its_time_and_can_be_stopped_meanwhile() {
    let model = Distant::that_calls(&[]);
    let house = house(&model, pack()).await;
    let id = all().next().unwrap();
    house.try_session(id, "staging").await.unwrap();
    sleep(3 * MINUTE).await;
    let row = house.reads().session(id).await.unwrap();
    assert!(row.owner.is_none() && row.next_run_at.is_some(), "{row:?}");
    house.ask(id, "boss", Ask::Stop { reason: "enough".to_owned() }).await.unwrap();
    let asked = model.asked();
    house.until(id, "stopped").await;
    sleep(5 * MINUTE).await;
    assert_eq!(model.asked(), asked);
    house.engine.shutdown(Duration::ZERO).await;
}

/// Red if a call of a class that must not be repeated were, or one that surely did not happen were given up.
#[tokio::test(start_paused = true)]
async fn a_tool_that_is_away_is_waited_for_as_the_class_of_the_call_allows() {
    for crash in [false, true] {
        let model = Distant::that_calls(&["read__gauge", "act__idempotent", "act__probe", "act__safe"]);
        model.is_back.send_replace(true);
        let mut house = house(&model, pack()).await;
        let id = all().next().unwrap();
        let away =
            [&house.tools.gauge, &house.tools.idempotent, &house.tools.probed, &house.tools.safe].map(Arc::clone);
        for tool in &away {
            tool.behave(Behaviour::Refuses);
        }
        house.try_session(id, "staging").await.unwrap();
        sleep(7 * MINUTE).await;
        assert_eq!(house.folded(id).await.deferrals().count(), away.len());
        if crash {
            house = house.crash().await;
        }
        for tool in &away {
            tool.behave(Behaviour::Works(json!("done")));
        }
        sleep(2 * MINUTE).await;
        house.until(id, "escalated").await;
        for tool in &away {
            let keys: Vec<_> = tool.arrived().into_iter().map(|call| call.key).collect();
            assert!(keys.len() > 3 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
        }
        assert_eq!(house.count(id, "tool_returned").await, away.len() + 1);
        assert_eq!(house.problems(id).await, Vec::<String>::new());
        house.engine.shutdown(Duration::ZERO).await;
    }
}
