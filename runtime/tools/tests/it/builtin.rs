//! Each tool of the shop against a real server on loopback.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use provost_domain::condition::{Condition, Op};
use provost_domain::failure::FailureKind;
use provost_domain::ids::SessionId;
use provost_domain::tool::{EffectClass, Happened, ProbeAnswer, ToolCall, ToolOutcome};
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
    assert_eq!(found["idle"], json!({"now": null, "samples": [], "text": "NaN"}));
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
        (format!("{}/closed", server.url), (Happened::Maybe, FailureKind::Transient)),
        (format!("{}/nowhere", server.url), (Happened::No, FailureKind::Permanent)),
        ("http://127.0.0.1:1".to_owned(), (Happened::No, FailureKind::Transient)),
    ] {
        assert_eq!(happened(call(&service(&base), "service:rollback", change()).await), expect);
    }
}

/// Answers every path with the status it ends in, and with a place elsewhere.
async fn by_status() -> Server {
    let answer = |Path(status): Path<u16>| async move {
        (StatusCode::from_u16(status).unwrap(), [("location", "http://elsewhere.example/")], "a proxy's page")
    };
    Server::start(Router::new().route("/{status}/rollback", post(answer)).route("/{status}/status", get(answer))).await
}

#[tokio::test]
async fn only_a_refusal_before_any_work_says_that_nothing_happened() {
    let server = by_status().await;
    for status in (200..=208).chain(300..=308).chain(400..=451).chain(500..=529) {
        let outcome = call(&service(&format!("{}/{status}", server.url)), "service:rollback", change()).await;
        let told = match &outcome {
            ToolOutcome::Failed { failure } => Some(failure.happened),
            _ => None,
        };
        let expect = match status {
            200..300 => None,
            400 | 401 | 403 | 404 | 405 | 410 | 413 | 415 | 422 => Some(Happened::No),
            _ => Some(Happened::Maybe),
        };
        assert_eq!(told, expect, "{status}");
    }
}

#[tokio::test]
async fn a_configuration_says_which_statuses_its_server_answers_and_refuses_with() {
    let server = by_status().await;
    let rollback = async |status: u16| {
        let section = json!({"admin": format!("{}/{status}", server.url), "ok": "status == 303 || status < 300",
            "refused": "status in [400, 409]"});
        call(&tools(&json!({ "service": section })), "service:rollback", change()).await
    };
    assert_eq!(content(rollback(303).await), "a proxy's page");
    assert_eq!(happened(rollback(409).await), (Happened::No, FailureKind::Permanent));
    assert_eq!(happened(rollback(404).await), (Happened::Maybe, FailureKind::Permanent));
    for (key, text, part) in [
        ("refused", "status in (409)", "not a condition on `status`"),
        ("refused", "body.code == 1", "status >= 200 && status < 300"),
        ("ok", "", "the text is empty"),
    ] {
        let errors = crate::section(&json!({"service": {"admin": "http://a", key: text}})).unwrap_err();
        assert!(errors.len() == 1 && errors[0].contains(part), "{errors:?}");
    }
    let both = tools(&json!({"service": {"admin": "http://a", "ok": "status == 404"}}));
    assert!(crate::built(&both).unwrap_err().to_string().contains("404 under both"));
}

#[tokio::test]
async fn a_redirection_of_a_read_is_named_and_not_followed() {
    let server = by_status().await;
    let outcome = call(&service(&format!("{}/302", server.url)), "service:status", json!({})).await;
    let ToolOutcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert!(failure.happened == Happened::No && failure.detail.contains("http://elsewhere.example/"), "{failure:?}");
}

/// `metrics:scrape` of a page.
async fn scraped(page: &str, args: Value) -> ToolOutcome {
    let page = page.to_owned();
    let server = Server::start(Router::new().route("/metrics", get(|| async { page }))).await;
    call(&tools(&json!({"metrics": {"endpoint": format!("{}/metrics", server.url)}})), "metrics:scrape", args).await
}

#[tokio::test]
async fn a_name_of_several_series_is_refused_with_their_labels() {
    let page =
        "# TYPE heat gauge\nheat{room=\"a}\"} 1\nheat{room=\"b\"} 2\n# TYPE hits counter\nhits{a=\"1\"} 1\nhits 2\n";
    let refused = scraped(page, json!({"series": ["heat"]})).await;
    let ToolOutcome::Failed { failure } = refused else { panic!("{refused:?}") };
    assert!(failure.happened == Happened::No && failure.detail.contains("a}"), "{failure:?}");
    let one = content(scraped(page, json!({"series": ["heat"], "match": {"room": "b"}})).await);
    assert_eq!((&one["heat"]["now"], &one["heat"]["type"]), (&json!(2.0), &json!("gauge")));
    let both = content(scraped(page, json!({"series": ["heat", "hits"]})).await);
    assert_eq!((&both["heat"]["now"], &both["hits"]["now"]), (&Value::Null, &json!(3.0)));
}

#[tokio::test]
async fn a_page_that_was_cut_or_cannot_be_read_is_never_ok() {
    let long = format!("{}errors_total 7\n", "requests_total{code=\"200\",pod=\"web\"} 1\n".repeat(40_000));
    for series in [json!(["requests_total"]), json!(["errors_total"])] {
        let cut = scraped(&long, json!({ "series": series })).await;
        assert!(matches!(cut, ToolOutcome::Truncated { total_bytes, .. } if total_bytes > 1024 * 1024), "{cut:?}");
    }
    let odd = scraped("up 1\nerrors_total{code=500} 7\n", json!({"series": ["up", "errors_total"]})).await;
    let ToolOutcome::Partial { content: found, why } = odd else { panic!("{odd:?}") };
    assert!(why.contains("errors_total") && found["errors_total"]["now"].is_null(), "{why}");
    assert_eq!(content(scraped("up 1\nerrors_total{code=500} 7\n", json!({"series": ["up"]})).await)["up"]["now"], 1.0);
}

#[tokio::test]
async fn open_metrics_is_known_by_its_type_and_broken_off_without_its_end() {
    let scrape = async |page: &'static str| {
        let kind = [("content-type", "application/openmetrics-text; version=1.0.0")];
        let server = Server::start(Router::new().route("/metrics", get(move || async move { (kind, page) }))).await;
        let section = json!({"metrics": {"endpoint": format!("{}/metrics", server.url)}});
        call(&tools(&section), "metrics:scrape", json!({"series": ["up"]})).await
    };
    let whole = content(scrape("up 1 1700000000.5\n# EOF\n").await);
    assert_eq!((&whole["up"]["now"], &whole["up"]["at"]), (&json!(1.0), &json!(1_700_000_000.5)));
    let broken = scrape("up 1\nlast 2\n").await;
    assert!(matches!(&broken, ToolOutcome::Truncated { content, .. } if content["up"]["now"] == 1.0), "{broken:?}");
}

#[tokio::test]
async fn samples_are_remembered_for_one_session_only() {
    let server = server().await;
    let (scrape, mut asked) = prepared(&settings(&server.url), "metrics:scrape", json!({"series": ["ratio"]}));
    let samples =
        async |call: &ToolCall| content(scrape.call(call).await)["ratio"]["samples"].as_array().unwrap().len();
    assert_eq!((samples(&asked).await, samples(&asked).await), (1, 2));
    asked.session = SessionId::new(uuid::Uuid::from_u128(2));
    assert_eq!(samples(&asked).await, 1);
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
