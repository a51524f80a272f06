//! The HTTP face of the built binary: an incident from opening to outcome, and every path by every role.

use std::collections::BTreeSet;

use provost_tests::daemon::{Daemon, ROLES, answered};
use provost_tests::visitor::Visitor;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn an_incident_is_opened_approved_and_resolved_over_http() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let session = daemon.open().await;
    let shown = daemon.until(&session, "awaiting_input").await;
    let queue = daemon.get("/v1/approvals").await;
    let approval = queue["items"][0]["approval"].as_str().unwrap();
    assert_eq!(shown["approvals_pending"], json!([approval]));

    let path = format!("/v1/approvals/{approval}/decide");
    let approve = Some(json!({"answer": "approve"}));
    let refused = daemon.ask("operator", Method::POST, &path, approve.clone()).await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::FORBIDDEN, &json!("forbidden")));
    let taken = daemon.ask("approver", Method::POST, &path, approve.clone()).await;
    assert_eq!(taken.status, StatusCode::OK, "{taken:?}");
    daemon.until(&session, "resolved").await;
    let late = daemon.ask("admin", Method::POST, &path, approve).await;
    assert_eq!((late.status, &late.body["code"]), (StatusCode::CONFLICT, &json!("approval_already_decided")));
    assert_eq!(daemon.shop.witness(), (1, 0));

    let events = daemon.get(&format!("/v1/sessions/{session}/events?page_size=1000")).await;
    let seqs: Vec<u64> =
        events["items"].as_array().unwrap().iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    let by =
        &events["items"].as_array().unwrap().iter().find(|event| event["kind"] == "approval_decided").unwrap()["data"];
    assert_eq!(by["by"], "user:approver");
    let log = daemon.log();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert!(lines.into_iter().any(|line| line["by"] == "user:approver" && line["level"] == "INFO"), "{log}");
    assert!(ROLES.iter().all(|role| !log.contains(daemon.secret(role))), "a secret in the log");

    let (shop, code) = daemon.stop().await;
    assert_eq!(code, 0);
    assert_eq!(shop.last(&["audit", "verify"]).await["problems"], 0);
}

#[tokio::test]
async fn a_person_closes_a_session_under_their_own_name() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let session = daemon.open().await;
    daemon.until(&session, "awaiting_input").await;
    let path = format!("/v1/sessions/{session}/claim");
    let args = json!({"team": "nobody", "reason": "by hand", "confidence": 1, "rationale": "seen"});
    let claim = |args: &Value| Some(json!({"tool": "mark_escalated", "args": args}));
    let refused = daemon.ask("operator", Method::POST, &path, claim(&args)).await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("call_refused")));
    let mut args = args;
    args["team"] = json!("platform-oncall");
    let taken = daemon.ask("operator", Method::POST, &path, claim(&args)).await;
    assert_eq!(taken.status, StatusCode::OK, "{taken:?}");
    let shown = daemon.until(&session, "escalated").await;
    assert_eq!(shown["approvals_pending"], json!([]), "{shown}");
    daemon.told().await;
    assert_eq!(daemon.shop.witness(), (0, 1));
}

#[tokio::test]
async fn a_crashed_daemon_goes_on_where_it_stood() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let session = daemon.open().await;
    daemon.until(&session, "awaiting_input").await;
    let daemon = daemon.crash().await;
    let queue = daemon.get("/v1/approvals").await;
    let path = format!("/v1/approvals/{}/decide", queue["items"][0]["approval"].as_str().unwrap());
    let taken = daemon.ask("approver", Method::POST, &path, Some(json!({"answer": "approve"}))).await;
    assert_eq!(taken.status, StatusCode::OK, "{taken:?}");
    daemon.until(&session, "resolved").await;
    assert_eq!(daemon.shop.witness(), (1, 0));
}

/// Red when the daemon waits for every connection to end by itself.
#[tokio::test]
async fn a_caller_that_never_finishes_its_request_does_not_keep_the_daemon() {
    use tokio::io::AsyncWriteExt as _;
    let daemon = Daemon::start("already-healthy").await;
    let address = daemon.url.strip_prefix("http://").unwrap().to_owned();
    let mut stuck = tokio::net::TcpStream::connect(address).await.unwrap();
    stuck.write_all(b"GET /v1/sessions HT").await.unwrap();
    let (_, code) = daemon.stop().await;
    assert_eq!(code, 0);
    drop(stuck);
}

