//! Deliveries from outside: durable before they are answered, and each case once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::ids::{DeliveryId, Digest};
use provost_domain::port::{
    Arrived, Clock as _, Deliveries, DeliveryFilter, DeliveryReads as _, DeliveryState, DismissAnswer, Finish,
    NewDelivery, Reads as _, SessionFilter, StoreError,
};
use provost_domain::principal::Principal;
use provost_domain::schema::ArgSchema;
use provost_engine::SystemClock;
use provost_mail::{DeliveryFormat, FormatSettings, Intake, IntakeParts, IntakeSettings};
use provost_store::SqliteStore;
use provost_tests::daemon::{Answered, Daemon, answered};
use provost_tests::eventually::eventually;
use provost_tests::house::House;
use provost_tests::shop::Shop;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const PATIENCE: Duration = Duration::from_mins(1);
pub(crate) const ROUTING_KEY: &str = "0123456789abcdef0123456789abcdef";
const INTAKE: &str = "intake:\n  alertmanager: {pack: incident}\n  \
                      pagerduty: {pack: incident, routing_keys: {checkout: {file: routing-key}}}\n";

pub(crate) async fn shop(variant: &str) -> Shop {
    let shop = Shop::start(variant).await;
    std::fs::write(shop.path("routing-key"), format!("{ROUTING_KEY}\n")).unwrap();
    std::fs::copy(shop.path("provost.yaml"), shop.path("base.yaml")).unwrap();
    configure(&shop, &base(&shop), "");
    shop
}

/// The configuration without deliveries.
pub(crate) fn base(shop: &Shop) -> String {
    std::fs::read_to_string(shop.path("base.yaml")).unwrap()
}

/// Who starts from now on takes deliveries.
pub(crate) fn configure(shop: &Shop, base: &str, more: &str) {
    std::fs::write(shop.path("provost.yaml"), format!("{base}\n{INTAKE}{more}")).unwrap();
}

pub(crate) async fn daemon(variant: &str) -> Daemon {
    Daemon::on(shop(variant).await).await
}

/// A daemon with as many sessions as it may have: the one that is open asks a model that never answers.
struct Full {
    daemon: Daemon,
    _model: TcpListener,
}

impl Full {
    async fn start(more: &str) -> Self {
        let shop = shop("already-healthy").await;
        let model = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = model.local_addr().unwrap();
        let silent = format!("  default: {{provider: openai_compatible, base_url: \"http://{url}/v1\", model: m}}");
        let base = base(&shop);
        let lines = base.lines().map(|line| if line.starts_with("  default:") { &silent } else { line });
        let config = lines.collect::<Vec<_>>().join("\n");
        configure(&shop, &format!("{config}\nengine: {{sessions_max: 1}}"), more);
        let daemon = Daemon::on(shop).await;
        daemon.open().await;
        Self { daemon, _model: model }
    }

    /// Kills it, and starts one that has room.
    async fn crash(self, more: &str) -> Daemon {
        configure(&self.daemon.shop, &base(&self.daemon.shop), more);
        self.daemon.crash().await
    }
}

pub(crate) fn alert(name: &str, status: &str) -> Value {
    let labels = json!({"alertname": "ShopErrors", "service": "shop", "environment": "production"});
    json!({"status": status, "labels": labels, "startsAt": "2026-01-01T00:00:00Z", "fingerprint": name})
}

pub(crate) fn group(key: &str, alerts: &[Value]) -> Value {
    json!({"version": "4", "groupKey": key, "status": "firing", "receiver": "r", "alerts": alerts})
}

pub(crate) fn fires(names: &[&str]) -> Value {
    group("g", &names.iter().map(|name| alert(name, "firing")).collect::<Vec<_>>())
}

pub(crate) async fn post(daemon: &Daemon, body: &Value) -> Answered {
    daemon.ask("intake", Method::POST, "/hooks/alertmanager", Some(body.clone())).await
}

pub(crate) async fn delivered(daemon: &Daemon, body: &Value) {
    let taken = post(daemon, body).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{taken:?}");
    daemon.settled().await;
}

pub(crate) async fn sessions(daemon: &Daemon) -> Vec<String> {
    let sessions = daemon.all("/v1/sessions").await;
    sessions.iter().map(|session| session["session"].as_str().unwrap().to_owned()).collect()
}

/// The one session there is.
pub(crate) async fn only(daemon: &Daemon) -> String {
    let mut sessions = sessions(daemon).await;
    assert_eq!(sessions.len(), 1, "{sessions:?}\n{}", daemon.log());
    sessions.remove(0)
}

