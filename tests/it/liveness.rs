//! Workers that fall silent, in virtual time: the assignment is given out once more, byte for byte, then it is a timeout.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::command::{Ask, Report};
use provost_domain::decide;
use provost_domain::event::{Event, EventBody};
use provost_domain::failure::{AgentFailure, ModelFailure};
use provost_domain::ids::{AgentName, AssignmentId, CallId, Fence, SessionId};
use provost_domain::model::{Message, ModelReply, ModelRequest};
use provost_domain::pack::Pack;
use provost_domain::port::ModelProvider;
use provost_domain::session::{Session, WorkerStatus};
use provost_domain::tool::{ProbeAnswer, ToolOutcome};
use provost_store::MemoryStore;
use provost_tests::crash::points::{Death, Fault, Points, Strike};
use provost_tests::crash::ports::Pointed;
use provost_tests::facts::DecisionDesk;
use provost_tests::house::House;
use provost_tests::model::reply;
use provost_tests::tools::Behaviour;
use serde_json::{Value, json};

/// How long the closer may be silent: less than a tool may take.
const DEADLINE: Duration = Duration::from_secs(5);

fn pack() -> Pack {
    let mut pack = provost_tests::pack::pack();
    pack.agents.get_mut(&AgentName::new("closer")).unwrap().deadline = DEADLINE;
    pack
}

