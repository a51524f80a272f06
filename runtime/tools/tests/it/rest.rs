//! Servers of the kind `http`: what is sent, what an answer means, and whether a call happened.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use provost_domain::failure::FailureKind;
use provost_domain::tool::{EffectClass, Happened, ProbeAnswer, Risk, ToolCall, ToolFailure, ToolOutcome};
use serde_json::{Value, json};

use crate::{Server, call, content, happened, prepared, section, tools};

/// A request as it arrived.
#[derive(Debug, Clone)]
struct Arrived {
    line: String,
    headers: HeaderMap,
    body: String,
}

type Came = Arc<Mutex<Vec<Arrived>>>;
type Reply = fn(&str) -> (u16, &'static str);

/// A server that keeps what comes and answers by the path.
async fn server(reply: Reply) -> (Came, Server) {
    let came = Came::default();
    let answer = move |State(came): State<Came>, request: Request| async move {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let line = format!("{} {}", parts.method, parts.uri);
        let (status, text) = reply(parts.uri.path());
        let body = String::from_utf8(body.to_vec()).unwrap();
        came.lock().unwrap().push(Arrived { line, headers: parts.headers, body });
        let mut response: Response = (StatusCode::from_u16(status).unwrap(), Body::from(text)).into_response();
        if (300..400).contains(&status) {
            response.headers_mut().insert(header::LOCATION, "http://127.0.0.1:1/elsewhere".parse().unwrap());
        }
        response
    };
    let routes = Router::new().fallback(answer).with_state(Arc::clone(&came));
    (came, Server::start(routes).await)
}

fn deploy(url: &str) -> Value {
    let rollback = json!({
        "about": "Puts an earlier release live.",
        "args": {"service": "string", "environment": "roster.environments", "to": "optional string, a version; else the one before"},
        "request": {"method": "POST", "path": "/services/{{ args.service }}/rollback",
            "query": {"dry": "no", "to": "{{ args.to }}"}, "headers": {"X-Env": "{{ args.environment }}"},
            "json": {"environment": "{{ args.environment }}", "version": "{{ args.to }}", "note": "by {{ args.service }}"}},
        "effect": "idempotent", "key": {"header": "Idempotency-Key"}, "risk": "medium",
        "result": {"version": "body.version", "previous": "body.previous"},
        "refused": "status in [400, 404, 409, 422]",
        "target": "{{ args.environment }}/{{ args.service }}", "repeat": {"max": 1, "within": "5m"},
    });
    let restart = json!({"about": "Restarts.", "args": {"service": "string"},
        "request": {"method": "POST", "path": "/services/{{ args.service }}/restart"}});
    let releases = json!({"about": "What was live.", "args": {"service": "string"}, "effect": "read", "risk": "low",
        "request": {"path": "/services/{{ args.service }}/releases"}, "result": {"releases": "body.releases"}});
    let status = json!({"about": "All of it.", "effect": "read", "request": {"path": "/status"}});
    json!({"deploy": {"kind": "http", "url": format!("{url}/api"),
        "tools": {"rollback": rollback, "restart": restart, "releases": releases, "status": status}}})
}

#[tokio::test]
async fn a_request_is_filled_in_and_its_answer_mapped() {
    let (came, server) = server(|_| (200, "{\"version\": \"2.4.0\", \"previous\": \"2.4.1\", \"more\": 1}")).await;
    let tools = tools(&deploy(&server.url));
    let args = json!({"service": "shop", "environment": "production"});
    let found = content(call(&tools, "deploy:rollback", args.clone()).await);
    assert_eq!(found, json!({"version": "2.4.0", "previous": "2.4.1"}));
    let mut with_version = args;
    with_version["to"] = json!("2.3 & 4");
    drop(call(&tools, "deploy:rollback", with_version).await);
    let came = came.lock().unwrap().clone();
    assert_eq!(came[0].line, "POST /api/services/shop/rollback?dry=no");
    assert_eq!(came[1].line, "POST /api/services/shop/rollback?dry=no&to=2.3+%26+4");
    assert_eq!(
        (&came[0].headers["idempotency-key"], &came[0].headers["x-env"]),
        (&"the-key".parse().unwrap(), &"production".parse().unwrap())
    );
    let bodies: Vec<Value> = came.iter().map(|arrived| serde_json::from_str(&arrived.body).unwrap()).collect();
    assert_eq!(bodies[0], json!({"environment": "production", "note": "by shop"}));
    assert_eq!(bodies[1]["version"], "2.3 & 4");
}

#[test]
fn what_is_declared_is_what_is_written() {
    let tools = tools(&deploy("http://h"));
    let built = crate::built(&tools).unwrap();
    let spec = |name: &str| built.iter().find(|tool| tool.spec().name.as_str() == name).unwrap().spec();
    let rollback = spec("deploy:rollback");
    assert_eq!(
        (rollback.effect, rollback.risk, rollback.risk_floor),
        (EffectClass::Idempotent, Risk::Medium, Some(Risk::Medium))
    );
    assert_eq!(rollback.rosters["environment"], "environments");
    assert_eq!(rollback.schema.problems(&json!({"service": "a", "environment": "b"})), Vec::<String>::new());
    assert_eq!(rollback.schema.problems(&json!({"service": "a", "environment": "b", "x": 1})).len(), 1);
    assert_eq!(rollback.schema.raw()["properties"]["to"]["description"], "a version; else the one before");
    assert_eq!(rollback.output.as_ref().unwrap()["required"], json!(["previous", "version"]));
    assert_eq!(rollback.claim.repeat.max, 1);
    let restart = spec("deploy:restart");
    assert_eq!((restart.effect, restart.risk, restart.risk_floor), (EffectClass::Unsafe, Risk::High, None));
    assert_eq!(spec("deploy:releases").effect, EffectClass::Read);
}

#[tokio::test]
async fn no_value_becomes_a_part_of_the_request_around_it() {
    let (came, server) = server(|_| (200, "{}")).await;
    let tools = tools(&deploy(&server.url));
    let hostile = [
        "../../admin",
        "a/b",
        "a?x=1",
        "a#b",
        "a%2e%2e",
        "\u{202e}evil",
        "a\r\nX-Evil: 1",
        "\"}, {\"",
        "{{ args.to }}",
        "..%2f..",
        "\0",
        "é ",
        "a\\b",
        ".",
        "..",
        "",
    ];
    for value in hostile {
        let args = json!({"service": value, "environment": "e", "to": value});
        let before = came.lock().unwrap().len();
        let outcome = call(&tools, "deploy:rollback", args).await;
        let Some(arrived) = came.lock().unwrap().get(before).cloned() else {
            // Nothing was sent, and that is said.
            assert_eq!(happened(outcome), (Happened::No, FailureKind::Permanent), "{value}");
            assert!(["", ".", "..",].contains(&value), "{value:?}");
            continue;
        };
        let (path, query) = arrived.line.strip_prefix("POST ").unwrap().split_once('?').unwrap();
        let segments: Vec<&str> = path.split('/').collect();
        assert!(segments.len() == 5 && segments[1] == "api" && segments[4] == "rollback", "{value:?}: {path}");
        assert_eq!(query.split('&').count(), 2, "{value:?}: {query}");
        assert!(!arrived.headers.contains_key("x-evil"), "{value:?}");
        let body: Value = serde_json::from_str(&arrived.body).unwrap();
        assert_eq!(body, json!({"environment": "e", "version": value, "note": format!("by {value}")}), "{value:?}");
    }
    // In a header a value that cannot stand there keeps the request from being written.
    let args = json!({"service": "s", "environment": "e\r\nX-Evil: 1"});
    let before = came.lock().unwrap().len();
    let outcome = call(&tools, "deploy:rollback", args).await;
    assert_eq!(came.lock().unwrap().len(), before);
    let ToolOutcome::Failed { failure: ToolFailure { detail, .. } } = &outcome else { panic!("{outcome:?}") };
    assert!(detail.contains("nothing was sent"), "{detail}");
}

/// The status that the path names.
fn by_path(path: &str) -> (u16, &'static str) {
    (path.rsplit('/').next().unwrap().parse().unwrap(), "{\"a\": 1}")
}

#[tokio::test]
async fn every_status_says_of_every_class_whether_it_happened() {
    let (came, server) = server(by_path).await;
    let entry = |effect: &str| {
        let mut entry = json!({"about": "x", "args": {"s": "integer"}, "effect": effect,
            "request": {"method": "POST", "path": "/{{ args.s }}"}});
        if effect == "idempotent" {
            entry["key"] = json!({"header": "Idempotency-Key"});
        }
        entry
    };
    let mut declared = entry("unsafe");
    declared["ok"] = json!("status in [200, 303]");
    declared["refused"] = json!("status in [409, 302]");
    let entries = json!({"read": entry("read"), "idempotent": entry("idempotent"), "unsafe": entry("unsafe"), "declared": declared});
    let tools = tools(&json!({"t": {"kind": "http", "url": server.url, "tools": entries}}));
    let classes = ["read", "idempotent", "unsafe", "declared"];
    let prepared = classes.map(|class| (class, prepared(&tools, &format!("t:{class}"), json!({"s": 200}))));
    let statuses: Vec<u16> = (200..600).collect();
    for status in &statuses {
        let later = matches!(status, 408 | 429 | 500..600);
        let kind = if later { FailureKind::Transient } else { FailureKind::Permanent };
        for (class, (tool, asked)) in &prepared {
            let class = *class;
            let answered = if class == "declared" { [200, 303].contains(status) } else { (200..300).contains(status) };
            let refused = if class == "declared" {
                [409, 302].contains(status)
            } else {
                [400, 401, 403, 404, 405, 410, 413, 415, 422].contains(status)
            };
            let outcome = tool.call(&ToolCall { args: Arc::new(json!({"s": status})), ..asked.clone() }).await;
            if answered {
                // Answers to these statuses have no body.
                let without = [204, 205].contains(status);
                match outcome {
                    ToolOutcome::Ok { content } => assert_eq!(content["status"], json!(status), "{class}"),
                    ToolOutcome::Empty { .. } => assert!(without && class == "read", "{class} {status}"),
                    other => panic!("{class} {status}: {other:?}"),
                }
                continue;
            }
            if let (ToolOutcome::Failed { failure }, 300..400) = (&outcome, status) {
                assert!(failure.detail.contains("127.0.0.1:1/elsewhere, which is not followed"), "{failure:?}");
            }
            let maybe = class != "read" && !refused;
            let expect = if maybe { Happened::Maybe } else { Happened::No };
            assert_eq!(happened(outcome), (expect, kind), "{class} {status}");
        }
    }
    assert_eq!(came.lock().unwrap().len(), statuses.len() * 4);
}

#[tokio::test]
async fn a_call_that_was_never_sent_did_not_happen_and_one_that_was_cut_off_may_have() {
    let tools_of = |url: &str| tools(&deploy(url));
    let args = json!({"service": "shop"});
    let unreached = call(&tools_of("http://127.0.0.1:1"), "deploy:restart", args.clone()).await;
    assert_eq!(happened(unreached), (Happened::No, FailureKind::Transient));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut hang_up = tokio::task::JoinSet::new();
    hang_up.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = [0; 1024];
            let _read = tokio::io::AsyncReadExt::read(&mut stream, &mut bytes).await.unwrap();
            let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
            tokio::io::AsyncWriteExt::write_all(&mut stream, half).await.unwrap();
        }
    });
    let cut_off = call(&tools_of(&url), "deploy:restart", args.clone()).await;
    assert_eq!(happened(cut_off).0, Happened::Maybe);
    let read = call(&tools_of(&url), "deploy:releases", args).await;
    assert_eq!(happened(read).0, Happened::No);
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_partial_and_nothing_is_empty() {
    let (_, server) = server(|path| match path {
        "/api/services/none/releases" => (200, "{\"releases\": []}"),
        "/api/services/odd/releases" => (200, "{\"others\": 1}"),
        "/api/services/text/releases" => (200, "plain"),
        "/api/status" => (200, "null"),
        _ => (200, ""),
    })
    .await;
    let tools = tools(&deploy(&server.url));
    let releases = async |service: &str| call(&tools, "deploy:releases", json!({ "service": service })).await;
    assert!(matches!(releases("none").await, ToolOutcome::Empty { .. }));
    for service in ["odd", "text"] {
        let ToolOutcome::Partial { content, why } = releases(service).await else { panic!("{service}") };
        assert!(why.contains("`releases`: cannot tell") && content["status"] == 200, "{why}: {content}");
    }
    assert!(matches!(call(&tools, "deploy:status", json!({})).await, ToolOutcome::Empty { .. }));
    let restarted = content(call(&tools, "deploy:restart", json!({"service": "s"})).await);
    assert_eq!(restarted, json!({"status": 200, "body": null}));
}