/// Joined and resolved, as counted by each signal of a session.
pub(crate) async fn signals(daemon: &Daemon, session: &str) -> Vec<(u64, u64)> {
    let events = daemon.get(&format!("/v1/sessions/{session}/events?page_size=1000")).await;
    let signals = events["items"].as_array().unwrap().iter().filter(|event| event["kind"] == "signal_received");
    let count = |event: &Value, part: &str| event["data"]["payload"][part]["count"].as_u64().unwrap();
    signals.map(|event| (count(event, "joined"), count(event, "resolved"))).collect()
}

#[tokio::test]
async fn a_thousand_repetitions_and_twins_are_one_session() {
    const SENT: usize = 1000;
    let daemon = Arc::new(daemon("already-healthy").await);
    let mut senders = JoinSet::new();
    for sender in 0..20 {
        let daemon = Arc::clone(&daemon);
        senders.spawn(async move {
            for _ in 0..SENT / 20 {
                // A twin knows itself by another address.
                let mut body = fires(&["a"]);
                body["externalURL"] = json!(format!("http://twin-{}", sender % 2));
                let taken = post(&daemon, &body).await;
                assert_eq!(taken.status, StatusCode::ACCEPTED, "{taken:?}");
            }
        });
    }
    senders.join_all().await;
    daemon.settled().await;
    let session = only(&daemon).await;
    let stored = daemon.all("/v1/deliveries?state=done").await;
    assert_eq!(stored.len(), SENT);
    assert!(stored.iter().all(|delivery| delivery["session"] == session.as_str()), "{stored:?}");
    assert_eq!(signals(&daemon, &session).await, []);
}

#[tokio::test]
async fn an_open_session_is_told_of_what_joins_and_of_what_is_over_once() {
    let daemon = daemon("heals-on-rollback").await;
    delivered(&daemon, &fires(&["a"])).await;
    let session = only(&daemon).await;
    daemon.until(&session, "awaiting_input").await;
    delivered(&daemon, &fires(&["a", "b"])).await;
    delivered(&daemon, &fires(&["a", "b"])).await;
    let resolved = group("g", &[alert("a", "resolved"), alert("b", "firing")]);
    delivered(&daemon, &resolved).await;
    delivered(&daemon, &resolved).await;
    assert_eq!(signals(&daemon, &session).await, [(1, 0), (0, 1)]);
    // Another group is another case.
    delivered(&daemon, &group("other", &[alert("a", "firing")])).await;
    assert_eq!(sessions(&daemon).await.len(), 2);
}

#[tokio::test]
async fn an_ended_session_hears_a_late_end_and_a_new_alert_opens_its_child() {
    let daemon = daemon("already-healthy").await;
    delivered(&daemon, &fires(&["a"])).await;
    let first = only(&daemon).await;
    daemon.until(&first, "resolved").await;
    delivered(&daemon, &fires(&["a"])).await;
    delivered(&daemon, &group("g", &[alert("a", "resolved")])).await;
    assert_eq!(only(&daemon).await, first);
    assert_eq!(signals(&daemon, &first).await, [(0, 1)]);
    daemon.until(&first, "resolved").await;

    delivered(&daemon, &fires(&["b"])).await;
    let both = sessions(&daemon).await;
    let second = both.iter().find(|session| **session != first).unwrap();
    let events = daemon.get(&format!("/v1/sessions/{second}/events")).await;
    assert_eq!((both.len(), &events["items"][0]["data"]["parent"]), (2, &json!(first)));
}

#[tokio::test]
async fn what_a_killed_daemon_had_stored_is_opened_once_by_the_next() {
    let full = Full::start("").await;
    let daemon = &full.daemon;
    let held = only(daemon).await;
    for _ in 0..3 {
        assert_eq!(post(daemon, &fires(&["a"])).await.status, StatusCode::ACCEPTED);
    }
    let store = SqliteStore::open_read_only(&daemon.shop.path("provost.db")).await.unwrap();
    let planned = eventually("a plan without its session", PATIENCE, || async {
        let (group, _) = store.waiting().await.unwrap().first().copied()?;
        store.work(group, 1).await.unwrap().plan
    });
    planned.await.unwrap();
    store.close().await;
    assert_eq!(only(daemon).await, held);
    assert_eq!(daemon.all("/v1/deliveries?state=waiting").await.len(), 3);
    let daemon = full.crash("").await;
    daemon.settled().await;
    let opened = sessions(&daemon).await;
    let session = opened.iter().find(|session| **session != held).unwrap();
    daemon.until(session, "resolved").await;
    let daemon = daemon.crash().await;
    daemon.settled().await;
    assert_eq!((opened.len(), sessions(&daemon).await), (2, opened.clone()));
    assert_eq!(signals(&daemon, session).await, []);
}

