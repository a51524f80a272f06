//! Deliveries of senders that sign what they send, of several packs, and at times of a pack's own, in the running program.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hmac::{Hmac, Mac as _};
use provost_domain::calendar::Calendar;
use provost_domain::ids::Digest;
use provost_domain::pack::{CaseSchedule, SCHEDULES};
use provost_domain::port::{Clock, DeliveryFilter, DeliveryReads as _, DeliveryState, Reads as _, SessionFilter};
use provost_domain::schema::ArgSchema;
use provost_domain::time::Timestamp;
use provost_engine::SystemClock;
use provost_expr::TemplateTree;
use provost_mail::{DeliveryFormat, FormatSettings, Intake, IntakeParts, IntakeSettings};
use provost_store::SqliteStore;
use provost_tests::daemon::{Answered, Daemon, answered};
use provost_tests::eventually::eventually;
use provost_tests::house::House;
use provost_tests::shipped;
use provost_tests::shop::Shop;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::intake::{alert, group, only, sessions};

const SECRET: &str = "a-secret-of-both-sides";
const PATIENCE: Duration = Duration::from_mins(1);
/// The part `intake` of the shipped pack begins so.
const BEGINS: &str = "intake:                           # how a delivery becomes the fields of a session\n";
const CONFIG: &str = "intake:
  github: {pack: incident, secrets: {org: {file: hook-secret}}}
  pagerduty_v3: {pack: incident, secrets: {pager: {file: hook-secret}}}
  cloudevents: {pack: incident}
  webhooks:
    certs:
      pack: incident
      signature: {secrets: {emitter: {file: hook-secret}}, header: X-Code, prefix: 'v0=', timestamp: X-Time}
    plain: {pack: incident}
";
const MAPPINGS: &str = "  github:
    when: github.event == \"pull_request\" && event.action in [\"opened\", \"synchronize\"]
    fields: {summary: event.pull_request.head.sha, service: event.repository.name, environment: event.base}
  cloudevents:
    fields: {summary: event.type, service: event.data.service, environment: {from: [], default: production}}
  webhook.certs:
    payload: {host: string, environment: optional string}
    fields: {summary: source, service: body.host, environment: {from: [body.environment], default: production}}
  webhook.plain:
    payload: outside
    group: [body.team]
    fields: {summary: body.text, service: body.text, environment: {from: [], default: production}}
";

/// The shipped pack with `before` its part `intake` and `more` in it, under another name if one is given.
fn pack(to: &Path, name: &str, before: &str, more: &str) {
    shipped::copy(to, &|path, text| {
        if path.file_name().is_none_or(|file| file != "pack.yaml") {
            return text;
        }
        let text = text.replace(BEGINS, &format!("{before}intake:\n{more}"));
        text.replace("\npack: incident\n", &format!("\npack: {name}\n"))
    });
}

async fn daemon(before: &str, config: &str) -> Daemon {
    let shop = Shop::start("heals-on-rollback").await;
    let own = shop.path("incident");
    pack(&own, "incident", before, MAPPINGS);
    std::fs::write(shop.path("hook-secret"), SECRET).unwrap();
    let file = shop.path("provost.yaml");
    let text =
        std::fs::read_to_string(&file).unwrap().replace(shipped::folder().to_str().unwrap(), own.to_str().unwrap());
    std::fs::write(file, format!("{text}\n{config}")).unwrap();
    Daemon::on(shop).await
}

fn code(parts: &[&str]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    for part in parts {
        mac.update(part.as_bytes());
    }
    Digest::from_bytes(mac.finalize().into_bytes().into()).hex()
}