#[tokio::test]
async fn an_answer_is_compared_with_the_schema_that_was_declared() {
    let (_, server) = server(|_| (200, "{\"version\": 7}")).await;
    let mut written = deploy(&server.url);
    let releases = &mut written["deploy"]["tools"]["releases"];
    releases["result"] = json!({"version": "body.version"});
    releases["output_schema"] = json!({"type": "object", "properties": {"version": {"type": "string"}}});
    let tools = tools(&written);
    let outcome = call(&tools, "deploy:releases", json!({"service": "s"})).await;
    let ToolOutcome::Partial { content, why } = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("not as declared: /version") && content["body"]["version"] == 7, "{why}");
}

#[tokio::test]
async fn a_large_answer_is_cut_and_says_so() {
    let (_, server) = server(|_| (200, Box::leak("x".repeat(2 * 1024 * 1024).into_boxed_str()))).await;
    let tools = tools(&deploy(&server.url));
    let (tool, asked) = prepared(&tools, "deploy:restart", json!({"service": "s"}));
    let ToolOutcome::Truncated { content, total_bytes } = tool.call(&asked).await else { panic!("not truncated") };
    assert!(total_bytes == 2 * 1024 * 1024 && content.to_string().len() <= 32 * 1024, "{total_bytes}");
}

