//! Notifications against a receiver on loopback.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::extract;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hmac::{Hmac, Mac as _};
use provost_domain::failure::FailureKind;
use provost_domain::ids::Digest;
use provost_domain::ids::MessageId;
use provost_domain::port::{AgainAnswer, Clock as _, EnqueueAnswer, NewMessage, Outbox, StoreError, Tried, TryAnswer};
use provost_domain::time::Timestamp;
use provost_domain::tool::{Happened, ToolOutcome};
use provost_tools::ToolSet;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{SECRET, Server, call, content, happened, tools};

/// Answers with each of its answers once, then with 202 and no body, and keeps what came.
#[derive(Debug, Clone, Default)]
struct Receiver(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    answers: VecDeque<(u16, String)>,
    came: Vec<(HeaderMap, String)>,
}

async fn receive(
    extract::State(receiver): extract::State<Receiver>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let mut state = receiver.0.lock().unwrap();
    state.came.push((headers, body));
    let (status, answer) = state.answers.pop_front().unwrap_or((202, String::new()));
    (StatusCode::from_u16(status).unwrap(), answer)
}

impl Receiver {
    async fn start(answers: &[(u16, &str)]) -> (Self, Server) {
        let receiver = Self::default();
        receiver.0.lock().unwrap().answers =
            answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
        let routes = Router::new().route("/in", post(receive)).with_state(receiver.clone());
        (receiver, Server::start(routes).await)
    }

    fn came(&self) -> Vec<(HeaderMap, String)> {
        self.0.lock().unwrap().came.clone()
    }
}

/// The tools of this one target.
fn targets(target: &Value) -> ToolSet {
    tools(&json!({"notify": {"team": target}}))
}

async fn notified(target: Value, args: Value) -> ToolOutcome {
    call(&targets(&target), "notify:team", args).await
}

fn webhook(server: &Server) -> Value {
    json!({"url": format!("{}/in", server.url)})
}

fn signed(server: &Server) -> Value {
    json!({"url": format!("{}/in", server.url), "secret": {"env": "KEY"}})
}

fn pager(server: &Server) -> Value {
    json!({"kind": "pagerduty", "url": format!("{}/in", server.url), "routing_key": {"env": "KEY"}})
}

fn args() -> Value {
    json!({"team": "red", "reason": "down"})
}

#[tokio::test]
async fn a_webhook_gets_the_arguments_the_key_and_a_signature() {
    let (receiver, server) = Receiver::start(&[]).await;
    assert_eq!(content(notified(signed(&server), args()).await), "delivered");
    assert_eq!(content(notified(webhook(&server), args()).await), "delivered");
    let came = receiver.came();
    let [(signed, body), (plain, _)] = came.as_slice() else { panic!("{came:?}") };
    assert_eq!(
        (&signed["idempotency-key"], &signed["content-type"]),
        (&"the-key".parse().unwrap(), &"application/json".parse().unwrap())
    );
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), args());
    let code = signed["x-provost-signature"].to_str().unwrap().strip_prefix("t=1700000000,v1=").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("1700000000.{body}").as_bytes());
    assert_eq!(code, Digest::from_bytes(mac.finalize().into_bytes().into()).hex());
    assert!(plain.get("x-provost-signature").is_none());
}

#[tokio::test]
async fn a_pager_gets_an_event_of_its_format() {
    let (receiver, server) = Receiver::start(&[(202, "{\"status\": \"success\"}")]).await;
    let mut args = args();
    args["severity"] = json!("medium");
    assert_eq!(content(notified(pager(&server), args.clone()).await)["status"], "success");
    args["severity"] = json!("critical");
    args["summary"] = json!("x".repeat(2000));
    content(notified(pager(&server), args.clone()).await);
    let events: Vec<Value> = receiver.came().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    assert_eq!(
        events[0],
        json!({
            "routing_key": SECRET, "event_action": "trigger", "dedup_key": "the-key", "client": "Provost",
            "payload": {"summary": "red: down", "source": "provost", "severity": "warning",
                "custom_details": {"team": "red", "reason": "down", "severity": "medium"}},
        })
    );
    assert_eq!(events[1]["payload"]["severity"], "critical");
    assert_eq!(events[1]["payload"]["summary"], "x".repeat(1024));
}

