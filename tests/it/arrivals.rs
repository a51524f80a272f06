//! Authority, through the real actors: what `authority` proves of the rules, counted where it matters, at the backends.
//!
//! An engine with thousands of sessions faces a model that tries everything. Each session's replies are drawn from a
//! generator seeded by what is asked, so a red session says the same in the next run. Afterwards `accounts` holds every
//! session's log against what arrived.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use proptest::strategy::{SBoxedStrategy, Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use provost_domain::command::{Answer, Ask};
use provost_domain::event::{Event, EventBody, Settlement};
use provost_domain::evidence::Evidence;
use provost_domain::ids::{AgentName, SessionId};
use provost_domain::model::{Message, ModelReply, ModelRequest};
use provost_domain::pack::Pack;
use provost_domain::port::ModelProvider;
use provost_domain::session::Session;
use provost_domain::tool::{ProbeAnswer, ToolCall, ToolOutcome};
use provost_tests::house::House;
use provost_tests::model;
use provost_tests::pack;
use provost_tests::tools::Behaviour;
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::accounts;
use crate::hostile::{self, Citable, Reply};

/// How many times the cases of the short form the long form takes.
pub(crate) const LONG: u32 = if cfg!(feature = "long") { 10 } else { 1 };
/// Generated messages; those of the loops come on top.
const CASES: u32 = 10_000 * LONG;
/// Sessions under way at once.
const LANES: usize = 24;
/// How often people answer one session before they stop it.
const ANSWERS_MAX: u32 = 12;
/// The session whose evidence the others cite.
const VICTIM: u64 = 0;

/// A model that tries everything.
#[derive(Debug)]
struct Hostile {
    replies: SBoxedStrategy<Reply>,
    generated: AtomicU32,
    foreign: OnceLock<String>,
}

impl Hostile {
    fn new() -> Self {
        Self { replies: hostile::reply().sboxed(), generated: AtomicU32::new(0), foreign: OnceLock::new() }
    }

    /// What this question is answered: the same in every run.
    fn says(&self, request: &ModelRequest) -> Reply {
        let round = request.round;
        let finish = |signal| {
            let args = json!({"content": "c", "confidence": 0.9, "rationale": "r", "signal": signal});
            Reply::of(&[("finish_turn", args)])
        };
        match number(request.session) % 64 {
            _ if number(request.session) == VICTIM => Reply::of(&[("read__gauge", json!({}))]),
            1 => Reply::of(&[("read__gauge", json!({"n": 1}))]),
            2 => Reply::of(&[("read__gauge", json!({"n": round}))]),
            3 => Reply::of(&vec![("read__gauge", json!({"n": round})); 32]),
            4 => Reply::saying("resolved, resolved, resolved"),
            5 => finish("watch"),
            6 => finish("operator"),
            7 if request.agent.as_str() == "closer" => Reply::of(&[("act__unsafe", json!({"n": round}))]),
            7 => finish("close"),
            _ => self.generated(request),
        }
    }

    fn generated(&self, request: &ModelRequest) -> Reply {
        self.generated.fetch_add(1, Ordering::Relaxed);
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number(request.session).to_be_bytes());
        seed[8..16].copy_from_slice(&request.assignment.0.to_be_bytes());
        seed[16..20].copy_from_slice(&request.round.to_be_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut runner = TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::default() }, rng);
        self.replies.new_tree(&mut runner).unwrap().current()
    }
}

#[async_trait]
impl ModelProvider for Hostile {
    async fn ask(&self, request: &ModelRequest, _body: &[u8]) -> model::Answer {
        let last = request.messages.iter().rev().find_map(|message| match message {
            Message::Tool { result, .. } => result.get("evidence")?.as_str().map(str::to_owned),
            Message::User { .. } | Message::Assistant { .. } => None,
        });
        let foreign = match last.as_deref().and_then(Evidence::parse) {
            Some(Evidence { seq, .. }) if request.round.is_multiple_of(2) => {
                Evidence { session: numbered(VICTIM), seq }.to_string()
            }
            Some(_) | None => self.foreign.get().cloned().unwrap_or_default(),
        };
        let reply: ModelReply = self.says(request).filled(&Citable { own: request.session, last, foreign });
        Ok(reply)
    }
}