/// One change of a good section, and the one error it must lead to.
#[track_caller]
fn wrong(change: &dyn Fn(&mut Value), message: &str, hint: &str) {
    let mut written = deploy("http://h");
    change(&mut written["deploy"]["tools"]["rollback"]);
    let errors = section(&written).unwrap_err();
    assert!(errors.len() == 1 && errors[0].contains(message) && errors[0].contains(hint), "{message}: {errors:?}");
}

fn set(path: &'static str, value: Value) -> impl Fn(&mut Value) {
    move |tool| match tool.pointer_mut(path) {
        Some(place) => *place = value.clone(),
        None => drop(tool.as_object_mut().unwrap().insert(path.trim_start_matches('/').to_owned(), value.clone())),
    }
}

fn removed(key: &'static str) -> impl Fn(&mut Value) {
    move |tool| drop(tool.as_object_mut().unwrap().remove(key))
}

#[test]
fn mistakes_in_a_request_are_named() {
    wrong(&removed("about"), "the key `about` of `rollback` is missing", "models read it");
    wrong(&removed("request"), "the key `request` is missing", "method: POST");
    wrong(&removed("key"), "needs the key `key`", "Idempotency-Key");
    wrong(&set("/effect", json!("probe")), "cannot be asked", "read or idempotent or unsafe");
    wrong(&set("/key", json!({"header": "Cookie"})), "not the name of a header for a key", "Idempotency-Key");
    wrong(&set("/request/method", json!("post")), "the method is not known", "did you mean `POST`?");
    wrong(
        &|tool| drop(tool["request"].as_object_mut().unwrap().remove("method")),
        "the key `method` is missing",
        "effect: read",
    );
    wrong(
        &|tool| drop(tool["request"].as_object_mut().unwrap().remove("path")),
        "the key `path` is missing",
        "add `path:`",
    );
    wrong(&set("/request/path", json!("services")), "begin with one `/`", "/services/");
    wrong(&set("/request/path", json!("//h/x")), "begin with one `/`", "");
    wrong(&set("/request/path", json!("/x/{{ args.servise }}")), "servise", "did you mean `service`?");
    wrong(&set("/request/path", json!("/x/{{ args.service")), "column", "");
    wrong(&set("/request/path", json!("/x/{{ args.to }}")), "`args.to` may be absent", "stand alone");
    wrong(&set("/request/path", json!("/x?{{ args.service }}=1")), "the name of a query's part", "");
    wrong(&set("/request/query", json!({"a": "{{ body }}"})), "body", "");
    wrong(&set("/request/query", json!({"a": "x {{ args.to }}"})), "`args.to` may be absent", "");
    wrong(&set("/request/query", json!(["a"])), "expected a table of texts", "");
    wrong(&set("/request/headers", json!({"Authorization": "x"})), "is not written here", "under `auth`");
    wrong(&set("/request/headers", json!({"X Y": "x"})), "not the name of a header", "");
    wrong(&set("/request/json", json!({"a": ["x {{ args.to }}"]})), "`args.to` may be absent", "");
    wrong(&set("/request/json", json!({"a": "{{ args.x }}"})), "x", "");
    wrong(
        &|tool| drop(tool["request"].as_object_mut().unwrap().insert("body".to_owned(), json!({}))),
        "unknown key `body`",
        "",
    );
}