/// The documented paths and methods.
async fn documented(daemon: &Daemon) -> BTreeSet<(String, String)> {
    let document = daemon.get("/openapi.json").await;
    let paths = document["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().keys().map(|method| (path.clone(), method.to_uppercase()))
    });
    each.collect()
}

const ANYBODY: &[&str] = &["", "intake", "viewer", "operator", "approver", "admin"];
const LOOK: &[&str] = &["viewer", "operator", "approver", "admin"];
const OPERATE: &[&str] = &["operator", "approver", "admin"];
const DELIVER: &[&str] = &["intake", "operator", "approver", "admin"];
const APPROVE: &[&str] = &["approver", "admin"];
const ADMINISTER: &[&str] = &["admin"];

/// Every documented path and method, with the roles that get past the guard; the empty one is a caller without a token.
const ENDPOINTS: [(&str, &str, &[&str]); 41] = [
    ("/errors/{code}", "GET", ANYBODY),
    ("/healthz", "GET", ANYBODY),
    ("/hooks/alertmanager", "POST", DELIVER),
    ("/hooks/cloudevents", "POST", DELIVER),
    // Not configured here: whoever delivers to them is known by a signature.
    ("/hooks/github", "POST", ANYBODY),
    ("/hooks/pagerduty", "POST", ANYBODY),
    ("/hooks/webhook/{name}", "POST", ANYBODY),
    ("/metrics", "GET", LOOK),
    ("/readyz", "GET", ANYBODY),
    ("/v1/approvals", "GET", LOOK),
    ("/v1/approvals/{approval}/decide", "POST", APPROVE),
    ("/v1/deliveries", "GET", LOOK),
    ("/v1/deliveries/{delivery}", "GET", LOOK),
    ("/v1/deliveries/{delivery}/dismiss", "POST", OPERATE),
    ("/v1/deliveries/{delivery}/replay", "POST", OPERATE),
    ("/v1/outbox", "GET", LOOK),
    ("/v1/outbox/{message}/retry", "POST", OPERATE),
    ("/v1/packs", "GET", LOOK),
    ("/v1/sessions", "GET", LOOK),
    ("/v1/sessions", "POST", OPERATE),
    ("/v1/sessions/{session}", "GET", LOOK),
    ("/v1/sessions/{session}/acknowledge", "POST", OPERATE),
    ("/v1/sessions/{session}/annotate", "POST", OPERATE),
    ("/v1/sessions/{session}/claim", "POST", OPERATE),
    ("/v1/sessions/{session}/continue", "POST", OPERATE),
    ("/v1/sessions/{session}/erase", "POST", ADMINISTER),
    ("/v1/sessions/{session}/events", "GET", LOOK),
    ("/v1/sessions/{session}/records", "GET", LOOK),
    ("/v1/sessions/{session}/report", "GET", LOOK),
    ("/v1/sessions/{session}/retry", "GET", LOOK),
    ("/v1/sessions/{session}/retry", "POST", OPERATE),
    ("/v1/sessions/{session}/say", "POST", OPERATE),
    ("/v1/sessions/{session}/settle", "POST", OPERATE),
    ("/v1/sessions/{session}/socket", "GET", LOOK),
    ("/v1/sessions/{session}/stop", "POST", OPERATE),
    ("/v1/stream", "GET", LOOK),
    ("/v1/tokens", "GET", ADMINISTER),
    ("/v1/tokens", "POST", ADMINISTER),
    ("/v1/tokens/{token}", "DELETE", ADMINISTER),
    ("/v1/tools", "GET", LOOK),
    ("/v2/enqueue", "POST", DELIVER),
];

