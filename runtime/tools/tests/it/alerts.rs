//! `alertmanager:alerts` against a server that answers as Alertmanager does.

use axum::Router;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use provost_domain::failure::FailureKind;
use provost_domain::tool::{Happened, ToolOutcome};
use serde_json::{Value, json};

use crate::{Server, call, content, happened, tools};

fn alert(name: &str) -> Value {
    json!({"labels": {"alertname": name}, "annotations": {"summary": "token=abcdefgh"}, "receivers": [{"name": "r"}],
        "fingerprint": "f1", "startsAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:01Z",
        "endsAt": "2026-01-01T00:05:00Z", "generatorURL": "", "status": {"state": "suppressed", "silencedBy": ["s"],
        "inhibitedBy": [], "mutedBy": []}})
}

/// Answers by what is asked for.
async fn answer(RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let list = |alerts: Vec<Value>| json!(alerts).to_string().into_response();
    if query.contains("filter=broken") {
        return (StatusCode::BAD_REQUEST, "\"bad matcher format: broken\"").into_response();
    }
    if query.contains("filter=none") {
        return list(Vec::new());
    }
    if query.contains("filter=many") {
        return list((0..80).map(|n| alert(&n.to_string())).collect());
    }
    if query.contains("filter=storm") {
        let mut long = alert("a");
        let annotations = long.get_mut("annotations").unwrap().as_object_mut().unwrap();
        annotations.insert("description".to_owned(), json!("x".repeat(400)));
        return list(vec![long; 4000]);
    }
    if query.contains("filter=odd") {
        let bare = json!({"labels": {"alertname": "b", "n": 7}, "annotations": null});
        return list(vec![bare, json!({"labels": null}), json!(7)]);
    }
    list(vec![alert(&query)])
}

async fn ask(args: Value) -> ToolOutcome {
    let server = Server::start(Router::new().route("/api/v2/alerts", get(answer))).await;
    let tools = tools(&json!({"alertmanager": {"endpoint": server.url}}));
    call(&tools, "alertmanager:alerts", args).await
}

#[tokio::test]
async fn alerts_are_listed_by_matchers() {
    let found = content(ask(json!({"filter": ["service=\"shop\"", "severity=~\"high|critical\""]})).await);
    let query = "active=true&silenced=false&inhibited=false&filter=service%3D%22shop%22\
                 &filter=severity%3D%7E%22high%7Ccritical%22";
    let shown = json!({"labels": {"alertname": query}, "annotations": {"summary": "token=[redacted]"},
        "state": "suppressed", "starts_at": "2026-01-01T00:00:00Z", "fingerprint": "f1", "silenced_by": ["s"]});
    assert_eq!(found, json!({"count": 1, "alerts": [shown]}));
    let suppressed = content(ask(json!({"suppressed": true})).await);
    assert_eq!(suppressed["alerts"][0]["labels"]["alertname"], "active=true&silenced=true&inhibited=true");
}

#[tokio::test]
async fn none_many_and_a_refusal() {
    let none = ask(json!({"filter": ["none"]})).await;
    assert_eq!(none, ToolOutcome::Empty { note: "no alert matches".to_owned() });
    let ToolOutcome::Truncated { content, .. } = ask(json!({"filter": ["many"]})).await else {
        panic!("not truncated")
    };
    assert_eq!((&content["count"], content["alerts"].as_array().unwrap().len()), (&json!(80), 50));
    let storm = ask(json!({"filter": ["storm"]})).await;
    assert!(matches!(&storm, ToolOutcome::Truncated { content, .. } if content["count"] == 4000), "{storm:?}");
    let odd = ask(json!({"filter": ["odd"]})).await;
    let ToolOutcome::Partial { content, why } = odd else { panic!("{odd:?}") };
    assert_eq!((&content["alerts"][0]["labels"]["n"], why.as_str()), (&json!("7"), "2 of the alerts cannot be read"));
    let refused = ask(json!({"filter": ["broken"]})).await;
    assert!(matches!(&refused, ToolOutcome::Failed { failure } if failure.detail.contains("bad matcher format")));
    assert_eq!(happened(refused), (Happened::No, FailureKind::Permanent));
}