/// Makes these calls, then escalates; keeps what it was asked, byte for byte.
#[derive(Debug)]
struct Keeper {
    calls: Vec<(&'static str, Value)>,
    asked: Mutex<Vec<String>>,
}

impl Keeper {
    fn that_calls(tools: &[&'static str]) -> Arc<Self> {
        let calls = tools.iter().map(|tool| (*tool, json!({"n": 1}))).collect();
        Arc::new(Self { calls, asked: Mutex::default() })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl ModelProvider for Keeper {
    async fn ask(&self, request: &ModelRequest, _body: &[u8]) -> Result<ModelReply, ModelFailure> {
        self.asked.lock().unwrap().push(serde_json::to_string(request).unwrap());
        let acted = request.messages.iter().any(|message| matches!(message, Message::Tool { .. }));
        let finish = json!({"content": "seen", "confidence": 0.9, "rationale": "r", "signal": "close"});
        let escalate = json!({"team": "red", "reason": "r", "confidence": 0.9, "rationale": "r"});
        Ok(match (request.agent.as_str(), acted) {
            ("first", _) => reply("", &[("finish_turn", finish)]),
            (_, false) => reply("", &self.calls),
            (_, true) => reply("", &[("mark_escalated", escalate)]),
        })
    }
}

/// A house in virtual time whose store fails so, and its one session.
async fn house(model: &Arc<Keeper>, strikes: Vec<Strike>) -> (House, SessionId) {
    let points = Arc::new(Points::new(vec![strikes]));
    points.begin();
    let store = Arc::new(Pointed::new(Arc::new(MemoryStore::new()), &points));
    let house = House::facing_in_tokio_time(store as _, pack(), Arc::clone(model) as _).await;
    (house, SessionId::new(uuid::Uuid::from_u128(1)))
}

/// Whether this call worked, of its outcome.
fn worked(event: &Event, call: &CallId) -> Option<bool> {
    match &event.body {
        EventBody::ToolReturned(returned) if returned.call == *call => Some(returned.outcome.worked()),
        _ => None,
    }
}

fn works(session: &Session) -> Vec<(&str, Option<WorkerStatus>)> {
    session.records().map(|record| (record.agent.as_str(), record.status)).collect()
}

/// What is asked where an agent reads a large result; `silent`: its first worker never hears of it.
async fn asked_where(silent: bool) -> (Vec<String>, Vec<Event>) {
    let model = Keeper::that_calls(&["read__gauge"]);
    let (house, session) = house(&model, Vec::new()).await;
    let works_well = Behaviour::Works(json!("x".repeat(5_000)));
    house.tools.gauge.behave(if silent { Behaviour::Hangs } else { works_well.clone() });
    house.try_session(session, "staging").await.unwrap();
    house.tools.gauge.arrived_times(1).await;
    house.tools.gauge.behave(works_well);
    let folded = house.until(session, "escalated").await;
    assert_eq!(works(&folded), [("first", Some(WorkerStatus::Completed)), ("closer", Some(WorkerStatus::Completed))]);
    (model.asked(), house.log(session).await)
}

/// A question without the positions in ids of evidence.
fn without_positions(question: &str) -> String {
    let mut parts = question.split("ses_00000000000000000000000000000001/");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "#" + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

#[tokio::test(start_paused = true)]
async fn a_silent_worker_is_replaced_and_its_successor_asks_the_same() {
    let (undisturbed, _) = asked_where(false).await;
    let (asked, log) = asked_where(true).await;
    // The log has more events, so the ids of results behind them are others.
    let plain = |asked: &[String]| asked.iter().map(|question| without_positions(question)).collect::<Vec<_>>();
    assert_eq!(plain(&asked), plain(&undisturbed));
    let again: Vec<_> = log.iter().filter(|event| event.body.kind() == "assignment_redispatched").collect();
    let EventBody::AssignmentRedispatched(again) = &again[0].body else { panic!("{again:?}") };
    assert_eq!((again.assignment, again.cause.as_str()), (AssignmentId(2), "nothing was recorded within 5000 ms"));
    // What was decided on is not decided anew.
    let requested = log.iter().filter(|event| event.body.kind() == "model_requested").count();
    assert_eq!((requested, asked.len()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn who_is_silent_twice_is_a_timeout() {
    let model = Keeper::that_calls(&["read__gauge"]);
    let (house, session) = house(&model, Vec::new()).await;
    house.tools.gauge.behave(Behaviour::Hangs);
    house.try_session(session, "staging").await.unwrap();
    let folded = house.until(session, "error").await;
    assert_eq!(folded.last_failure(), Some(&AgentFailure::Silent { deadline_ms: 5_000 }));
    assert_eq!(works(&folded), [("first", Some(WorkerStatus::Completed)), ("closer", Some(WorkerStatus::Timeout))]);
    let made: Vec<_> = house.tools.gauge.arrived().into_iter().map(|call| (call.key, call.args)).collect();
    assert_eq!(made.len(), 2);
    assert_eq!(made[0], made[1]);
    assert_eq!(house.count(session, "assignment_redispatched").await, 1);
    assert_eq!(house.problems(session).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_a_silent_worker_had_under_way_goes_on_as_its_class_says() {
    let model = Keeper::that_calls(&["act__idempotent", "act__probe", "act__safe"]);
    let (house, session) = house(&model, Vec::new()).await;
    let tools = house.tools.clone();
    for tool in tools.each() {
        tool.behave(Behaviour::Hangs);
    }
    tools.probed.say(Some(ProbeAnswer::Happened { outcome: ToolOutcome::Ok { content: json!("done") } }));
    house.try_session(session, "staging").await.unwrap();
    for tool in [&tools.idempotent, &tools.probed, &tools.safe] {
        tool.arrived_times(1).await;
        tool.behave(Behaviour::Works(json!("done")));
    }
    let folded = house.until(session, "awaiting_input").await;
    assert_eq!(folded.status_reason(), "outcome_unknown");
    let arrived = [&tools.idempotent, &tools.probed, &tools.safe].map(|tool| tool.arrived());
    assert_eq!(arrived.each_ref().map(Vec::len), [2, 1, 1]);
    assert_eq!(arrived[0][0].key, arrived[0][1].key);
    assert_eq!(tools.probed.asked().len(), 1);
    let unknown: Vec<_> = folded.unknown().keys().cloned().collect();
    assert_eq!(unknown, [arrived[2][0].call.clone()]);
    assert_eq!(house.problems(session).await, Vec::<String>::new());
}

/// Red if a report counted whoever it came from: the failure of an attempt that was given up would end the one made since.
#[tokio::test(start_paused = true)]
async fn the_late_failure_of_a_replaced_worker_is_not_taken_for_its_successors() {
    let model = Keeper::that_calls(&["act__idempotent"]);
    let (house, session) = house(&model, Vec::new()).await;
    let tool = Arc::clone(&house.tools.idempotent);
    tool.behave(Behaviour::FailsLate);
    house.try_session(session, "staging").await.unwrap();
    tool.arrived_times(1).await;
    tool.behave(Behaviour::Works(json!("done")));
    house.until(session, "escalated").await;
    let made: Vec<_> = tool.arrived().into_iter().map(|call| call.call).collect();
    assert_eq!(made.len(), 2);
    assert_eq!(made[0], made[1]);
    let outcomes: Vec<_> = house.log(session).await.iter().filter_map(|event| worked(event, &made[0])).collect();
    assert_eq!(outcomes, [true]);
    assert_eq!(house.count(session, "assignment_redispatched").await, 1);
    assert_eq!(house.problems(session).await, Vec::<String>::new());
}

/// Red if the wait for the store counted as silence: what was never handed out would be given out again, or be in doubt.
#[tokio::test(start_paused = true)]
async fn whoever_waits_for_the_store_is_not_silent() {
    for nth in 1.. {
        let model = Keeper::that_calls(&["act__safe"]);
        let points = Arc::new(Points::new(vec![vec![Strike {
            at: format!("store.append#{nth}"),
            fault: Fault::Delay,
            death: Death::Never,
        }]]));
        points.begin();
        let store = Arc::new(Pointed::new(Arc::new(MemoryStore::new()), &points));
        let house = House::facing_in_tokio_time(store as _, pack(), Arc::clone(&model) as _).await;
        let session = SessionId::new(uuid::Uuid::from_u128(1));
        house.try_session(session, "staging").await.unwrap();
        house.until(session, "escalated").await;
        if points.exercised(0).is_empty() {
            assert!(nth > 5, "only {nth} appends");
            break;
        }
        assert_eq!(house.count(session, "assignment_redispatched").await, 0, "append {nth}");
        assert_eq!(house.tools.safe.arrived().len(), 1, "append {nth}");
        house.engine.shutdown(Duration::ZERO).await;
    }
}

/// Red if every event counted as a sign of life: whoever sends signals would keep a wedged worker going for ever.
#[tokio::test(start_paused = true)]
async fn what_others_say_is_no_sign_of_life() {
    let model = Keeper::that_calls(&["read__gauge"]);
    let (house, session) = house(&model, Vec::new()).await;
    house.tools.gauge.behave(Behaviour::Hangs);
    house.try_session(session, "staging").await.unwrap();
    house.tools.gauge.arrived_times(1).await;
    tokio::time::advance(DEADLINE.mul_f64(0.8)).await;
    let signal = Ask::Signal { source: "outside".to_owned(), payload: json!({}) };
    house.ask(session, "someone", signal).await.unwrap();
    house.until(session, "error").await;
    let log = house.log(session).await;
    let at = |kind| log.iter().find(|event| event.body.kind() == kind).unwrap().at;
    let silence = at("assignment_redispatched").since(at("tool_intended"));
    assert!(silence >= DEADLINE && silence < DEADLINE.mul_f64(1.1), "{silence:?}");
}

#[tokio::test]
async fn a_session_that_ends_under_a_worker_says_how_far_it_was() {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.model.asked_times(1).await;
    house.ask(session, "boss", Ask::Stop { reason: "enough".to_owned() }).await.unwrap();
    assert_eq!(works(&house.folded(session).await), [("first", Some(WorkerStatus::NotRun))]);
    let session = house.session("staging").await;
    house.tools.gauge.behave(Behaviour::Hangs);
    house.model.calls(&[("read__gauge", json!({"n": 1}))]);
    house.tools.gauge.arrived_times(1).await;
    house.ask(session, "boss", Ask::Stop { reason: "enough".to_owned() }).await.unwrap();
    assert_eq!(works(&house.folded(session).await), [("first", Some(WorkerStatus::Error))]);
}

/// The rule alone: what a worker's death leads to.
#[tokio::test]
async fn an_assignment_whose_worker_dies_is_given_out_once_more() {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.model.asked_times(1).await;
    let mut folded = house.folded(session).await;
    let catalog = house.engine.catalog();
    let desk = DecisionDesk::new(pack(), catalog);
    let facts = desk.facts(folded.updated_at(), Fence(1));
    let mut lost = || {
        let briefing = folded.newest_work().map(|work| Arc::clone(&work.briefing));
        let report = Report::WorkerLost { assignment: AssignmentId(1), cause: "it fell over".to_owned() };
        let verdict = decide::report(folded.clone(), report, &facts);
        folded = verdict.after;
        let after = folded.newest_work().map(|work| Arc::clone(&work.briefing));
        let kinds: Vec<_> = verdict.events.iter().map(EventBody::kind).collect();
        (kinds, after == briefing)
    };
    assert_eq!(lost(), (vec!["assignment_redispatched"], true));
    assert_eq!(lost(), (vec!["agent_failed", "status_changed"], false));
    assert_eq!(works(&folded), [("first", Some(WorkerStatus::Error))]);
}