fn numbered(number: u64) -> SessionId {
    SessionId::new(Uuid::from_u128(number.into()))
}

fn number(session: SessionId) -> u64 {
    u64::try_from(session.uuid().as_u128()).unwrap()
}

/// How the backends take a call, the same for every attempt at it.
fn moody(call: &ToolCall) -> Behaviour {
    match call.key.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) % 16 {
        0 => Behaviour::Refuses,
        1 => Behaviour::LosesTheAnswer,
        2..5 => Behaviour::Works(json!(hostile::ORDER)),
        _ => Behaviour::Works(json!({"level": 1})),
    }
}

/// The pack, with a watcher that gives up soon: a gauge that gives orders never recovers.
fn quick() -> Pack {
    let mut pack = pack::pack();
    pack.agents.get_mut(&AgentName::new("gauge")).unwrap().deadline = Duration::from_millis(60);
    pack
}

/// People, who answer whatever a session waits for, some of them carelessly.
async fn answer(house: &House, session: &Session, dice: &mut fastrand::Rng) {
    let id = session.id();
    if let Some(call) = session.unknown().keys().next() {
        let note = "looked".to_owned();
        let settlement = match dice.u8(..3) {
            0 => Settlement::Happened { note },
            1 => Settlement::DidNotHappen { note },
            _ => Settlement::GiveUp { note },
        };
        house.ask(id, "operator", Ask::Settle { call: call.clone(), settlement }).await.unwrap();
    } else if let Some(approval) = session.approvals().keys().next() {
        for edit in [json!({"environment": "mars"}), json!({"team": "nobody"}), json!({"sudo": true})] {
            let args = edit.as_object().cloned().unwrap();
            house.answer(id, approval, Answer::Edit { args }).await.unwrap_err();
        }
        let given = match dice.u8(..4) {
            0 => Answer::Reject { reason: "no".to_owned() },
            1 => Answer::Respond { text: "done by hand".to_owned() },
            _ => Answer::Approve,
        };
        house.answer(id, approval, given).await.unwrap();
    } else {
        house.ask(id, "operator", Ask::Speak { text: "go on".to_owned() }).await.unwrap();
    }
}

/// Carries one session to its end and returns its log.
async fn play(house: &House, number: u64) -> Vec<Event> {
    let environment = if number.is_multiple_of(2) { "staging" } else { "production" };
    let id = numbered(number);
    house.try_session(id, environment).await.unwrap();
    let mut dice = fastrand::Rng::with_seed(number);
    let mut session = house.rest(id).await;
    let mut answers = 0;
    while !session.status().is_end() && answers < ANSWERS_MAX {
        answer(house, &session, &mut dice).await;
        answers += 1;
        session = house.rest(id).await;
    }
    if !session.status().is_end() {
        house.ask(id, "boss", Ask::Stop { reason: "enough".to_owned() }).await.unwrap();
    }
    assert_eq!(house.problems(id).await, Vec::<String>::new());
    house.log(id).await
}

/// A house that faces the hostile model, and a tool result of one session for all others to cite.
async fn besieged() -> (House, Arc<Hostile>) {
    let model = Arc::new(Hostile::new());
    let house = House::facing(quick(), Arc::clone(&model) as _).await;
    let log = play(&house, VICTIM).await;
    let seen = log.iter().find(|event| matches!(event.body, EventBody::ToolReturned(_))).unwrap();
    model.foreign.set(Evidence { session: numbered(VICTIM), seq: seen.seq }.to_string()).unwrap();
    for tool in house.tools.each() {
        tool.behave(Behaviour::ByCall(moody));
        // Whose answer was lost has done it.
        tool.say(Some(ProbeAnswer::Happened { outcome: ToolOutcome::Ok { content: json!({"level": 1}) } }));
        tool.expect_intents(house.reads());
    }
    (house, model)
}

