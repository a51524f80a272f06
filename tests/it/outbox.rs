//! What is told outside: stored before it is sent, sent until it is taken, always under one key.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use hmac::{Hmac, Mac as _};
use provost_domain::ids::Digest;
use provost_tests::daemon::Daemon;
use provost_tests::eventually::eventually;
use provost_tests::shop::Shop;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const PATIENCE: Duration = Duration::from_mins(1);
const SECRET: &str = "hush-hush-hush-hush-hush";

/// A target that is told its answers, answers 202 after them, and keeps what came.
#[derive(Debug, Clone, Default)]
struct Target(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    answers: VecDeque<u16>,
    came: Vec<(HeaderMap, String)>,
}

type Answer = (StatusCode, [(&'static str, &'static str); 1], &'static str);

async fn take(State(target): State<Target>, headers: HeaderMap, body: String) -> Answer {
    let mut told = target.0.lock().unwrap();
    told.came.push((headers, body));
    let status = StatusCode::from_u16(told.answers.pop_front().unwrap_or(202)).unwrap();
    // "Later" is much later; what a refusal says holds the secret.
    let after = if status == StatusCode::TOO_MANY_REQUESTS { "3600" } else { "0" };
    (status, [("retry-after", after)], if status.is_client_error() { SECRET } else { "" })
}

impl Target {
    fn answering(answers: &[u16]) -> Self {
        Self(Arc::new(Mutex::new(Told { answers: answers.iter().copied().collect(), came: Vec::new() })))
    }

    /// Begins to answer.
    fn serve(&self, listener: TcpListener) -> JoinSet<()> {
        let routes = Router::new().fallback(take).with_state(self.clone());
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, routes).await.unwrap() });
        task
    }

    fn came(&self) -> Vec<(HeaderMap, String)> {
        self.0.lock().unwrap().came.clone()
    }
}

/// A daemon whose on-call target is this one, and the session it escalated.
async fn escalated(target: &str, more: &str) -> (Daemon, String) {
    let shop = Shop::start("heals-on-rollback").await;
    std::fs::write(shop.path("secret"), SECRET).unwrap();
    let config = std::fs::read_to_string(shop.path("provost.yaml")).unwrap();
    let plain = format!("notify: {{oncall: {{url: \"{}/oncall\"}}}}", shop.url);
    assert!(config.contains(&plain), "{config}");
    let config = config.replace(&plain, &format!("notify: {{oncall: {{{target}}}}}"));
    std::fs::write(shop.path("provost.yaml"), format!("{config}\n{more}\n")).unwrap();
    let daemon = Daemon::on(shop).await;
    let session = daemon.open().await;
    daemon.until(&session, "awaiting_input").await;
    let args = json!({"team": "platform-oncall", "reason": "by hand", "confidence": 1, "rationale": "seen"});
    let body = json!({"tool": "mark_escalated", "args": args});
    let path = format!("/v1/sessions/{session}/claim");
    let claimed = daemon.ask("operator", Method::POST, &path, Some(body)).await;
    assert_eq!(claimed.status, StatusCode::OK, "{claimed:?}");
    daemon.until(&session, "escalated").await;
    (daemon, session)
}

