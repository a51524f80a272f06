//! Model servers that stay away: they are left alone but for one question from time to time, and another model is asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use prometheus::TextEncoder;
use provost_domain::event::{Event, EventBody};
use provost_domain::failure::ModelFailure;
use provost_domain::ids::{Digest, SessionId};
use provost_domain::model::{ModelOrigin, ModelReply, ModelRequest};
use provost_domain::pack::Pack;
use provost_domain::port::ModelProvider;
use provost_engine::{ModelGateway, ModelLimits, Schedules};
use provost_store::MemoryStore;
use provost_tests::clock::TokioClock;
use provost_tests::eventually::eventually;
use provost_tests::face::Face;
use provost_tests::house::House;
use provost_tests::model::{PATIENCE, reply};
use provost_tests::visitor::Visitor;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const MINUTE: Duration = Duration::from_mins(1);
const BUDGET: Duration = Duration::from_mins(20);
const SESSIONS: u128 = 100;

/// What becomes of a question.
#[derive(Debug, Clone)]
enum Fate {
    Answered,
    Fails(ModelFailure),
    Hangs,
}

/// A server of models, and the questions that came to it: when, from which session, and the digest of the body.
#[derive(Debug)]
struct FarServer {
    name: &'static str,
    fate: Mutex<Fate>,
    asked: Mutex<Vec<(Instant, SessionId, Digest)>>,
}

impl FarServer {
    fn new(name: &'static str, fate: Fate) -> Arc<Self> {
        Arc::new(Self { name, fate: Mutex::new(fate), asked: Mutex::default() })
    }

    fn becomes(&self, fate: Fate) {
        *self.fate.lock().unwrap() = fate;
    }

    fn asked(&self) -> Vec<(Instant, SessionId, Digest)> {
        self.asked.lock().unwrap().clone()
    }

    /// How often it was asked in a session.
    fn asked_by(&self, session: SessionId) -> usize {
        self.asked().iter().filter(|(_, by, _)| *by == session).count()
    }
}

#[async_trait]
impl ModelProvider for FarServer {
    fn origin(&self, _: &str) -> ModelOrigin {
        ModelOrigin { server: self.name.to_owned(), model: "m".to_owned() }
    }

    async fn ask(&self, request: &ModelRequest, body: &[u8]) -> Result<ModelReply, ModelFailure> {
        self.asked.lock().unwrap().push((Instant::now(), request.session, Digest::of(body)));
        let fate = self.fate.lock().unwrap().clone();
        match fate {
            Fate::Answered => {}
            Fate::Fails(failure) => return Err(failure),
            Fate::Hangs => std::future::pending().await,
        }
        let finish = json!({"content": "seen", "confidence": 0.9, "rationale": "r", "signal": "close"});
        let escalate = json!({"team": "red", "reason": "r", "confidence": 0.9, "rationale": "r"});
        Ok(match request.agent.as_str() {
            "first" => reply("", &[("finish_turn", finish)]),
            _ => reply("", &[("mark_escalated", escalate)]),
        })
    }
}

fn down() -> Fate {
    Fate::Fails(ModelFailure::Unavailable { detail: "away".to_owned() })
}

fn pack() -> Pack {
    let mut pack = provost_tests::pack::pack();
    pack.retry.transient = false;
    pack
}

/// The first server is asked, the others stand in for it.
fn gateway(servers: &[&Arc<FarServer>]) -> ModelGateway {
    let limits = ModelLimits { schedules: Schedules::once(), ..ModelLimits::default() };
    let names = ["stub", "second", "third"];
    let each = servers.iter().zip(names);
    let models = each.fold(ModelGateway::default(), |models, (server, name)| {
        models.with(name, Arc::clone(server) as Arc<dyn ModelProvider>, limits)
    });
    let others = names.iter().skip(1).take(servers.len() - 1);
    models.falling_back("stub", others.map(|name| (*name).to_owned()).collect())
}

async fn house(servers: &[&Arc<FarServer>]) -> House {
    let clock = TokioClock::default();
    clock.begin();
    let provider = Arc::clone(servers[0]) as Arc<dyn ModelProvider>;
    let house = House::patient(Arc::new(MemoryStore::new()), (pack(), provider), Arc::new(clock), BUDGET).await;
    house.face(gateway(servers));
    house
}

fn session(n: u128) -> SessionId {
    SessionId::new(uuid::Uuid::from_u128(n))
}

/// The servers that the log names, in order, each with the digest of the body.
async fn recorded(house: &House, id: SessionId) -> Vec<(String, Digest)> {
    let request = |event: &Event| match &event.body {
        EventBody::ModelRequested(asked) => asked.server.clone().zip(asked.body_sha256),
        _ => None,
    };
    house.log(id).await.iter().filter_map(request).collect()
}

/// Red without the breaker: each of them would ask once a minute. The pauses are those of the breaker.
#[tokio::test(start_paused = true)]
async fn a_hundred_sessions_ask_a_dead_server_once_per_pause() {
    let far = FarServer::new("far", down());
    let house = house(&[&far]).await;
    for n in 1..=SESSIONS {
        house.try_session(session(n), "staging").await.unwrap();
    }
    sleep(10 * MINUTE).await;
    let settled = far.asked().iter().filter(|(at, ..)| at.elapsed() < 8 * MINUTE).count();
    assert!((8..=11).contains(&settled), "asked {settled} times in 8 minutes");
    let [away] = &house.engine.model_outages()[..] else { panic!("nothing is away") };
    assert_eq!((away.server.as_str(), &away.models[..]), ("far", &["stub".to_owned()][..]));
    let text = TextEncoder::new().encode_to_string(&house.metrics.gather()).unwrap();
    assert!(text.contains("provost_model_server_open{server=\"far\"} 1\n"), "{text}");
    far.becomes(Fate::Answered);
    sleep(3 * MINUTE).await;
    for n in 1..=SESSIONS {
        assert_eq!(house.folded(session(n)).await.status().as_str(), "escalated");
        assert_eq!(house.problems(session(n)).await, Vec::<String>::new());
    }
    assert_eq!(house.engine.model_outages(), []);
    let text = TextEncoder::new().encode_to_string(&house.metrics.gather()).unwrap();
    assert!(text.contains("provost_model_server_open{server=\"far\"} 0\n"), "{text}");
    house.engine.shutdown(Duration::ZERO).await;
}