async fn post(daemon: &Daemon, role: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answered {
    let mut request = daemon.request(role, Method::POST, path).body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answered(request.send().await.unwrap()).await
}

fn pull_request(head: &str) -> String {
    json!({"action": "synchronize", "base": "production", "repository": {"name": "shop"},
        "pull_request": {"head": {"sha": head}}})
    .to_string()
}

async fn github(daemon: &Daemon, kind: &str, delivery: &str, body: &str) -> Answered {
    let signature = format!("sha256={}", code(&[body]));
    let headers =
        [("X-GitHub-Event", kind), ("X-GitHub-Delivery", delivery), ("X-Hub-Signature-256", signature.as_str())];
    post(daemon, "", "/hooks/github", &headers, body).await
}

#[tokio::test]
async fn another_head_supersedes_the_open_case_and_a_redelivery_does_nothing() {
    let daemon = daemon("supersede: [summary]\n", CONFIG).await;
    let first = github(&daemon, "pull_request", "d-1", &pull_request("aaa")).await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{first:?}");
    daemon.settled().await;
    let old = only(&daemon).await;
    daemon.until(&old, "awaiting_input").await;
    let again = github(&daemon, "pull_request", "d-1", &pull_request("aaa")).await;
    assert_eq!((again.status, &again.body), (StatusCode::ACCEPTED, &first.body), "the same answer");
    assert_eq!(daemon.all("/v1/deliveries").await.len(), 1, "and nothing is stored again");
    // The same head once more is news, another kind of event is nothing.
    for (kind, delivery) in [("pull_request", "d-2"), ("issues", "d-3"), ("ping", "d-4")] {
        let taken = github(&daemon, kind, delivery, &pull_request("aaa")).await;
        assert_eq!(taken.status, StatusCode::ACCEPTED, "{taken:?}");
    }
    daemon.settled().await;
    assert_eq!(only(&daemon).await, old);

    let other = github(&daemon, "pull_request", "d-5", &pull_request("bbb")).await;
    assert_eq!(other.status, StatusCode::ACCEPTED, "{other:?}");
    daemon.settled().await;
    daemon.until(&old, "stopped").await;
    let all = sessions(&daemon).await;
    assert_eq!(all.len(), 2, "{all:?}");
    let events = daemon.all(&format!("/v1/sessions/{old}/events")).await;
    let stop = events.iter().find(|event| event["kind"] == "stop_requested").unwrap();
    assert_eq!(stop["data"], json!({"by": "intake:org", "reason": "superseded by summary bbb"}));
    let child = all.iter().find(|session| **session != old).unwrap();
    let opened = daemon.all(&format!("/v1/sessions/{child}/events")).await[0]["data"].clone();
    assert!(opened.to_string().contains(&old), "its parent is the old one: {opened}");
}

#[tokio::test]
async fn who_does_not_sign_delivers_nothing() {
    let daemon = daemon("", CONFIG).await;
    let body = pull_request("aaa");
    let wrong = format!("sha256={}", code(&["another body"]));
    for headers in [&[][..], &[("X-Hub-Signature-256", wrong.as_str())], &[("X-Hub-Signature-256", "sha256=")]] {
        for role in ["", "intake", "admin"] {
            let refused = post(&daemon, role, "/hooks/github", headers, &body).await;
            assert_eq!((refused.status, &refused.body["code"]), (StatusCode::UNAUTHORIZED, &json!("unauthenticated")));
        }
    }
    let pager =
        json!({"event": {"id": "e", "event_type": "incident.triggered", "data": {"id": "P1", "title": "it hurts",
        "service": {"summary": "shop"}}}})
        .to_string();
    let refused = post(&daemon, "", "/hooks/pagerduty", &[("X-PagerDuty-Signature", "v1=00")], &pager).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(daemon.all("/v1/deliveries").await, Vec::<Value>::new());
    let signature = format!("v1=00,v1={}", code(&[&pager]));
    let headers = [("X-PagerDuty-Signature", signature.as_str()), ("X-Webhook-Id", "w-1")];
    let taken = post(&daemon, "", "/hooks/pagerduty", &headers, &pager).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{taken:?}");
    daemon.settled().await;
    let session = only(&daemon).await;
    let fields = daemon.get(&format!("/v1/sessions/{session}")).await["fields"].clone();
    assert_eq!((&fields["service"], &fields["summary"]), (&json!("shop"), &json!("it hurts")), "{fields}");
}

#[tokio::test]
async fn a_webhook_is_what_its_pack_declares_and_is_known_as_the_configuration_says() {
    let daemon = daemon("", CONFIG).await;
    let now = u64::try_from(SystemClock.now().micros() / 1_000_000).unwrap();
    let certs = async |time: u64, body: &str| {
        let (time, signature) = (time.to_string(), format!("v0={}", code(&[&time.to_string(), ".", body])));
        post(&daemon, "", "/hooks/webhook/certs", &[("X-Code", signature.as_str()), ("X-Time", time.as_str())], body)
            .await
    };
    let body = json!({"host": "shop.example", "more": 1}).to_string();
    let old = certs(now - 1000, &body).await;
    assert_eq!(old.status, StatusCode::UNAUTHORIZED, "{old:?}");
    assert!(old.body["detail"].as_str().unwrap().contains("check both clocks"), "{old:?}");
    assert_eq!(certs(now, &body).await.status, StatusCode::ACCEPTED);
    daemon.settled().await;
    let fields = daemon.get(&format!("/v1/sessions/{}", only(&daemon).await)).await["fields"].clone();
    assert_eq!((&fields["service"], &fields["summary"]), (&json!("shop.example"), &json!("emitter")), "{fields}");
    let odd = certs(now, "{\"host\": 7}").await;
    assert_eq!((odd.status, &odd.body["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("invalid_fields")));
    let kept = daemon.all("/v1/deliveries?state=bad").await;
    assert_eq!((&kept[0]["delivery"], &kept[0]["source"]), (&odd.body["delivery"], &json!("webhook.certs")));
    assert!(kept[0]["note"].as_str().unwrap().contains("the form that the pack declares"), "{kept:?}");
    // It can be read again, and is as bad as before.
    let path = format!("/v1/deliveries/{}/replay", odd.body["delivery"].as_str().unwrap());
    assert_eq!(daemon.ask("operator", Method::POST, &path, None).await.status, odd.status);

    for (role, status) in
        [("", StatusCode::UNAUTHORIZED), ("viewer", StatusCode::FORBIDDEN), ("intake", StatusCode::ACCEPTED)]
    {
        let answer = post(&daemon, role, "/hooks/webhook/plain", &[], "{\"text\": \"till\"}").await;
        assert_eq!(answer.status, status, "{role} {answer:?}");
    }
    for name in ["none", "NONE", "..%2fcerts"] {
        let answer = post(&daemon, "intake", &format!("/hooks/webhook/{name}"), &[], "{}").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{name}");
    }
    daemon.settled().await;
    assert_eq!(sessions(&daemon).await.len(), 2);
    // What the pack makes the group of parts cases of one identity.
    for body in [json!({"text": "till", "team": "b"}), json!({"text": "till", "team": "b", "n": 1})] {
        let answer = post(&daemon, "intake", "/hooks/webhook/plain", &[], &body.to_string()).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    }
    daemon.settled().await;
    assert_eq!(sessions(&daemon).await.len(), 3);
}

#[tokio::test]
async fn an_event_is_the_same_in_each_of_its_modes() {
    let daemon = daemon("", CONFIG).await;
    let event = |id: &str, service: &str| json!({"specversion": "1.0", "id": id, "source": "/shop", "type": "it hurts", "data": {"service": service}});
    let cloud = async |kind: &str, headers: &[(&str, &str)], body: &str| {
        let mut all = vec![("Content-Type", kind)];
        all.extend(headers);
        post(&daemon, "intake", "/hooks/cloudevents", &all, body).await
    };
    let binary = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/shop"), ("ce-type", "it hurts")];
    let taken = cloud("application/json", &binary, "{\"service\": \"shop\"}").await;
    assert_eq!((taken.status, &taken.body["refused"]), (StatusCode::ACCEPTED, &json!(0)), "{taken:?}");
    daemon.settled().await;
    let taken = cloud("application/cloudevents+json", &[], &event("1", "shop").to_string()).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{taken:?}");
    let batch = json!([event("1", "shop"), {"id": "odd"}, event("2", "till")]).to_string();
    let taken = cloud("application/cloudevents-batch+json", &[], &batch).await;
    assert_eq!((taken.status, &taken.body["refused"]), (StatusCode::ACCEPTED, &json!(1)), "{taken:?}");
    assert_eq!(taken.body["deliveries"].as_array().unwrap().len(), 2);
    daemon.settled().await;
    assert_eq!(sessions(&daemon).await.len(), 2, "one of the shop, one of the till");
    assert_eq!(daemon.all("/v1/deliveries?state=bad").await.len(), 1);
    let bad = cloud("application/cloudevents-batch+json", &[], "{}").await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad:?}");
}

/// Of two packs each alert goes to the first that takes it, and their cases do not mix.
#[tokio::test]
async fn each_alert_goes_to_the_first_pack_that_takes_it() {
    let shop = Shop::start("heals-on-rollback").await;
    let (first, own) = (shop.path("second"), shop.path("incident"));
    pack(&own, "incident", "", "");
    pack(&first, "second", "", "");
    let manifest = first.join("pack.yaml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let when = "    when: '!(alert.labels.?severity.orValue(\"\") == \"none\")'";
    assert!(text.contains(when), "{text}");
    let samples = "    samples: [samples/checkout-5xx.json, samples/pod-crash-looping.json]\n";
    let text = text.replace(when, "    when: alert.labels.owner == \"second\"").replace(samples, "");
    std::fs::write(&manifest, text).unwrap();
    let file = shop.path("provost.yaml");
    let folders = format!("packs: [{}, {}]", own.display(), first.display());
    let shipped = format!("packs: [{}]", shipped::folder().display());
    let text = std::fs::read_to_string(&file).unwrap().replace(&shipped, &folders);
    std::fs::write(&file, format!("{text}\nintake: {{alertmanager: {{pack: [second, incident]}}}}\n")).unwrap();
    let daemon = Daemon::on(shop).await;
    let (mut of_second, mut of_other) = (alert("a", "firing"), alert("c", "firing"));
    of_second["labels"]["owner"] = json!("second");
    of_other["labels"]["owner"] = json!("other");
    let alerts = [of_second, alert("b", "firing"), of_other];
    crate::intake::delivered(&daemon, &group("g", &alerts)).await;
    let mut packs = Vec::new();
    for session in daemon.all("/v1/sessions").await {
        packs.push(session["pack"].as_str().unwrap().to_owned());
    }
    packs.sort();
    assert_eq!(packs, ["incident", "second"], "one case of each, though environment and service are the same");
    assert_eq!(daemon.all("/v1/deliveries?state=bad").await, Vec::<Value>::new());
}

/// A clock that a test sets, which counts who looks at it.
#[derive(Debug)]
struct SetClock {
    now: Mutex<Timestamp>,
    looks: AtomicU32,
}

impl SetClock {
    fn at(time: &str) -> Arc<Self> {
        Arc::new(Self { now: Mutex::new(Timestamp::from_rfc3339(time).unwrap()), looks: AtomicU32::new(0) })
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        self.looks.fetch_add(1, Ordering::SeqCst);
        *self.now.lock().unwrap()
    }
}

/// One process that looks once at the schedules of a pack, and ends.
async fn look_once(store: &SqliteStore, time: &str) {
    let mut pack = provost_tests::pack::pack();
    pack.fields = ArgSchema::new(json!({"type": "object"})).unwrap();
    let fields =
        json!({"summary": "due {{ schedule.at }}", "missed": "{{ schedule.missed }}", "late": "{{ schedule.late }}"});
    pack.intake.insert(SCHEDULES.to_owned(), CaseSchedule::mapping(["summary", "missed", "late"].into_iter()));
    pack.schedules = vec![CaseSchedule {
        calendar: Calendar::parse("0 * * * *", "UTC").unwrap(),
        fields: TemplateTree::parse(&fields, &|_| None).unwrap(),
    }];
    let house = House::on(Arc::new(store.clone()), Arc::new(pack)).await;
    let clock = SetClock::at(time);
    let parts = IntakeParts {
        engine: house.engine.clone(),
        deliveries: Arc::new(store.clone()),
        reads: Arc::new(store.reads()),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        metrics: prometheus::Registry::new(),
    };
    let settings = IntakeSettings { formats: [].into(), waiting_max: 10, max_cases: 20 };
    let intake = Intake::start(parts, settings).await.unwrap();
    intake.keep_time();
    // The look is over once it asks how long to pause; what it delivered is worked on.
    let looked = eventually("a look at the schedules", PATIENCE, || async {
        let waiting = DeliveryFilter { state: Some(DeliveryState::Waiting), before: None, limit: 10 };
        let idle = store.reads().deliveries(&waiting).await.unwrap().is_empty();
        (clock.looks.load(Ordering::SeqCst) >= 2 && idle).then_some(())
    });
    looked.await.unwrap();
    house.engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn each_time_of_a_schedule_opens_one_case_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("p.db")).await.unwrap();
    let opened = async || {
        let rows = store.reads().sessions(&SessionFilter { limit: 10, ..SessionFilter::default() }).await.unwrap();
        let mut titles: Vec<String> = rows.into_iter().map(|row| row.title).collect();
        titles.reverse();
        titles
    };
    look_once(&store, "2026-12-01T10:30:00Z").await;
    assert_eq!(opened().await, Vec::<String>::new(), "what came before the first look is no miss");
    look_once(&store, "2026-12-01T11:00:01Z").await;
    let first = "due 2026-12-01T11:00:00.000000Z".to_owned();
    assert_eq!(opened().await, std::slice::from_ref(&first));
    look_once(&store, "2026-12-01T11:00:01Z").await;
    look_once(&store, "2026-12-01T11:59:59Z").await;
    assert_eq!(opened().await, std::slice::from_ref(&first), "a restart repeats nothing");
    look_once(&store, "2026-12-01T14:30:00Z").await;
    let late = "due 2026-12-01T14:00:00.000000Z".to_owned();
    assert_eq!(opened().await, [first, late], "what was missed is one case");
    let done = store.reads().deliveries(&DeliveryFilter { limit: 10, ..DeliveryFilter::default() }).await.unwrap();
    let body = store.reads().delivery(&done[0].id).await.unwrap().body;
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&body["missed"], &body["late"]), (&json!(2), &json!(true)), "{body}");
}

#[tokio::test]
async fn a_pack_that_does_not_say_what_deliveries_mean_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("p.db")).await.unwrap();
    let house = House::on(Arc::new(store.clone()), Arc::new(provost_tests::pack::pack())).await;
    let start = async |format: DeliveryFormat| {
        let parts = IntakeParts {
            engine: house.engine.clone(),
            deliveries: Arc::new(store.clone()),
            reads: Arc::new(store.reads()),
            clock: SetClock::at("2026-12-01T10:30:00Z"),
            metrics: prometheus::Registry::new(),
        };
        let formats = [(format, FormatSettings::of_pack("case"))].into();
        Intake::start(parts, IntakeSettings { formats, waiting_max: 10, max_cases: 20 }).await
    };
    for format in [DeliveryFormat::Github, DeliveryFormat::Cloudevents, DeliveryFormat::webhook("certs").unwrap()] {
        let error = start(format).await.unwrap_err().to_string();
        assert!(error.contains(&format!("add `{}` under `intake`", format.as_str())), "{error}");
    }
    start(DeliveryFormat::PagerdutyV3).await.unwrap();
    house.engine.shutdown(Duration::ZERO).await;
}