#[test]
fn mistakes_in_arguments_and_results_are_named() {
    wrong(
        &set("/args", json!({"service": "sting", "environment": "string", "to": "optional string"})),
        "the type is not known",
        "did you mean `string`?",
    );
    wrong(
        &set("/args", json!({"service": "string", "environment": "roster.", "to": "optional string"})),
        "the name of a roster",
        "",
    );
    wrong(
        &set("/args", json!({"service": "string", "environment": 7, "to": "optional string"})),
        "expected a type",
        "optional TYPE",
    );
    wrong(
        &set("/args", json!({"service": "string", "environment": {"type": "strin"}, "to": "optional string"})),
        "not a usable JSON Schema",
        "",
    );
    wrong(
        &set("/args", json!({"service": "string", "environment": "string", "to": "optional string", "a-b": "string"})),
        "cannot be the name of an argument",
        "",
    );
    wrong(&set("/result", json!({"a": "body.["})), "column", "");
    wrong(&set("/result", json!({"a": "bdy.x"})), "bdy", "did you mean `body`?");
    wrong(&set("/result", json!(["a"])), "expected a table of expressions", "");
    wrong(&set("/refused", json!("status in [200]")), "200 is both an answer and a refusal", "");
    wrong(&set("/refused", json!("code == 1")), "not a condition on `status`", "");
    wrong(&set("/output_schema", json!({"type": "nothing"})), "not a usable JSON Schema", "properties");
    wrong(&set("/output_schema", json!("text")), "expected a JSON Schema", "");
    wrong(&set("/retry", json!(1)), "unknown key `retry`", "");
    let empty = json!({"d": {"kind": "http", "url": "http://h", "tools": {}}});
    assert!(section(&empty).unwrap_err()[0].contains("no tool is written"));
    let missing = json!({"d": {"kind": "http", "url": "http://h"}});
    assert!(section(&missing).unwrap_err()[0].contains("the key `tools` is missing"));
    let named = json!({"d": {"kind": "http", "url": "http://h", "tools": {"a b": {"about": "x", "request": {"method": "POST", "path": "/"}}}}});
    assert!(section(&named).unwrap_err()[0].contains("cannot be the name of a tool"));
}