fn webhook(listener: &TcpListener) -> String {
    format!("kind: webhook, url: \"http://{}/in\", secret: {{file: secret}}", listener.local_addr().unwrap())
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// The one message there is, once it has this state and was tried this often.
async fn message(daemon: &Daemon, state: &str, tries: u64) -> Value {
    let reached = eventually("the message", PATIENCE, || async {
        let items = daemon.all("/v1/outbox").await;
        assert_eq!(items.len(), 1, "{items:?}");
        (items[0]["state"] == state && items[0]["tries"].as_u64().unwrap() >= tries).then(|| items[0].clone())
    });
    reached.await.unwrap_or_else(|error| panic!("{error:?}\n{}", daemon.log()))
}

async fn retry(daemon: &Daemon, message: &Value) -> (StatusCode, Value) {
    let path = format!("/v1/outbox/{}/retry", message["message"].as_str().unwrap());
    let asked = daemon.ask("operator", Method::POST, &path, None).await;
    (asked.status, asked.body)
}

/// Every try came under the message's key.
#[track_caller]
fn one_key(came: &[(HeaderMap, String)], message: &Value) {
    for (headers, _) in came {
        assert_eq!(headers["idempotency-key"].to_str().unwrap(), message["key"], "{came:?}");
    }
}

#[track_caller]
fn signed(headers: &HeaderMap, body: &str) {
    let signature = headers["x-provost-signature"].to_str().unwrap();
    let (seconds, code) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{seconds}.{body}").as_bytes());
    assert_eq!(code, Digest::from_bytes(mac.finalize().into_bytes().into()).hex());
}

#[tokio::test]
async fn a_target_that_fails_is_tried_again_under_one_key_until_it_works() {
    let (listener, target) = (listener().await, Target::answering(&[503, 408]));
    let (daemon, session) = {
        let asked = webhook(&listener);
        let _answering = target.serve(listener);
        let (daemon, session) = escalated(&asked, "").await;
        let sent = message(&daemon, "sent", 3).await;
        assert_eq!((&sent["tries"], &sent["session"], &sent["next_at"]), (&json!(3), &json!(session), &Value::Null));
        assert_eq!(sent["target"], "notify:oncall");
        one_key(&target.came(), &sent);
        (daemon, session)
    };
    let came = target.came();
    assert_eq!(came.len(), 3, "{came:?}");
    for (headers, body) in &came {
        signed(headers, body);
        assert_eq!(serde_json::from_str::<Value>(body).unwrap()["team"], "platform-oncall");
    }
    let events = daemon.get(&format!("/v1/sessions/{session}/events?page_size=1000")).await.to_string();
    assert!(events.contains("\"queued\":true"), "{events}");
    let metrics = daemon.request("viewer", Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    for line in [
        "provost_outbox_tries_total{result=\"again\",target=\"notify:oncall\"} 2",
        "provost_outbox_tries_total{result=\"sent\",target=\"notify:oncall\"} 1",
        "provost_outbox_waiting 0",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
}

#[tokio::test]
async fn what_was_stored_before_a_kill_is_sent_by_the_next_process() {
    // Nobody answers there: what connects waits.
    let listener = listener().await;
    let address = listener.local_addr().unwrap();
    let pager = format!("kind: pagerduty, url: \"http://{address}/v2/enqueue\", routing_key: {{file: secret}}");
    let (daemon, _) = escalated(&pager, "").await;
    let stored = message(&daemon, "waiting", 0).await;
    let fallen = daemon.kill().await;
    let database = std::fs::read(fallen.shop.path("provost.db")).unwrap();
    let log = std::fs::read(fallen.shop.path("provost.db-wal")).unwrap();
    for bytes in [database, log] {
        assert!(!String::from_utf8_lossy(&bytes).contains(SECRET), "the routing key is in the store");
    }

    let target = Target::default();
    let _answering = target.serve(listener);
    let daemon = fallen.rise().await;
    let sent = message(&daemon, "sent", 1).await;
    assert_eq!((&sent["message"], &sent["key"]), (&stored["message"], &stored["key"]));
    let came = target.came();
    one_key(&came, &sent);
    for (_, body) in came {
        let event: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&event["dedup_key"], &event["routing_key"]), (&sent["key"], &json!(SECRET)));
    }
}

#[tokio::test]
async fn a_refusal_is_final_and_shown_and_a_person_has_it_sent_again() {
    let (listener, target) = (listener().await, Target::answering(&[400, 429]));
    let asked = webhook(&listener);
    let _answering = target.serve(listener);
    let (daemon, session) = escalated(&asked, "").await;
    let failed = message(&daemon, "failed", 1).await;
    assert_eq!((&failed["tries"], &failed["next_at"]), (&json!(1), &Value::Null));
    let note = failed["note"].as_str().unwrap();
    assert!(note.starts_with("HTTP 400") && !note.contains(SECRET), "{note}");
    let log = daemon.log();
    assert!(log.lines().any(|line| line.contains("\"ERROR\"") && line.contains("/v1/outbox")), "{log}");
    assert!(!log.contains(SECRET), "{log}");
    let shown = daemon.all(&format!("/v1/outbox?state=failed&session={session}")).await;
    assert_eq!(shown, std::slice::from_ref(&failed));
    assert_eq!(daemon.all("/v1/outbox?state=sent").await, Vec::<Value>::new());
    let wrong = daemon.ask("viewer", Method::GET, "/v1/outbox?state=lost", None).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{wrong:?}");

    let ready = daemon.get("/readyz").await;
    assert_eq!(ready["targets_away"][0]["target"], "notify:oncall", "{ready}");
    assert_eq!(retry(&daemon, &failed).await.0, StatusCode::ACCEPTED);
    let later = message(&daemon, "waiting", 2).await;
    let [tried, next] = ["tried_at", "next_at"].map(|at| later[at].as_str().unwrap().split_once(':').unwrap());
    assert!(tried.1 == next.1 && tried.0 != next.0, "an hour later, as asked: {later}");
    assert_eq!(retry(&daemon, &later).await.0, StatusCode::ACCEPTED);
    let sent = message(&daemon, "sent", 3).await;
    assert_eq!(daemon.get("/readyz").await["targets_away"], Value::Null);
    assert_eq!(target.came().len(), 3);
    one_key(&target.came(), &sent);
    let (status, problem) = retry(&daemon, &sent).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("nothing_to_do")));
    let unknown = retry(&daemon, &json!({"message": "msg_none"})).await;
    assert_eq!(unknown.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_message_that_is_too_old_is_given_up() {
    let (listener, target) = (listener().await, Target::answering(&[503; 99]));
    let asked = webhook(&listener);
    let _answering = target.serve(listener);
    let (daemon, _) = escalated(&asked, "outbox: {give_up_after: 0s}").await;
    let failed = message(&daemon, "failed", 1).await;
    let note = failed["note"].as_str().unwrap();
    assert!(note.starts_with("tried for long enough") && note.contains("503"), "{note}");
    assert_eq!(target.came().len(), 1);
}

#[tokio::test]
async fn a_target_without_the_outbox_is_told_within_the_call() {
    let (listener, target) = (listener().await, Target::default());
    let asked = format!("{}, outbox: false", webhook(&listener));
    let _answering = target.serve(listener);
    let (daemon, _) = escalated(&asked, "").await;
    assert_eq!(target.came().len(), 1);
    assert_eq!(daemon.all("/v1/outbox").await, Vec::<Value>::new());
}