/// Panics of the program's own code, whoever catches them.
fn count_panics() -> Arc<AtomicU32> {
    let count = Arc::new(AtomicU32::new(0));
    let (counted, before) = (Arc::clone(&count), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        let own = info.location().is_some_and(|at| at.file().contains("runtime/") || at.file().contains("agents/"));
        counted.fetch_add(u32::from(own), Ordering::Relaxed);
        before(info);
    }));
    count
}

/// What all sessions together came to: a siege that reaches nothing would prove nothing.
fn reached(logs: &BTreeMap<SessionId, Vec<Event>>) {
    let mut seen = BTreeSet::new();
    for event in logs.values().flatten() {
        seen.insert(event.body.kind().to_owned());
        match &event.body {
            EventBody::ToolRefused(refused) => seen.extend([refused.refusal.word().to_owned()]),
            EventBody::ClaimRefused(refused) => seen.extend([refused.refusal.word().to_owned()]),
            EventBody::LimitReached(reached) => seen.extend([format!("{:?}", reached.limit)]),
            EventBody::StatusChanged(changed) => seen.extend([changed.to_status().to_string()]),
            _ => {}
        }
    }
    let statuses = "resolved escalated needs_review error stopped awaiting_input";
    let refusals = "unknown_tool broken_arguments invalid_arguments out_of_roster second_claim siblings_failed \
        unknown_evidence limit_reached effect_failed";
    let others = "approval_requested approval_decided probe_requested call_probed outcome_unknown outcome_settled fields_patched finding_recorded \
        operator_asked watch_polled ModelCalls NoProgress Assignments";
    for word in [statuses, refusals, others].iter().flat_map(|words| words.split(' ')) {
        assert!(seen.contains(word), "never {word}: {seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_model_tries_nothing_arrives_that_may_not() {
    let panics = count_panics();
    let (house, model) = besieged().await;
    let next = Arc::new(AtomicU64::new(VICTIM + 1));
    let mut lanes = JoinSet::new();
    for _ in 0..LANES {
        let (house, model, next) = (house.clone(), Arc::clone(&model), Arc::clone(&next));
        lanes.spawn(async move {
            let mut logs = BTreeMap::new();
            while model.generated.load(Ordering::Relaxed) < CASES {
                let number = next.fetch_add(1, Ordering::Relaxed);
                logs.insert(numbered(number), play(&house, number).await);
            }
            logs
        });
    }
    let logs: BTreeMap<_, _> = lanes.join_all().await.into_iter().flatten().collect();
    let mut arrived: BTreeMap<SessionId, Vec<ToolCall>> = BTreeMap::new();
    for tool in house.tools.each() {
        assert_eq!(tool.undue(), Vec::<String>::new(), "arrived before its intent was durable");
        let calls = tool.arrived();
        assert!(calls.len() > 50, "only {} arrivals: {:?}", calls.len(), calls.first());
        for call in calls {
            arrived.entry(call.session).or_default().push(call);
        }
    }
    let mut replies = 0;
    for (session, log) in &logs {
        accounts::check(&quick(), log, arrived.get(session).map(Vec::as_slice).unwrap_or_default());
        replies += log.iter().filter(|event| matches!(event.body, EventBody::ModelReplied(_))).count();
    }
    reached(&logs);
    assert_eq!(panics.load(Ordering::Relaxed), 0);
    println!("{replies} replies in {} sessions, {} calls arrived", logs.len(), arrived.values().flatten().count());
    assert!(replies >= CASES as usize, "only {replies} messages in {} logs", logs.len());
}