/// A server that lost its answer to every change, and says of each what the path asks it to say.
fn knows(path: &str) -> (u16, &'static str) {
    match path.rsplit('/').next().unwrap() {
        "happened" => (200, "{\"version\": \"2\"}"),
        "not" => (404, "{\"final\": true}"),
        "perhaps" => (404, "{\"final\": false}"),
        "both" => (200, "{\"final\": true}"),
        _ => (500, "lost"),
    }
}

#[tokio::test]
async fn a_server_is_asked_whether_a_call_happened() {
    let (came, server) = server(knows).await;
    let release = json!({"about": "Releases.", "args": {"says": "string"}, "effect": "probe",
        "request": {"method": "POST", "path": "/release"}, "result": {"version": "body.version"},
        "probe": {"request": {"path": "/of/{{ key }}/{{ args.says }}"}, "happened": "status == 200",
            "not_happened": "body.final == true"}});
    let tools = tools(&json!({"d": {"kind": "http", "url": server.url, "tools": {"release": release}}}));
    let ask = async |says: &str| {
        let (tool, call) = prepared(&tools, "d:release", json!({ "says": says }));
        assert_eq!(tool.spec().effect, EffectClass::Probe);
        tool.probe(&call).await
    };
    let outcome = ToolOutcome::Ok { content: json!({"version": "2"}) };
    assert_eq!(ask("happened").await, ProbeAnswer::Happened { outcome });
    assert_eq!(ask("not").await, ProbeAnswer::DidNotHappen);
    for (says, words) in [("perhaps", "fits neither"), ("both", "fits both"), ("other", "fits neither")] {
        let ProbeAnswer::CannotTell { detail } = ask(says).await else { panic!("{says}") };
        assert!(detail.contains(words), "{detail}");
    }
    assert_eq!(came.lock().unwrap()[0].line, "GET /of/the-key/happened");
    drop(server);
    let ProbeAnswer::CannotTell { detail } = ask("not").await else { panic!("it answered") };
    assert!(detail.contains("could not connect"), "{detail}");
}

#[test]
fn a_probe_is_written_whole() {
    let entry = |probe: Value| {
        let entry =
            json!({"about": "x", "effect": "probe", "request": {"method": "POST", "path": "/"}, "probe": probe});
        json!({"d": {"kind": "http", "url": "http://h", "tools": {"t": entry}}})
    };
    for (probe, words) in [
        (json!({}), "the key `request` is missing"),
        (json!({"request": {"path": "/"}, "happened": "status"}), "a condition is needed here"),
        (json!({"request": {"path": "/"}, "happened": "statsu == 1", "not_happened": "true"}), "statsu"),
        (json!({"request": {"path": "/"}, "hapened": "true"}), "unknown key `hapened`"),
    ] {
        let errors = section(&entry(probe)).unwrap_err();
        assert!(errors.iter().any(|error| error.contains(words)), "{words}: {errors:?}");
    }
    let mut without = entry(json!({}));
    without["d"]["tools"]["t"].as_object_mut().unwrap().remove("probe");
    assert!(section(&without).unwrap_err()[0].contains("cannot be asked whether a call happened"));
}
