//! Servers of the kinds `metrics`, `files`, `notify` and `probe`.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use provost_domain::failure::FailureKind;
use provost_domain::tool::{EffectClass, Happened, Risk, ToolFailure, ToolOutcome};
use serde_json::{Value, json};

use crate::{SECRET, Server, call, content, happened, tools};

const PAGE: &str = "# TYPE requests_total counter\nrequests_total{code=\"200\"} 100\nrequests_total{code=\"500\"} 9\n\
    # TYPE ratio gauge\nratio 0.25\nbad NaN\nhigh +Inf 2000\nodd{a=b} 1\n";

async fn scrape(args: Value) -> ToolOutcome {
    let page = Server::start(Router::new().route("/metrics", get(|| async { PAGE }))).await;
    let tools = tools(&json!({"page": {"kind": "metrics", "url": format!("{}/metrics", page.url)}}));
    call(&tools, "page:scrape", args).await
}

#[tokio::test]
async fn a_page_tells_each_series_and_adds_nothing_up() {
    let series = json!(["ratio", "bad", "high", "gone", "requests_total{code=\"500\"}"]);
    let found = content(scrape(json!({ "series": series })).await);
    assert_eq!(
        found,
        json!({
            "ratio": {"value": 0.25, "labels": {}, "type": "gauge"},
            "bad": {"value": "NaN", "labels": {}, "type": null},
            "high": {"value": "+Inf", "labels": {}, "type": null, "at": 2.0},
            "gone": {"value": null, "labels": {}, "type": null},
            "requests_total{code=\"500\"}": {"value": 9.0, "labels": {"code": "500"}, "type": "counter"},
        })
    );
    let matched = content(scrape(json!({"series": ["requests_total"], "match": {"code": "200"}})).await);
    assert_eq!(matched["requests_total"]["value"], 100.0);
    let several = scrape(json!({"series": ["ratio", "requests_total"]})).await;
    let ToolOutcome::Failed { failure: ToolFailure { detail, .. } } = &several else { panic!("{several:?}") };
    assert!(
        detail.contains("fits 2 series; choose one by `match`: [{\"code\":\"200\"},{\"code\":\"500\"}]"),
        "{detail}"
    );
    assert!(matches!(scrape(json!({"series": ["gone"]})).await, ToolOutcome::Empty { .. }));
    let ToolOutcome::Partial { why, .. } = scrape(json!({"series": ["odd"]})).await else { panic!("not partial") };
    assert!(why.contains("odd"), "{why}");
}

async fn file(path: &Path, tool: &str, args: Value) -> ToolOutcome {
    let tools = tools(&json!({"files": {"kind": "files", "files": {"shop": path}}}));
    call(&tools, &format!("files:{tool}"), args).await
}

#[tokio::test]
async fn a_file_is_read_from_its_end_and_searched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.log");
    std::fs::write(&path, "one ok\ntwo bad\nthree ok\nfour bad token=abcdefgh\n").unwrap();
    let tail = async |args| file(&path, "tail", args).await;
    assert_eq!(
        content(tail(json!({"file": "shop", "lines": 1})).await),
        json!({"lines": ["four bad token=[redacted]"]})
    );
    assert_eq!(
        content(tail(json!({"file": "shop", "contains": " ok"})).await),
        json!({"lines": ["one ok", "three ok"]})
    );
    assert!(matches!(tail(json!({"file": "shop", "contains": "x?"})).await, ToolOutcome::Empty { .. }));
    assert_eq!(happened(tail(json!({"file": "/etc/passwd"})).await), (Happened::No, FailureKind::Permanent));

    let search = async |args| file(&path, "search", args).await;
    let bad = json!([{"number": 2, "text": "two bad"}, {"number": 4, "text": "four bad token=[redacted]"}]);
    assert_eq!(content(search(json!({"file": "shop", "pattern": "b.d"})).await), json!({"matched": 2, "lines": bad}));
    let ToolOutcome::Truncated { content: newest, .. } =
        search(json!({"file": "shop", "pattern": "bad", "lines": 1})).await
    else {
        panic!("not truncated")
    };
    assert_eq!((&newest["matched"], &newest["lines"]), (&json!(2), &json!([bad[1]])));
    assert!(matches!(search(json!({"file": "shop", "pattern": "^bad"})).await, ToolOutcome::Empty { .. }));
    let wrong = search(json!({"file": "shop", "pattern": "(?=x)"})).await;
    let ToolOutcome::Failed { failure: ToolFailure { detail, .. } } = &wrong else { panic!("{wrong:?}") };
    assert!(detail.contains("the pattern cannot be used"), "{detail}");
}