/// A path with something in its places; the page of a code is there, whoever asks.
fn concrete(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{code}" => "forbidden",
        part if part.starts_with('{') => "none",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_endpoint_answers_exactly_the_roles_it_should() {
    let daemon = Daemon::start("already-healthy").await;
    let rows = ENDPOINTS.map(|(path, method, _)| (path.to_owned(), method.to_owned()));
    assert_eq!(documented(&daemon).await, rows.into(), "each path and method needs a row, and each row a path");
    let undocumented = [("/openapi.json", "GET", LOOK)];
    for (path, method, allowed) in ENDPOINTS.into_iter().chain(undocumented) {
        let method: Method = method.parse().unwrap();
        let concrete = concrete(path);
        for role in [""].into_iter().chain(ROLES) {
            let response = daemon.request(role, method.clone(), &concrete).send().await.unwrap();
            let status = response.status();
            // A stream that was granted would not end.
            let body = if status == StatusCode::OK { Value::Null } else { answered(response).await.body };
            let barred = if role.is_empty() { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN };
            let code = if role.is_empty() { "unauthenticated" } else { "forbidden" };
            if allowed.contains(&role) {
                let out = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
                assert!(!out.contains(&status), "{role} {method} {path}: {status} {body}");
            } else {
                assert_eq!((status, &body["code"]), (barred, &json!(code)), "{role} {method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn every_error_has_the_one_form() {
    let daemon = Daemon::start("already-healthy").await;
    let json_body = |text: &'static str| {
        daemon.request("operator", Method::POST, "/v1/sessions").header("content-type", "application/json").body(text)
    };
    let plain = daemon.request("operator", Method::POST, "/v1/sessions").body("x");
    let huge = json_body("").body("[".repeat(2 * 1024 * 1024));
    let get = |path: &str| daemon.request("viewer", Method::GET, path);
    let cases = [
        (get("/nowhere"), 404, "no_route"),
        (daemon.request("viewer", Method::PUT, "/v1/sessions"), 405, "method_not_allowed"),
        (get("/v1/sessions/INC-1"), 404, "not_found"),
        (get("/v1/sessions?page_size=x"), 400, "invalid_request"),
        (get("/v1/sessions?page_size=0"), 400, "invalid_request"),
        (get("/v1/sessions?page_token=x"), 400, "invalid_request"),
        (get("/v1/sessions?unknown=x"), 400, "invalid_request"),
        (plain, 415, "unsupported_media_type"),
        (json_body("{"), 400, "invalid_request"),
        (json_body("{\"pack\": 7}"), 422, "invalid_body"),
        (json_body("{\"pack\": \"none\", \"fields\": {}}"), 404, "unknown_pack"),
        (json_body("{\"pack\": \"incident\", \"fields\": {}}"), 422, "invalid_fields"),
        (daemon.request("", Method::GET, "/v1/sessions").bearer_auth("pvt_x"), 401, "unauthenticated"),
        // Last: the server closes the connection with the rest of the body unread, so no request may follow on it.
        (huge, 413, "body_too_large"),
    ];
    for (request, status, code) in cases {
        let answered = answered(request.send().await.unwrap()).await;
        assert_eq!((answered.status.as_u16(), &answered.body["code"]), (status, &json!(code)), "{answered:?}");
        assert_eq!(answered.content_type, "application/problem+json");
        assert_eq!(answered.body["status"], status);
        assert_eq!(answered.body["type"], format!("/errors/{code}"));
        assert_ne!(answered.body["detail"], Value::Null);
    }
}

#[tokio::test]
async fn every_code_has_a_page_and_the_same_as_json() {
    let daemon = Daemon::start("already-healthy").await;
    let visitor = Visitor::new(&daemon.url);
    for code in provost_face::Code::ALL {
        let path = format!("/errors/{}", code.as_str());
        let page = visitor.get(&path).await;
        assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
        let title = code.title().replace('\'', "&#39;");
        assert!(page.text.contains(&title) && page.text.contains("What to do"), "{}", page.text);
        let json = daemon.request("", Method::GET, &path).header("accept", "application/json");
        let json = answered(json.send().await.unwrap()).await;
        assert_eq!((&json.body["code"], &json.body["advice"]), (&json!(code.as_str()), &json!(code.advice())));
        assert_eq!(
            (json.content_type.as_str(), &json.body["status"]),
            ("application/json", &json!(code.http_status()))
        );
        assert_eq!(json.body.get("retry_after"), code.retry_after().map(|seconds| json!(seconds)).as_ref());
    }
    let unknown = daemon.ask("", Method::GET, "/errors/none", None).await;
    assert_eq!((unknown.status, &unknown.body["code"]), (StatusCode::NOT_FOUND, &json!("not_found")));
    let page = visitor.get("/errors/none").await;
    assert!(page.text.contains("href=\"/errors/not_found\""), "{}", page.text);
}

#[tokio::test]
async fn a_token_is_minted_used_and_revoked_over_http() {
    let daemon = Daemon::start("already-healthy").await;
    let body = json!({"name": "bob", "role": "viewer"});
    let minted = daemon.ask("admin", Method::POST, "/v1/tokens", Some(body.clone())).await;
    assert_eq!(minted.status, StatusCode::CREATED);
    let again = daemon.ask("admin", Method::POST, "/v1/tokens", Some(body)).await;
    assert_eq!((again.status, &again.body["code"]), (StatusCode::CONFLICT, &json!("token_name_taken")));
    let (secret, id) = (minted.body["secret"].as_str().unwrap(), minted.body["token"].as_str().unwrap());
    let look = || daemon.request("", Method::GET, "/v1/sessions").bearer_auth(secret).send();
    assert_eq!(look().await.unwrap().status(), StatusCode::OK);

    let listed = daemon.ask("admin", Method::GET, "/v1/tokens", None).await.body;
    let bob = listed["items"].as_array().unwrap().iter().find(|token| token["name"] == "bob").unwrap().clone();
    assert_ne!(bob["used_at"], Value::Null);
    assert!(!listed.to_string().contains(secret));

    let revoke = daemon.ask("admin", Method::DELETE, &format!("/v1/tokens/{id}"), None).await;
    assert_eq!(revoke.status, StatusCode::NO_CONTENT);
    assert_eq!(look().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

/// The ids and kinds of a stream's events, up to one of this kind.
async fn stream_until(daemon: &Daemon, path: &str, after: Option<u64>, kind: &str) -> Vec<(u64, String)> {
    let mut request = daemon.request("viewer", Method::GET, path).header("accept", "text/event-stream");
    if let Some(after) = after {
        request = request.header("last-event-id", after);
    }
    let mut response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let (mut text, mut seen) = (String::new(), Vec::new());
    while let Some(chunk) = response.chunk().await.unwrap() {
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        while let Some((event, rest)) = text.split_once("\n\n") {
            let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            if let (Some(id), Some(event)) = (field("id: "), field("event: ")) {
                seen.push((id.parse().unwrap(), event));
            }
            text = rest.to_owned();
            if seen.last().is_some_and(|(_, last)| last == kind) {
                return seen;
            }
        }
    }
    panic!("the stream ended after {seen:?}");
}

#[tokio::test]
async fn a_stream_continues_where_it_was_cut_without_gap_or_repetition() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let session = daemon.open().await;
    let path = format!("/v1/sessions/{session}/events");
    let mut seen = stream_until(&daemon, &path, None, "approval_requested").await;
    let approval = daemon.until(&session, "awaiting_input").await["approvals_pending"][0].clone();
    let path_of_answer = format!("/v1/approvals/{}/decide", approval.as_str().unwrap());
    let last = seen.last().unwrap().0;
    let (rest, _) = tokio::join!(
        stream_until(&daemon, &path, Some(last), "tool_returned"),
        daemon.ask("approver", Method::POST, &path_of_answer, Some(json!({"answer": "approve"})))
    );
    seen.extend(rest);
    daemon.until(&session, "resolved").await;
    let last = seen.last().unwrap().0;
    let stored = daemon.get(&format!("{path}?page_size=1000")).await;
    let stored: Vec<(u64, String)> = stored["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["seq"].as_u64().unwrap(), event["kind"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(seen, stored[..usize::try_from(last).unwrap()]);
}

#[tokio::test]
async fn the_same_request_under_the_same_key_is_done_once() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let fields = json!({"summary": "s", "service": "shop", "environment": "production"});
    let body = json!({"pack": "incident", "fields": fields});
    let open = async |daemon: &Daemon, key: &str, body: &Value| {
        let request =
            daemon.request("operator", Method::POST, "/v1/sessions").header("idempotency-key", key).json(body);
        let response = request.send().await.unwrap();
        let replayed = response.headers().contains_key("idempotency-replayed");
        (answered(response).await, replayed)
    };
    let (first, replayed) = open(&daemon, "k1", &body).await;
    assert_eq!((first.status, replayed), (StatusCode::CREATED, false), "{first:?}");
    let (again, replayed) = open(&daemon, "k1", &body).await;
    assert_eq!((again.status, replayed, &again.body), (StatusCode::CREATED, true, &first.body));
    let (other, _) = open(&daemon, "k1", &json!({"pack": "incident", "fields": {}})).await;
    assert_eq!((other.status.as_u16(), &other.body["code"]), (422, &json!("idempotency_mismatch")));
    let (long, _) = open(&daemon, &"k".repeat(256), &body).await;
    assert_eq!(long.body["code"], "invalid_request");

    let daemon = daemon.crash().await;
    let (after, replayed) = open(&daemon, "k1", &body).await;
    assert_eq!((replayed, &after.body), (true, &first.body));
    assert_eq!(daemon.get("/v1/sessions").await["items"].as_array().unwrap().len(), 1);

    let session = first.body["session"].as_str().unwrap();
    let shown = daemon.until(session, "awaiting_input").await;
    let path = format!("/v1/approvals/{}/decide", shown["approvals_pending"][0].as_str().unwrap());
    for _ in 0..2 {
        let request = daemon.request("approver", Method::POST, &path).header("idempotency-key", "a");
        let taken = answered(request.json(&json!({"answer": "approve"})).send().await.unwrap()).await;
        assert_eq!(taken.status, StatusCode::OK, "{taken:?}");
    }
    daemon.until(session, "resolved").await;
    assert_eq!(daemon.shop.witness(), (1, 0));
}

/// The sum of the samples whose line starts so.
fn figure(text: &str, start: &str) -> f64 {
    let samples = text.lines().filter(|line| line.starts_with(start)).filter_map(|line| line.rsplit_once(' '));
    samples.map(|(_, value)| value.parse::<f64>().unwrap()).sum()
}

#[tokio::test]
async fn what_happened_stands_in_the_figures() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let session = daemon.open().await;
    let stream = daemon.request("viewer", Method::GET, "/v1/stream").send().await.unwrap();
    let shown = daemon.until(&session, "awaiting_input").await;
    let scrape = || async {
        let response = daemon.request("viewer", Method::GET, "/metrics").send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4");
        response.text().await.unwrap()
    };
    let waiting = scrape().await;
    for (start, count) in [
        ("provost_approvals_pending ", 1.0),
        ("provost_http_streams_open ", 1.0),
        ("provost_session_statuses_total{status=\"awaiting_input\"} ", 1.0),
        ("provost_http_request_seconds_count{method=\"POST\",path=\"/v1/sessions\",status=\"201\"} ", 1.0),
        ("provost_tool_calls_total{result=\"ok\",tool=\"service:rollback\"} ", 0.0),
    ] {
        assert!((figure(&waiting, start) - count).abs() < 0.5, "{start}{count}\n{waiting}");
    }
    for start in [
        "provost_events_total ",
        "provost_commit_seconds_count ",
        "provost_model_calls_total{",
        "process_start_time_seconds ",
    ] {
        assert!(figure(&waiting, start) > 2.0, "{start}\n{waiting}");
    }
    drop(stream);

    let path = format!("/v1/approvals/{}/decide", shown["approvals_pending"][0].as_str().unwrap());
    daemon.ask("approver", Method::POST, &path, Some(json!({"answer": "approve"}))).await;
    daemon.until(&session, "resolved").await;
    let healed = scrape().await;
    assert!((figure(&healed, "provost_tool_calls_total{result=\"ok\",tool=\"service:rollback\"} ") - 1.0).abs() < 0.5);
    assert!((figure(&healed, "provost_session_statuses_total{status=\"resolved\"} ") - 1.0).abs() < 0.5, "{healed}");
    assert!(figure(&healed, "provost_approvals_pending ") < 0.5);
    assert!(!healed.contains(&session), "a session's name would be a label without bound");
}