#[tokio::test]
async fn when_too_many_wait_senders_are_told_to_try_again() {
    let full = Full::start("  waiting_max: 2\n").await;
    for _ in 0..2 {
        assert_eq!(post(&full.daemon, &fires(&["a"])).await.status, StatusCode::ACCEPTED);
    }
    let refused = post(&full.daemon, &fires(&["a"])).await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("saturated")));
    assert!(refused.retry_after.is_some(), "{refused:?}");
    let daemon = full.crash("  waiting_max: 2\n").await;
    daemon.settled().await;
    // As many again: what was worked on no longer counts.
    for _ in 0..2 {
        delivered(&daemon, &fires(&["a"])).await;
    }
    assert_eq!((sessions(&daemon).await.len(), daemon.all("/v1/deliveries").await.len()), (2, 4));
}

#[tokio::test]
async fn an_ending_daemon_tells_senders_to_try_again() {
    // A session that does not come to rest keeps it from ending before it has answered.
    let Full { daemon, _model } = Full::start("").await;
    let address = daemon.url.trim_start_matches("http://").to_owned();
    let body = fires(&["a"]).to_string();
    let head = format!(
        "POST /hooks/alertmanager HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\
         expect: 100-continue\r\nconnection: close\r\n\r\n",
        daemon.secret("intake"),
        body.len()
    );
    let mut sender = TcpStream::connect(&address).await.unwrap();
    sender.write_all(head.as_bytes()).await.unwrap();
    // It asks for the body, so the request is under way.
    let mut asked = [0; 25];
    sender.read_exact(&mut asked).await.unwrap();
    assert!(asked.starts_with(b"HTTP/1.1 100"), "{asked:?}");
    daemon.terminate().await;
    let refused = eventually("the socket to be closed", PATIENCE, || async {
        TcpStream::connect(&address).await.is_err().then_some(())
    });
    refused.await.unwrap();
    sender.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    sender.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("shutting_down"), "{answer}");
    assert!(answer.to_lowercase().contains("retry-after"), "{answer}");
    // Told again, it does not wait.
    let (shop, _) = daemon.stop().await;
    let filter = DeliveryFilter { limit: 10, ..DeliveryFilter::default() };
    let store = SqliteStore::open(&shop.path("provost.db")).await.unwrap();
    assert_eq!(store.reads().deliveries(&filter).await.unwrap(), []);
    store.close().await;
}

#[tokio::test]
async fn a_bad_delivery_is_answered_clearly_and_kept() {
    let daemon = daemon("already-healthy").await;
    let mut elsewhere = alert("a", "firing");
    elsewhere["labels"] = json!({"pod": "web-0"});
    let cases = [
        ("{".to_owned(), 400, "invalid_request"),
        (json!({"version": "4"}).to_string(), 422, "invalid_body"),
        (
            group("g", &[json!({"status": "firing", "startsAt": "t", "fingerprint": "1"})]).to_string(),
            422,
            "invalid_fields",
        ),
        (group("g", &[elsewhere]).to_string(), 422, "invalid_fields"),
    ];
    for (body, status, code) in &cases {
        let request = daemon.request("intake", Method::POST, "/hooks/alertmanager").body(body.clone());
        let refused = answered(request.send().await.unwrap()).await;
        assert_eq!((refused.status.as_u16(), &refused.body["code"]), (*status, &json!(code)), "{refused:?}");
        assert_eq!(refused.content_type, "application/problem+json");
        let kept = daemon.get("/v1/deliveries?state=bad&page_size=1").await;
        assert_eq!(
            (&kept["items"][0]["delivery"], &kept["items"][0]["bytes"]),
            (&refused.body["delivery"], &json!(body.len()))
        );
        assert_ne!(kept["items"][0]["note"], "");
        // It is as bad as before.
        let path = format!("/v1/deliveries/{}/replay", refused.body["delivery"].as_str().unwrap());
        assert_eq!(daemon.ask("operator", Method::POST, &path, None).await.status, refused.status);
    }
    assert_eq!(daemon.all("/v1/deliveries").await.len(), cases.len());
    assert_eq!(sessions(&daemon).await, Vec::<String>::new());
}

