//! Each tool of the shop against a real server on loopback.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use provost_domain::condition::{Condition, Op};
use provost_domain::failure::FailureKind;
use provost_domain::tool::{EffectClass, Happened, ProbeAnswer, ToolOutcome};
use provost_tools::ToolSet;
use serde_json::{Value, json};

use crate::{Server, call, content, happened, prepared, tools};

async fn server() -> Server {
    let routes = Router::new()
        .route("/metrics", get(|| async { "ratio 0.25\ncount{code=\"200\"} 3\nidle NaN\n" }))
        .route("/admin/status", get(|| async { "{\"healthy\": true, \"db_password\": \"hunter2\"}" }))
        .route("/admin/releases", get(|| async { "" }))
        .route(
            "/admin/rollback",
            post(|headers: HeaderMap| async move {
                let key = headers.get("idempotency-key").and_then(|v| v.to_str().ok()).unwrap_or_default();
                (StatusCode::OK, json!({"key": key}).to_string())
            }),
        )
        .route("/broken/rollback", post(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route("/closed/rollback", post(|| async { StatusCode::SERVICE_UNAVAILABLE }));
    Server::start(routes).await
}

fn settings(url: &str) -> ToolSet {
    tools(&json!({
        "metrics": {"endpoint": format!("{url}/metrics")},
        "service": {"admin": format!("{url}/admin")},
        "http": {"allow": [url.trim_start_matches("http://")]},
    }))
}

fn service(admin: &str) -> ToolSet {
    tools(&json!({"service": {"admin": admin}}))
}

fn change() -> Value {
    json!({"environment": "staging", "service": "shop", "reason": "bad release"})
}

#[tokio::test]
async fn metrics_are_read_by_name_and_missing_ones_named() {
    let server = server().await;
    let found =
        content(call(&settings(&server.url), "metrics:scrape", json!({"series": ["ratio", "count", "x"]})).await);
    assert_eq!(found["ratio"], json!({"now": 0.25, "samples": [0.25]}));
    assert_eq!((&found["count"]["now"], &found["missing"]), (&json!(3.0), &json!(["x"])));
    for missing in ["x", "idle"] {
        let none = call(&settings(&server.url), "metrics:scrape", json!({"series": [missing]})).await;
        assert!(matches!(none, ToolOutcome::Empty { .. }), "{none:?}");
    }
}

#[tokio::test]
async fn what_is_not_a_number_is_not_measured() {
    let server = server().await;
    let found = content(call(&settings(&server.url), "metrics:scrape", json!({"series": ["ratio", "idle"]})).await);
    assert_eq!(found["idle"], json!({"now": null, "samples": []}));
    for op in [Op::Lt, Op::Le, Op::Gt, Op::Ge, Op::Eq, Op::Ne] {
        let holds = |path: &str| Condition { path: path.to_owned(), op, value: json!(0.02) }.holds(&found);
        assert!(!holds("idle.now") && !holds("idle.samples.0"), "{op:?}");
    }
}

#[tokio::test]
async fn service_reads_are_redacted_and_an_empty_answer_is_empty() {
    let server = server().await;
    let status = content(call(&settings(&server.url), "service:status", json!({})).await);
    assert_eq!(status, json!({"healthy": true, "db_password": "[redacted]"}));
    let releases = call(&settings(&server.url), "service:releases", json!({})).await;
    assert!(matches!(releases, ToolOutcome::Empty { .. }), "{releases:?}");
}

#[tokio::test]
async fn a_change_sends_its_key_and_says_whether_it_may_have_happened() {
    let server = server().await;
    assert_eq!(content(call(&settings(&server.url), "service:rollback", change()).await)["key"], "the-key");
    for (base, expect) in [
        (format!("{}/broken", server.url), (Happened::Maybe, FailureKind::Transient)),
        (format!("{}/closed", server.url), (Happened::No, FailureKind::Transient)),
        (format!("{}/nowhere", server.url), (Happened::No, FailureKind::Permanent)),
        ("http://127.0.0.1:1".to_owned(), (Happened::No, FailureKind::Transient)),
    ] {
        assert_eq!(happened(call(&service(&base), "service:rollback", change()).await), expect);
    }
}

/// What `service:deploy` makes of a service's word on the key.
async fn asked(word: &'static str) -> ProbeAnswer {
    let look_up = move |Query(sent): Query<BTreeMap<String, String>>| async move {
        assert_eq!(sent, BTreeMap::from([("key".to_owned(), "the-key".to_owned())]));
        word
    };
    let server = Server::start(Router::new().route("/admin/requests", get(look_up))).await;
    let args = json!({"environment": "staging", "service": "shop", "version": "2"});
    let (deploy, call) = prepared(&settings(&server.url), "service:deploy", args);
    assert_eq!(deploy.spec().effect, EffectClass::Probe);
    deploy.probe(&call).await
}

#[tokio::test]
async fn a_deployment_is_asked_about_by_its_key_and_only_a_clear_no_is_one() {
    let happened = asked("{\"happened\": true, \"answer\": {\"version\": \"2\"}}").await;
    let outcome = ToolOutcome::Ok { content: json!({"version": "2"}) };
    assert_eq!(happened, ProbeAnswer::Happened { outcome });
    assert_eq!(asked("{\"happened\": false}").await, ProbeAnswer::DidNotHappen);
    for word in ["{\"happened\": null}", "{}", "", "<html>", "false", "{\"happened\": \"no\"}"] {
        let answer = asked(word).await;
        assert!(matches!(answer, ProbeAnswer::CannotTell { .. }), "{word}: {answer:?}");
    }
}

#[tokio::test]
async fn a_service_that_cannot_be_asked_cannot_tell() {
    let server = server().await;
    let args = json!({"environment": "staging", "service": "shop", "version": "2"});
    for base in [format!("{}/nowhere", server.url), "http://127.0.0.1:1".to_owned()] {
        let (deploy, call) = prepared(&service(&base), "service:deploy", args.clone());
        assert!(matches!(deploy.probe(&call).await, ProbeAnswer::CannotTell { .. }));
    }
    let (rollback, call) = prepared(&settings(&server.url), "service:rollback", change());
    assert!(matches!(rollback.probe(&call).await, ProbeAnswer::CannotTell { .. }));
}

#[tokio::test]
async fn only_allowed_addresses_are_probed() {
    let server = server().await;
    let settings = settings(&server.url);
    let found = content(call(&settings, "http:probe", json!({"url": format!("{}/metrics", server.url)})).await);
    assert_eq!(found["status"], 200);
    for url in ["http://127.0.0.1:1/", "http://169.254.169.254/latest", "file:///etc/passwd", "nonsense"] {
        let (happened, kind) = happened(call(&settings, "http:probe", json!({"url": url})).await);
        assert_eq!((happened, kind), (Happened::No, FailureKind::Permanent), "{url}");
    }
}

#[tokio::test]
async fn logs_are_tailed_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.log");
    let long: Vec<String> = (0..100_000).map(|n| format!("line {n}")).collect();
    std::fs::write(&path, format!("{}\n", long.join("\n"))).unwrap();
    let settings = tools(&json!({"logs": {"files": {"shop": path, "gone": folder.path().join("gone")}}}));
    let last = content(call(&settings, "logs:tail", json!({"file": "shop", "lines": 2})).await);
    assert_eq!(last, json!({"lines": ["line 99998", "line 99999"]}));
    let some = content(call(&settings, "logs:tail", json!({"file": "shop", "contains": "99990"})).await);
    assert_eq!(some, json!({"lines": ["line 99990"]}));
    let none = call(&settings, "logs:tail", json!({"file": "shop", "contains": "absent"})).await;
    assert!(matches!(none, ToolOutcome::Empty { .. }), "{none:?}");
    for file in ["gone", "../../etc/passwd"] {
        assert_eq!(happened(call(&settings, "logs:tail", json!({"file": file})).await).0, Happened::No);
    }
}
