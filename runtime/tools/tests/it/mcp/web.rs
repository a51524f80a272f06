//! A server over HTTP: one POST for each call, whatever becomes of its answer.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use futures::stream;
use provost_domain::failure::FailureKind;
use provost_domain::tool::{Happened, ToolFailure, ToolOutcome};
use serde_json::{Value, json};

use super::accepted;
use super::script::listed;
use crate::{SECRET, Server, call, content, happened, prepared};

type Came = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

fn event(message: &Value) -> String {
    format!(": hello\n\nid: 1\nevent: message\ndata: {message}\n\n")
}

/// A stream of these pieces; cut where the last of them is an error.
fn streamed(pieces: Vec<String>, cut: bool) -> Response {
    let whole = pieces.into_iter().map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece)));
    let broken = cut.then(|| Err(std::io::Error::other("cut")));
    let body = Body::from_stream(stream::iter(whole.chain(broken).collect::<Vec<_>>()));
    ([("content-type", "text/event-stream; charset=utf-8")], body).into_response()
}

fn called(asked: &Value) -> Response {
    let id = &asked["id"];
    let result = |text: &str| json!({"jsonrpc": "2.0", "id": id, "result": {"resultType": "complete", "content": [{"type": "text", "text": text}]}});
    let error = |code: i64| json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": "so it is"}});
    match asked["params"]["arguments"]["how"].as_str().unwrap_or("json") {
        "json" => result("as a document").to_string().into_response_json(),
        "stream" => {
            let question = json!({"jsonrpc": "2.0", "id": "q", "method": "sampling/createMessage", "params": {}});
            let other = json!({"jsonrpc": "2.0", "id": 4711, "result": {}});
            streamed(vec![event(&question), event(&other), event(&result("as a stream"))], false)
        }
        "cut" => streamed(vec![event(&json!({"jsonrpc": "2.0", "method": "notifications/progress"}))], true),
        "ends" => streamed(vec![": nothing\n\n".to_owned()], false),
        "html" => "<html>".into_response(),
        "other" => json!({"jsonrpc": "2.0", "id": 4711, "result": {}}).to_string().into_response_json(),
        "refused" => (StatusCode::BAD_REQUEST, error(-32602).to_string()).into_response(),
        "version" => (StatusCode::BAD_REQUEST, error(-32022).to_string()).into_response(),
        "denied" => (StatusCode::FORBIDDEN, SECRET).into_response(),
        "busy" => (StatusCode::TOO_MANY_REQUESTS, "later").into_response(),
        "broken" => (StatusCode::BAD_GATEWAY, "proxy").into_response(),
        "moved" => (StatusCode::TEMPORARY_REDIRECT, [("location", "http://127.0.0.1:1/")]).into_response(),
        "gone" => StatusCode::NOT_FOUND.into_response(),
        other => panic!("{other}"),
    }
}

trait IntoJson {
    fn into_response_json(self) -> Response;
}

impl IntoJson for String {
    fn into_response_json(self) -> Response {
        ([("content-type", "application/json")], self).into_response()
    }
}

async fn modern(State(came): State<Came>, headers: HeaderMap, body: String) -> Result<Response, Infallible> {
    let asked: Value = serde_json::from_str(&body).unwrap();
    came.lock().unwrap().push((headers, asked.clone()));
    let answer = |result: Value| json!({"jsonrpc": "2.0", "id": asked["id"], "result": result}).to_string();
    Ok(match asked["method"].as_str() {
        Some("server/discover") => answer(json!({"resultType": "complete"})).into_response_json(),
        Some("tools/list") => {
            let tools = [listed("act", "Does it.", &json!({})), listed("look.at", "Looks.", &json!({}))];
            answer(json!({"resultType": "complete", "tools": tools, "ttlMs": 1000})).into_response_json()
        }
        Some("tools/call") => called(&asked),
        _ => StatusCode::ACCEPTED.into_response(),
    })
}

/// As servers of the older revision: a handshake opens a session, which each request names.
async fn legacy(State(came): State<Came>, headers: HeaderMap, body: String) -> Response {
    let asked: Value = serde_json::from_str(&body).unwrap();
    came.lock().unwrap().push((headers.clone(), asked.clone()));
    let answer = |result: Value| json!({"jsonrpc": "2.0", "id": asked["id"], "result": result}).to_string();
    let method = asked["method"].as_str().unwrap_or_default();
    if method == "initialize" {
        let greeted = answer(json!({"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {}}));
        return ([("content-type", "application/json"), ("mcp-session-id", "s-1")], greeted).into_response();
    }
    if headers.get("mcp-session-id").is_none_or(|session| session != "s-1") {
        let error = json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32000, "message": "no session"}});
        return (StatusCode::BAD_REQUEST, error.to_string()).into_response();
    }
    match method {
        "tools/list" => {
            let tools = [listed("act", "Does it.", &json!({})), listed("look.at", "Looks.", &json!({}))];
            streamed(vec![event(&serde_json::from_str(&answer(json!({ "tools": tools }))).unwrap())], false)
        }
        "tools/call" => called(&asked),
        _ => StatusCode::ACCEPTED.into_response(),
    }
}