/// Red if a server that accepts questions and never answers did not count: it is the deadline of the agent that ends them.
#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_is_away_too() {
    let far = FarServer::new("far", Fate::Hangs);
    let house = house(&[&far]).await;
    for n in 1..=8 {
        house.try_session(session(n), "staging").await.unwrap();
    }
    sleep(5 * MINUTE).await;
    assert_eq!(house.engine.model_outages().len(), 1);
    house.engine.shutdown(Duration::ZERO).await;
}

#[tokio::test(start_paused = true)]
async fn another_model_is_asked_and_recorded_while_the_first_is_away() {
    let (far, near) = (FarServer::new("far", down()), FarServer::new("near", Fate::Answered));
    let house = house(&[&far, &near]).await;
    house.try_session(session(1), "staging").await.unwrap();
    sleep(MINUTE).await;
    assert_eq!(house.folded(session(1)).await.status().as_str(), "escalated");
    let recorded_first = recorded(&house, session(1)).await;
    let of = |name: &str| {
        let its = recorded_first.iter().filter(|(server, _)| server == name);
        its.map(|(_, body)| *body).collect::<Vec<_>>()
    };
    let sent = |server: &FarServer| server.asked().iter().map(|(_, _, body)| *body).collect::<Vec<_>>();
    assert_eq!(of("far"), sent(&far));
    assert_eq!(of("near"), sent(&near));
    assert!(!sent(&far).is_empty() && sent(&near).len() == 2, "{recorded_first:?}");
    assert_eq!(house.problems(session(1)).await, Vec::<String>::new());
    // Once its breaker is open nobody waits for the first at all.
    for n in 2..=9 {
        house.try_session(session(n), "staging").await.unwrap();
    }
    sleep(MINUTE).await;
    let before = far.asked().len();
    for n in 10..=40 {
        house.try_session(session(n), "staging").await.unwrap();
        house.until(session(n), "escalated").await;
    }
    assert!(far.asked().len() <= before + 1, "asked {} times", far.asked().len() - before);
    let straight = (10..=40).filter(|n| far.asked_by(session(*n)) == 0);
    for n in straight {
        assert_eq!(house.count(session(n), "model_deferred").await, 0);
    }
    // Whoever comes once a pause is over asks the first again, and finds it back.
    far.becomes(Fate::Answered);
    sleep(2 * MINUTE).await;
    house.try_session(session(50), "staging").await.unwrap();
    house.until(session(50), "escalated").await;
    assert!(recorded(&house, session(50)).await.iter().all(|(server, _)| server == "far"));
    assert_eq!(house.engine.model_outages(), []);
    house.engine.shutdown(Duration::ZERO).await;
}

/// Red if a session kept the time that one server named before it asked another.
#[tokio::test(start_paused = true)]
async fn what_one_server_asks_for_is_nothing_to_another() {
    let slow = ModelFailure::RateLimited { retry_after_ms: Some(15 * 60 * 1000) };
    let (far, near) = (FarServer::new("far", Fate::Fails(slow)), FarServer::new("near", Fate::Answered));
    let house = house(&[&far, &near]).await;
    house.try_session(session(1), "staging").await.unwrap();
    sleep(MINUTE).await;
    assert_eq!(house.folded(session(1)).await.status().as_str(), "escalated");
    house.engine.shutdown(Duration::ZERO).await;
}

/// Red if a wrong key were hidden by another model.
#[tokio::test(start_paused = true)]
async fn a_fault_of_the_configuration_asks_no_other_model() {
    let wrong_key = Fate::Fails(ModelFailure::LlmConfig { detail: "the key is wrong".to_owned() });
    let (far, near) = (FarServer::new("far", wrong_key), FarServer::new("near", Fate::Answered));
    let house = house(&[&far, &near]).await;
    for n in 1..=8 {
        house.try_session(session(n), "staging").await.unwrap();
        house.rest(session(n)).await;
    }
    assert_eq!((near.asked().len(), house.engine.model_outages()), (0, Vec::new()));
    assert!(far.asked().len() >= 8);
    house.engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn readiness_names_the_models_whose_server_is_away_and_stays_ready() {
    let far = FarServer::new("far", down());
    let house = House::facing(pack(), Arc::clone(&far) as Arc<dyn ModelProvider>).await;
    house.face(gateway(&[&far]));
    let face = Face::over(house).await;
    let ready = async || {
        let answer = Visitor::new(&face.url).get("/readyz").await;
        assert_eq!(answer.status, reqwest::StatusCode::OK);
        serde_json::from_str::<Value>(&answer.text).unwrap()
    };
    assert_eq!(ready().await["models_away"], Value::Null);
    for n in 1..=8 {
        face.house.try_session(session(n), "staging").await.unwrap();
    }
    let away = eventually("a model that is away", PATIENCE, || async {
        let said = ready().await;
        said["models_away"].get(0).cloned()
    });
    let away = away.await.unwrap();
    assert_eq!(away["models"], json!(["stub"]));
    assert!(away["since"].as_str().unwrap().ends_with('Z') && !away.to_string().contains("far"), "{away}");
}