/// Alertmanager tells of a group's old alerts and its new ones together, and again and again.
#[tokio::test]
async fn what_an_erased_session_was_told_goes_also_from_the_deliveries_of_the_next() {
    let daemon = daemon("already-healthy").await;
    let alert = |name: &str, status: &str, text: &str| {
        let mut alert = alert(name, status);
        alert["annotations"] = json!({ "summary": text });
        alert
    };
    let holding = |text: &str| {
        let files = std::fs::read_dir(daemon.shop.path("")).unwrap().map(|entry| entry.unwrap().path());
        let holds = |path: &std::path::PathBuf| {
            path.is_file() && std::fs::read(path).unwrap().windows(text.len()).any(|part| part == text.as_bytes())
        };
        files.filter(holds).collect::<Vec<_>>()
    };
    // The old alert goes on, or is over: then the old session is told so.
    for status in ["firing", "resolved"] {
        let [old, new] = ["OLD", "NEW"].map(|which| format!("MARKER-{which}-{status}"));
        let before = sessions(&daemon).await;
        delivered(&daemon, &group(status, &[alert("a", "firing", &old)])).await;
        let session = sessions(&daemon).await.into_iter().find(|session| !before.contains(session)).unwrap();
        daemon.until(&session, "resolved").await;
        for _ in 0..2 {
            delivered(&daemon, &group(status, &[alert("a", status, &old), alert("b", "firing", &new)])).await;
        }
        assert_eq!(sessions(&daemon).await.len(), before.len() + 2);
        assert!(!holding(&old).is_empty());
        let erased = eventually("the session to be free", PATIENCE, || async {
            let (path, reason) = (format!("/v1/sessions/{session}/erase"), json!({"reason": "asked for"}));
            let answered = daemon.ask("admin", Method::POST, &path, Some(reason)).await;
            (answered.status != StatusCode::TOO_MANY_REQUESTS).then_some(answered)
        });
        let erased = erased.await.unwrap();
        assert_eq!((erased.status, &erased.body["scrubbed"]), (StatusCode::OK, &json!(true)), "{erased:?}");
        assert_eq!(holding(&old), Vec::<std::path::PathBuf>::new());
        assert!(!holding(&new).is_empty(), "the next session's own log says it");
    }
}

#[tokio::test]
async fn what_is_good_by_now_is_replayed_once() {
    let shop = shop("already-healthy").await;
    let store = SqliteStore::open(&shop.path("provost.db")).await.unwrap();
    let arrived = Arrived::Bad { reason: "was no environment of ours".to_owned() };
    store.deliver(waiting("dlv_1", &fires(&["a"]), arrived)).await.unwrap();
    store.close().await;
    let daemon = Daemon::on(shop).await;
    let path = "/v1/deliveries/dlv_1/replay";
    let taken = daemon.ask("operator", Method::POST, path, None).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{taken:?}");
    daemon.settled().await;
    only(&daemon).await;
    let again = daemon.ask("operator", Method::POST, path, None).await;
    assert_eq!((again.status, &again.body["code"]), (StatusCode::CONFLICT, &json!("nothing_to_do")));
    let unknown = daemon.ask("operator", Method::POST, "/v1/deliveries/none/replay", None).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(daemon.all("/v1/deliveries?state=done").await.len(), 2);
}

pub(crate) fn event(action: &str) -> Value {
    let details = json!({"service": "shop", "environment": "production"});
    json!({"routing_key": ROUTING_KEY, "event_action": action, "dedup_key": "d", "payload": {
        "summary": "checkout fails", "source": "db1", "severity": "critical", "custom_details": details}})
}

#[tokio::test]
async fn whatever_pages_can_deliver_with_a_routing_key() {
    let daemon = daemon("already-healthy").await;
    let enqueue = |role, body| daemon.ask(role, Method::POST, "/v2/enqueue", Some(body));
    let mut wrong = event("trigger");
    wrong["routing_key"] = json!("f".repeat(32));
    let refused = enqueue("", wrong.clone()).await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::UNAUTHORIZED, &json!("unauthenticated")));
    assert_eq!(
        enqueue("viewer", event("trigger")).await.status,
        StatusCode::FORBIDDEN,
        "a known sender without the right"
    );

    let taken = enqueue("", event("trigger")).await;
    assert_eq!((taken.status, &taken.body["status"]), (StatusCode::ACCEPTED, &json!("success")), "{taken:?}");
    assert_eq!(taken.body["dedup_key"], "d");
    daemon.settled().await;
    let session = only(&daemon).await;
    daemon.until(&session, "resolved").await;
    // With a token, any key will do; it is another sender, so the same key names another case.
    assert_eq!(enqueue("intake", wrong).await.status, StatusCode::ACCEPTED);
    daemon.settled().await;
    assert_eq!(sessions(&daemon).await.len(), 2);
    for action in ["acknowledge", "resolve", "resolve"] {
        assert_eq!(enqueue("", event(action)).await.status, StatusCode::ACCEPTED);
        daemon.settled().await;
    }
    assert_eq!(signals(&daemon, &session).await, [(0, 1)]);
    // A trigger of what was resolved is a new one.
    assert_eq!(enqueue("", event("trigger")).await.status, StatusCode::ACCEPTED);
    daemon.settled().await;
    assert_eq!(sessions(&daemon).await.len(), 3);

    let by: Vec<_> = daemon.all("/v1/deliveries").await.iter().map(|delivery| delivery["by"].clone()).collect();
    assert_eq!(by.iter().filter(|by| **by == "intake:checkout").count(), 5, "{by:?}");
    assert!(!daemon.log().contains(ROUTING_KEY));
    let (shop, _) = daemon.stop().await;
    let database = std::fs::read(shop.path("provost.db")).unwrap();
    assert!(!database.windows(ROUTING_KEY.len()).any(|window| window == ROUTING_KEY.as_bytes()), "the key is stored");
}