fn section(server: &Server, folder: &tempfile::TempDir) -> Value {
    json!({"s": {"kind": "mcp", "url": format!("{}/mcp?team=ops", server.url), "accepted": folder.path().join("a.json"),
        "auth": {"bearer": {"credential": "mcp"}},
        "tools": {"act": {"fix": {"path": "/srv"}}, "look": {"name": "look.at", "effect": "read", "risk": "low"}}}})
}

async fn start(is_modern: bool) -> (Came, Server, tempfile::TempDir) {
    let came = Came::default();
    let route = if is_modern { post(modern) } else { post(legacy) };
    let routes = Router::new().route("/mcp", route).with_state(Arc::clone(&came));
    (came, Server::start(routes).await, tempfile::tempdir().unwrap())
}

fn calls(came: &Came) -> Vec<(HeaderMap, Value)> {
    came.lock().unwrap().iter().filter(|(_, asked)| asked["method"] == "tools/call").cloned().collect()
}

#[tokio::test]
async fn an_answer_is_a_document_or_a_stream_in_both_revisions() {
    for is_modern in [true, false] {
        let (came, server, folder) = start(is_modern).await;
        let tools = accepted(&section(&server, &folder)).await;
        for (how, text) in [("json", "as a document"), ("stream", "as a stream")] {
            assert_eq!(content(call(&tools, "s:act", json!({ "how": how })).await), json!({ "text": text }));
        }
        let sent = calls(&came);
        assert_eq!(sent.len(), 2, "one POST each");
        let header = |name: &str| sent[0].0.get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("authorization"), Some(format!("Bearer {SECRET}")));
        let (version, session) = if is_modern { ("2026-07-28", None) } else { ("2025-11-25", Some("s-1".to_owned())) };
        assert_eq!((header("mcp-protocol-version").unwrap().as_str(), header("mcp-session-id")), (version, session));
        let told = is_modern.then(|| ("tools/call".to_owned(), "act".to_owned()));
        assert_eq!(header("mcp-method").zip(header("mcp-name")), told);
        let refused = came.lock().unwrap().iter().filter(|(_, asked)| asked["error"]["code"] == -32601).count();
        assert_eq!(refused, 1, "its question gets an answer, and nothing else");
    }
}

/// Red if a call were sent again after its answer was lost.
#[tokio::test]
async fn every_answer_says_what_happened_and_no_call_is_sent_twice() {
    use FailureKind::{Permanent, Transient};
    let (came, server, folder) = start(true).await;
    let tools = accepted(&section(&server, &folder)).await;
    for (how, act, kind, words) in [
        ("cut", Happened::Maybe, Transient, "broke off"),
        ("ends", Happened::Maybe, Transient, "the stream ended before the server answered"),
        ("html", Happened::Maybe, Transient, "the answer is not JSON"),
        ("other", Happened::Maybe, Transient, "belongs to another request"),
        ("refused", Happened::No, Permanent, "HTTP 400 Bad Request: the server answered with error -32602"),
        ("version", Happened::No, Permanent, "error -32022"),
        ("denied", Happened::No, Permanent, "HTTP 403 Forbidden: [redacted]"),
        ("busy", Happened::Maybe, Transient, "HTTP 429"),
        ("broken", Happened::Maybe, Transient, "HTTP 502"),
        ("moved", Happened::Maybe, Permanent, "HTTP 307"),
        ("gone", Happened::No, Permanent, "HTTP 404"),
    ] {
        for (tool, expect) in [("s:act", act), ("s:look", Happened::No)] {
            let before = calls(&came).len();
            let outcome = call(&tools, tool, json!({"how": how, "path": "x"})).await;
            let ToolOutcome::Failed { failure: ToolFailure { detail, .. } } = &outcome else { panic!("{outcome:?}") };
            assert!(detail.contains(words) && !detail.contains(SECRET), "{how}: {detail}");
            assert_eq!(happened(outcome), (expect, kind), "{how} {tool}");
            assert_eq!(calls(&came).len() - before, 1, "{how}: one POST");
        }
    }
}

#[tokio::test]
async fn a_session_that_the_server_forgot_is_opened_again_by_the_next_call() {
    let (came, server, folder) = start(false).await;
    let tools = accepted(&section(&server, &folder)).await;
    let greeted = || came.lock().unwrap().iter().filter(|(_, asked)| asked["method"] == "initialize").count();
    let (tool, gone) = prepared(&tools, "s:act", json!({"how": "gone"}));
    let before = greeted();
    let outcome = tool.call(&gone).await;
    assert_eq!(happened(outcome), (Happened::No, FailureKind::Transient));
    assert_eq!((calls(&came).len(), greeted() - before), (1, 1), "it is not sent again by itself");
    let (_, json) = prepared(&tools, "s:act", json!({"how": "json"}));
    assert_eq!(content(tool.call(&json).await), json!({"text": "as a document"}));
    assert_eq!(greeted() - before, 2);
}

#[tokio::test]
async fn a_server_that_is_away_is_a_call_that_did_not_happen() {
    let (_, server, folder) = start(true).await;
    let tools = accepted(&section(&server, &folder)).await;
    drop(server);
    let outcome = call(&tools, "s:act", json!({})).await;
    assert_eq!(happened(outcome), (Happened::No, FailureKind::Transient));
}