#[tokio::test]
async fn what_may_succeed_later_is_tried_again_under_the_same_key() {
    let (receiver, server) = Receiver::start(&[(429, ""), (500, ""), (503, "")]).await;
    assert_eq!(content(notified(pager(&server), args()).await), "delivered");
    let came = receiver.came();
    assert_eq!(came.len(), 4);
    assert!(
        came.iter().all(|(headers, body)| headers["idempotency-key"] == "the-key" && *body == came[0].1),
        "{came:?}"
    );
}

#[tokio::test]
async fn a_refusal_is_final_and_tells_no_secret() {
    let (receiver, server) = Receiver::start(&[(400, SECRET), (500, ""), (400, SECRET)]).await;
    let refused = notified(pager(&server), args()).await;
    assert!(!format!("{refused:?}").contains(SECRET), "{refused:?}");
    assert_eq!(happened(refused), (Happened::No, FailureKind::Permanent));
    assert_eq!(receiver.came().len(), 1);
    // The first attempt may have been heard.
    let in_doubt = notified(pager(&server), args()).await;
    assert_eq!(happened(in_doubt), (Happened::Maybe, FailureKind::Permanent));
    let (_, server) = Receiver::start(&[(200, SECRET)]).await;
    let echoed = notified(signed(&server), args()).await;
    assert!(!format!("{echoed:?}").contains(SECRET), "{echoed:?}");
}

/// Keeps what is stored, or fails.
#[derive(Debug, Default)]
struct Drawer {
    stored: Mutex<Vec<NewMessage>>,
    broken: bool,
}

#[async_trait]
impl Outbox for Drawer {
    async fn enqueue(&self, message: NewMessage) -> Result<EnqueueAnswer, StoreError> {
        if self.broken {
            return Err(StoreError::Failed { detail: "disk full".to_owned() });
        }
        self.stored.lock().unwrap().push(message);
        Ok(EnqueueAnswer::Stored)
    }

    async fn tried(&self, _: &Tried) -> Result<TryAnswer, StoreError> {
        panic!("a tool tries nothing")
    }

    async fn again(&self, _: &MessageId, _: Timestamp) -> Result<AgainAnswer, StoreError> {
        panic!("a tool tries nothing")
    }
}

#[tokio::test]
async fn with_an_outbox_a_notification_is_stored_and_nothing_is_sent() {
    let (receiver, server) = Receiver::start(&[]).await;
    let drawer = Arc::new(Drawer::default());
    let queueing = targets(&webhook(&server)).with_outbox(Arc::clone(&drawer) as _);
    let answer = content(call(&queueing, "notify:team", args()).await);
    assert_eq!(answer, json!({"queued": true, "key": "the-key"}));
    assert_eq!(receiver.came().len(), 0);
    {
        let stored = drawer.stored.lock().unwrap();
        let [message] = stored.as_slice() else { panic!("{stored:?}") };
        assert_eq!((&*message.call.args, message.call.key.as_str()), (&args(), "the-key"));
        assert_eq!(message.at, crate::Noon.now());
    }
    let mut direct = webhook(&server);
    direct["outbox"] = json!(false);
    let sending = targets(&direct).with_outbox(Arc::clone(&drawer) as _);
    assert_eq!(content(call(&sending, "notify:team", args()).await), "delivered");
    assert_eq!((receiver.came().len(), drawer.stored.lock().unwrap().len()), (1, 1));

    let broken = Arc::new(Drawer { broken: true, ..Drawer::default() });
    let queueing = targets(&webhook(&server)).with_outbox(broken);
    let failed = call(&queueing, "notify:team", args()).await;
    assert_eq!(happened(failed), (Happened::Maybe, FailureKind::Transient));
}
