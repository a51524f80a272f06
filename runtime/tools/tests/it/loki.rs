//! Servers of the kind `loki`, against one that answers as Loki does.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use provost_domain::failure::FailureKind;
use provost_domain::tool::{Happened, ToolOutcome};
use serde_json::{Value, json};

use crate::{Server, call, content, happened, tools};

type Parameters = BTreeMap<String, String>;

/// Nanoseconds as text, and a line.
fn line(second: u64, text: &str) -> Value {
    json!([format!("{}", 1_699_999_000_000_000_000 + second * 1_000_000_000), text])
}

fn reply(result: &Value, more: &Value) -> Response {
    let mut reply = json!({"status": "success", "data": {"resultType": "streams", "result": result, "stats": {}}});
    reply.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    reply.to_string().into_response()
}

/// Answers by the query; refuses what Loki refuses.
async fn answer(headers: HeaderMap, Query(parameters): Query<Parameters>) -> Response {
    assert_eq!((headers["x-scope-orgid"].to_str().unwrap(), parameters["direction"].as_str()), ("ops", "backward"));
    let limit: usize = parameters["limit"].parse().unwrap();
    let streams = |streams: &Value| reply(streams, &json!({}));
    let web = json!({"app": "web", "level": "error"});
    match parameters["query"].as_str() {
        "{app=\"web\"} |= \"a & b\"" => {
            assert_eq!(
                (parameters["start"].as_str(), parameters["end"].as_str()),
                ("1699996400000000000", "1700000000000000000")
            );
            let db = json!({"stream": {"app": "db"}, "values": [line(5, "slow"), line(1, "password=hunter2")]});
            streams(&json!([{"stream": web, "values": [line(9, "new"), line(3, "old")]}, db]))
        }
        "short" => {
            assert_eq!(parameters["start"], "1699999100000000000");
            assert_eq!(limit, 3);
            let values: Vec<Value> = (0..3_u64).map(|n| line(9 - n, &n.to_string())).collect();
            streams(&json!([{"stream": web, "values": values}]))
        }
        "long" => {
            let values: Vec<Value> = (0..limit as u64).map(|n| line(900 - n, &"x".repeat(400))).collect();
            streams(&json!([{"stream": web, "values": values}]))
        }
        "none" => streams(&json!([])),
        "odd" => streams(&json!([{"stream": web, "values": [line(1, "a"), ["soon", "b"], [1]]}, {"values": []}])),
        "warned" => {
            reply(&json!([{"stream": web, "values": [line(1, "a")]}]), &json!({"warnings": ["a store is slow"]}))
        }
        "rate" => {
            json!({"status": "success", "data": {"resultType": "matrix", "result": []}}).to_string().into_response()
        }
        "broken" => "<html>".into_response(),
        "busy" => (StatusCode::TOO_MANY_REQUESTS, "too many outstanding requests").into_response(),
        _ => (StatusCode::BAD_REQUEST, "parse error at line 1, col 1: syntax error").into_response(),
    }
}

async fn ask(args: Value) -> ToolOutcome {
    let server = Server::start(Router::new().route("/loki/api/v1/query_range", get(answer))).await;
    let tools = tools(&json!({"logs": {"kind": "loki", "url": server.url, "headers": {"X-Scope-OrgID": "ops"}}}));
    call(&tools, "logs:query", args).await
}

#[tokio::test]
async fn lines_are_listed_by_stream_the_newest_first() {
    let found = content(ask(json!({"query": "{app=\"web\"} |= \"a & b\""})).await);
    let web = json!({"labels": {"app": "web", "level": "error"},
        "lines": [{"at": 1_699_999_009.0, "text": "new"}, {"at": 1_699_999_003.0, "text": "old"}]});
    let db = json!({"labels": {"app": "db"},
        "lines": [{"at": 1_699_999_005.0, "text": "slow"}, {"at": 1_699_999_001.0, "text": "password=[redacted]"}]});
    assert_eq!(found, json!({"count": 4, "streams": [web, db]}));
}

#[tokio::test]
async fn what_is_cut_loses_its_oldest_lines_and_says_so() {
    let ToolOutcome::Truncated { content, total_bytes } =
        ask(json!({"query": "short", "last": "15m", "limit": 2})).await
    else {
        panic!("not truncated")
    };
    assert_eq!((&content["count"], &content["streams"][0]["lines"][1]["text"]), (&json!(2), &json!("1")));
    assert!(total_bytes > 100);
    let long = ask(json!({"query": "long", "limit": 500})).await;
    let ToolOutcome::Truncated { content, total_bytes } = long else { panic!("{long:?}") };
    let (count, lines) = (content["count"].as_u64().unwrap(), content["streams"][0]["lines"].as_array().unwrap());
    assert!(
        usize::try_from(count).unwrap() == lines.len() && count > 20 && total_bytes > 200_000,
        "{count} {total_bytes}"
    );
    assert!(content.to_string().len() <= 32 * 1024 && lines[0]["at"] == 1_699_999_900.0, "{}", lines[0]);
}

#[tokio::test]
async fn nothing_is_empty_and_what_cannot_be_read_is_partial() {
    assert_eq!(ask(json!({"query": "none"})).await, ToolOutcome::Empty { note: "no line matches".to_owned() });
    for (query, words) in [("odd", "3 of its lines or streams cannot be read"), ("warned", "a store is slow")] {
        let outcome = ask(json!({ "query": query })).await;
        let ToolOutcome::Partial { content, why } = outcome else { panic!("{outcome:?}") };
        assert_eq!((why.as_str(), &content["count"]), (words, &json!(1)));
    }
}

#[tokio::test]
async fn a_refusal_fails_in_the_servers_words() {
    for (query, kind, words) in [
        ("{", FailureKind::Permanent, "parse error at line 1"),
        ("rate", FailureKind::Permanent, "the query selects no lines"),
        ("broken", FailureKind::Permanent, "cannot be read as an answer"),
        ("busy", FailureKind::Transient, "too many outstanding requests"),
    ] {
        let outcome = ask(json!({ "query": query })).await;
        let ToolOutcome::Failed { failure } = &outcome else { panic!("{query}: {outcome:?}") };
        assert!(failure.detail.contains(words), "{failure:?}");
        assert_eq!(happened(outcome), (Happened::No, kind));
    }
}