#[tokio::test]
async fn a_large_file_is_searched_at_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.log");
    let text = format!("first\n{}last\n", "filler\n".repeat(3_000_000));
    std::fs::write(&path, &text).unwrap();
    let found = file(&path, "search", json!({"file": "shop", "pattern": "first|last"})).await;
    let ToolOutcome::Truncated { content, total_bytes } = found else { panic!("not truncated") };
    assert_eq!(content, json!({"matched": 1, "lines": [{"number": null, "text": "last"}]}));
    assert_eq!(total_bytes, text.len() as u64);
    let none = file(&path, "search", json!({"file": "shop", "pattern": "nowhere"})).await;
    assert!(matches!(none, ToolOutcome::Truncated { .. }), "{none:?}");
    let many = file(&path, "search", json!({"file": "shop", "pattern": "fil", "lines": 200})).await;
    let ToolOutcome::Truncated { content, .. } = many else { panic!("not truncated") };
    assert_eq!(content["lines"].as_array().unwrap().len(), 200);
}

type Came = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

async fn receiver(status: StatusCode) -> (Came, Server) {
    let came = Came::default();
    let answer = move |State(came): State<Came>, headers: HeaderMap, body: String| async move {
        came.lock().unwrap().push((headers, serde_json::from_str(&body).unwrap()));
        (status, SECRET)
    };
    let routes = Router::new().route("/", post(answer)).with_state(Arc::clone(&came));
    (came, Server::start(routes).await)
}

fn targets(url: &str) -> Value {
    let team = json!({"kind": "webhook", "url": url, "secret": {"env": "S"}});
    let pager = json!({"kind": "pagerduty", "url": url, "routing_key": {"env": "K"}});
    let limits = json!({"team": {"risk": "medium"}});
    json!({"tell": {"kind": "notify", "targets": {"team": team, "pager": pager}, "tools": limits}})
}

#[tokio::test]
async fn each_target_is_a_tool_that_tells_once_under_its_key() {
    let (came, server) = receiver(StatusCode::OK).await;
    let tools = tools(&targets(&server.url));
    let told = content(call(&tools, "tell:team", json!({"summary": "it burns", "details": {"n": 1}})).await);
    assert_eq!(told, json!({"accepted": true, "id": "the-key"}));
    let paged = content(call(&tools, "tell:pager", json!({"reason": "it burns", "severity": "low"})).await);
    assert_eq!(paged["accepted"], true);
    let came = came.lock().unwrap().clone();
    assert_eq!((&came[0].0["idempotency-key"], &came[0].1["details"]["n"]), (&"the-key".parse().unwrap(), &json!(1)));
    assert!(came[0].0.contains_key("x-provost-signature"));
    let payload = &came[1].1["payload"];
    assert_eq!(
        (&payload["summary"], &payload["severity"], &came[1].1["dedup_key"]),
        (&json!("it burns"), &json!("info"), &json!("the-key"))
    );
    let built = crate::built(&tools).unwrap();
    let spec = built.iter().find(|tool| tool.spec().name.as_str() == "tell:team").unwrap().spec();
    assert_eq!((spec.effect, spec.risk, spec.tells_people), (EffectClass::Idempotent, Risk::Medium, true));
    let clock: Arc<dyn provost_domain::port::Clock> = Arc::new(crate::Noon);
    let carriers: Vec<String> = tools.carriers(&clock).unwrap().into_keys().map(|name| name.to_string()).collect();
    assert_eq!(carriers, ["tell:pager", "tell:team"]);
}

#[tokio::test]
async fn an_empty_message_is_not_sent_and_a_refusal_tells_no_secret() {
    let (came, server) = receiver(StatusCode::BAD_REQUEST).await;
    let tools = tools(&targets(&server.url));
    assert_eq!(happened(call(&tools, "tell:team", json!({"team": "a"})).await), (Happened::No, FailureKind::Permanent));
    assert_eq!(came.lock().unwrap().len(), 0);
    let refused = call(&tools, "tell:pager", json!({"summary": "it burns"})).await;
    assert!(!format!("{refused:?}").contains(SECRET), "{refused:?}");
    assert_eq!(happened(refused), (Happened::No, FailureKind::Permanent));
}

#[tokio::test]
async fn an_address_that_does_not_answer_is_a_result() {
    let routes = Router::new().route("/ok", get(|| async { "fine" })).route("/slow", get(std::future::pending::<()>));
    let server = Server::start(routes).await;
    let targets = json!({"up": format!("{}/ok", server.url), "odd": format!("{}/none", server.url),
        "slow": format!("{}/slow", server.url), "down": "http://127.0.0.1:1/"});
    let limits = json!({"get": {"timeout": "1s"}});
    let tools = tools(&json!({"probe": {"kind": "probe", "targets": targets, "tools": limits}}));
    for (target, status, words) in [
        ("up", Some(200), ""),
        ("odd", Some(404), ""),
        ("down", None, "could not connect"),
        ("slow", None, "within 800ms"),
    ] {
        let found = content(call(&tools, "probe:get", json!({ "target": target })).await);
        assert_eq!(found["reached"], status.is_some(), "{found}");
        assert_eq!(found["status"].as_u64(), status, "{found}");
        assert!(found["error"].as_str().unwrap_or_default().contains(words), "{found}");
        assert!(found["seconds"].as_f64().is_some_and(|seconds| seconds < 5.0), "{found}");
    }
    let built = crate::built(&tools).unwrap();
    assert_eq!(built[0].spec().schema.problems(&json!({"target": "http://10.0.0.1/"})).len(), 1);
}