#[tokio::test]
async fn what_is_not_configured_is_not_taken() {
    let daemon = Daemon::start("already-healthy").await;
    let refused = post(&daemon, &fires(&["a"])).await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::NOT_FOUND, &json!("not_found")));
    let read = daemon.ask("intake", Method::GET, "/v1/deliveries", None).await;
    assert_eq!(read.status, StatusCode::FORBIDDEN);
}

fn waiting(id: &str, body: &Value, arrived: Arrived) -> NewDelivery {
    let source = "alertmanager".to_owned();
    let (by, body) = (Principal::parse("intake:a"), body.to_string().into_bytes());
    NewDelivery { id: DeliveryId::new(id), source, by, body, arrived, at: SystemClock.now() }
}

/// A store that fails to finish a group's work a few times: the process might as well have been killed there.
#[derive(Debug)]
struct Unfinished {
    store: SqliteStore,
    failures: AtomicU32,
}

#[async_trait]
impl Deliveries for Unfinished {
    async fn deliver(&self, delivery: NewDelivery) -> Result<(), StoreError> {
        self.store.deliver(delivery).await
    }

    async fn plan(&self, group: Digest, plan: &str) -> Result<(), StoreError> {
        self.store.plan(group, plan).await
    }

    async fn finish(&self, finish: Finish) -> Result<u64, StoreError> {
        let left = self.failures.load(Ordering::Relaxed);
        if left > 0 {
            self.failures.store(left - 1, Ordering::Relaxed);
            return Err(StoreError::Failed { detail: "no".to_owned() });
        }
        self.store.finish(finish).await
    }

    async fn dismiss(&self, id: &DeliveryId, note: &str) -> Result<DismissAnswer, StoreError> {
        self.store.dismiss(id, note).await
    }
}

#[tokio::test]
async fn a_plan_that_was_carried_out_and_not_finished_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("p.db")).await.unwrap();
    let mut pack = provost_tests::pack::pack();
    pack.fields = ArgSchema::new(json!({"type": "object"})).unwrap();
    let house = House::on(Arc::new(store.clone()), Arc::new(pack)).await;
    let digest = Digest::of(b"g");
    for (id, body) in [("1", fires(&["a", "b"])), ("2", group("g", &[alert("a", "resolved")]))] {
        store.deliver(waiting(id, &body, Arrived::Waiting { group: digest })).await.unwrap();
    }
    let parts = IntakeParts {
        engine: house.engine.clone(),
        deliveries: Arc::new(Unfinished { store: store.clone(), failures: AtomicU32::new(2) }),
        reads: Arc::new(store.reads()),
        clock: Arc::new(SystemClock),
        metrics: prometheus::Registry::new(),
    };
    let settings = FormatSettings::of_pack("case");
    let settings =
        IntakeSettings { formats: [(DeliveryFormat::Alertmanager, settings)].into(), waiting_max: 10, max_cases: 20 };
    let _intake = Intake::start(parts, settings).await.unwrap();
    let filter = DeliveryFilter { state: Some(DeliveryState::Done), before: None, limit: 10 };
    let finished = eventually("both deliveries to be done", PATIENCE, || async {
        let rows = store.reads().deliveries(&filter).await.unwrap();
        (rows.len() == 2).then_some(rows)
    });
    let rows = finished.await.unwrap();
    let opened = store.reads().sessions(&SessionFilter { limit: 10, ..SessionFilter::default() }).await.unwrap();
    assert_eq!((opened.len(), rows[0].session, rows[1].session), (1, Some(opened[0].id), Some(opened[0].id)));
    assert_eq!(house.count(opened[0].id, "signal_received").await, 1);
    house.engine.shutdown(Duration::ZERO).await;
}
