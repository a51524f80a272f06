//! The daemon under callers who mean it no good, or who cannot help it: idle connections, streams without end, repeated requests, a
//! store that is taken away.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use provost_tests::daemon::{Answered, Daemon, answered};
use provost_tests::desk::PATIENCE;
use provost_tests::eventually::eventually;
use provost_tests::shop::Shop;
use provost_tests::visitor::Visitor;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

/// A request whose head never ends.
fn unfinished(daemon: &Daemon) -> TcpStream {
    let mut stream = TcpStream::connect(daemon.url.trim_start_matches("http://")).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n").unwrap();
    stream
}

#[tokio::test]
async fn connections_that_ask_nothing_keep_nobody_out() {
    let daemon = Daemon::with_files(Shop::start("already-healthy").await, 200).await;
    let idle: Vec<_> = (0..300).map(|_| unfinished(&daemon)).collect();
    for _ in 0..10 {
        let asked = daemon.request("", Method::GET, "/healthz").timeout(Duration::from_secs(10)).send();
        assert_eq!(asked.await.unwrap().status(), StatusCode::OK, "{}", daemon.log());
    }
    assert!(daemon.open().await.starts_with("ses_"), "the store and the tools have files");
    drop(idle);
}

async fn stream(daemon: &Daemon, role: &str) -> Response {
    daemon.request(role, Method::GET, "/v1/stream").send().await.unwrap()
}

#[tokio::test]
async fn one_caller_cannot_have_every_stream() {
    let daemon = Daemon::with_files(Shop::start("already-healthy").await, 200).await;
    let mut open = Vec::new();
    let refused = loop {
        let response = stream(&daemon, "viewer").await;
        if response.status() != StatusCode::OK {
            break answered(response).await;
        }
        open.push(response);
    };
    assert_eq!((refused.status.as_u16(), &refused.body["code"]), (503, &json!("too_many_streams")));
    assert!(open.len() < 50 && refused.body["detail"].as_str().unwrap().contains("of this token"), "{refused:?}");
    assert_eq!(stream(&daemon, "operator").await.status(), StatusCode::OK, "another caller has its own");
    open.pop();
    let again = eventually("a place to be free again", PATIENCE, || async {
        let response = stream(&daemon, "viewer").await;
        (response.status() == StatusCode::OK).then_some(response)
    });
    again.await.unwrap();
}

/// Reads a stream to its end, which must come.
async fn ended(mut stream: Response) {
    let reading = async { while stream.chunk().await.is_ok_and(|chunk| chunk.is_some()) {} };
    tokio::time::timeout(PATIENCE, reading).await.unwrap();
}

async fn token_of(daemon: &Daemon, name: &str) -> String {
    let listed = daemon.ask("admin", Method::GET, "/v1/tokens", None).await.body;
    let in_force = |token: &&Value| token["name"] == name && token["revoked_at"].is_null();
    listed["items"].as_array().unwrap().iter().find(in_force).unwrap()["token"].as_str().unwrap().to_owned()
}

async fn revoke(daemon: &Daemon, name: &str) {
    let path = format!("/v1/tokens/{}", token_of(daemon, name).await);
    assert_eq!(daemon.ask("admin", Method::DELETE, &path, None).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn streams_end_with_the_token_or_the_login_that_opened_them() {
    let daemon = Daemon::start("already-healthy").await;
    let session = daemon.open().await;
    let events = format!("/v1/sessions/{session}/events");
    let of_session = daemon.request("viewer", Method::GET, &events).header("accept", "text/event-stream");
    let (of_session, of_all) = (of_session.send().await.unwrap(), stream(&daemon, "viewer").await);
    let other = stream(&daemon, "operator").await;
    let visitor = Visitor::logged_in(&daemon.url, daemon.secret("operator")).await;
    let by_login = visitor.request(Method::GET, "/v1/stream").send().await.unwrap();
    assert_eq!(by_login.status(), StatusCode::OK);
    assert_eq!(visitor.send("/logout", &[]).await.location(), "/login");
    revoke(&daemon, "viewer").await;
    tokio::join!(ended(of_session), ended(of_all), ended(by_login));
    drop(other);
}

/// Sends a POST under a key; whether it was answered as before.
async fn post(daemon: &Daemon, secret: &str, path: &str, key: &str, body: &Value) -> (Answered, bool) {
    let request = daemon.request("", Method::POST, path).bearer_auth(secret).header("idempotency-key", key).json(body);
    let response = request.send().await.unwrap();
    let replayed = response.headers().contains_key("idempotency-replayed");
    (answered(response).await, replayed)
}

#[tokio::test]
async fn every_post_is_done_once_by_the_holder_of_one_token() {
    let daemon = Daemon::start("already-healthy").await;
    let admin = daemon.secret("admin").to_owned();
    let body = json!({"name": "ann", "role": "operator"});
    let (first, _) = post(&daemon, &admin, "/v1/tokens", "k", &body).await;
    let (again, replayed) = post(&daemon, &admin, "/v1/tokens", "k", &body).await;
    assert_eq!((first.status, again.status.as_u16(), replayed), (StatusCode::CREATED, 409, true), "{again:?}");
    let secret = first.body["secret"].as_str().unwrap();
    assert!(!again.body.to_string().contains(secret), "a secret is told once");

    let fields = json!({"summary": "s", "service": "shop", "environment": "staging"});
    let case = json!({"pack": "incident", "fields": fields});
    let (anns, _) = post(&daemon, secret, "/v1/sessions", "k", &case).await;
    assert_eq!(anns.status, StatusCode::CREATED, "{anns:?}");
    revoke(&daemon, "ann").await;
    let (second, _) = post(&daemon, &admin, "/v1/tokens", "k2", &body).await;
    let (next, replayed) = post(&daemon, second.body["secret"].as_str().unwrap(), "/v1/sessions", "k", &case).await;
    assert!(!replayed && next.body["session"] != anns.body["session"], "the next holder of the name is somebody else");

    let session = next.body["session"].as_str().unwrap();
    let stop = format!("/v1/sessions/{session}/stop");
    daemon.ask("operator", Method::POST, &stop, Some(json!({"reason": "x"}))).await;
    let path = format!("/v1/sessions/{session}/erase");
    let reason = json!({"reason": "asked"});
    let erase = || post(&daemon, &admin, &path, "e", &reason);
    let erased = eventually("the session to be at rest", PATIENCE, || async {
        let (answer, replayed) = erase().await;
        (answer.status == StatusCode::OK).then_some((answer, replayed))
    });
    let (erased, _) = erased.await.unwrap();
    let (again, replayed) = erase().await;
    assert_eq!((again.status, replayed, &again.body), (StatusCode::OK, true, &erased.body));
}

#[tokio::test]
async fn wrong_logins_of_an_address_are_slowed_down_and_told() {
    let daemon = Daemon::start("already-healthy").await;
    let visitor = Visitor::new(&daemon.url);
    let from = async |address: &str, token: &str| {
        let request = visitor.request(Method::POST, "/login").header("x-forwarded-for", address);
        provost_tests::visitor::seen(request.form(&[("token", token)])).await
    };
    for _ in 0..6 {
        assert_eq!(from("10.1.2.3", "pvt_x").await.status, StatusCode::UNAUTHORIZED);
    }
    let slowed = from("10.1.2.3", daemon.secret("viewer")).await;
    assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!slowed.header("retry-after").is_empty() && slowed.text.contains("too many wrong logins"), "{slowed:?}");
    assert_eq!(from("10.1.2.4", daemon.secret("viewer")).await.status, StatusCode::SEE_OTHER, "another address");
    let log = daemon.log();
    assert!(log.contains("a wrong login") && log.contains("10.1.2.3") && !log.contains("pvt_x"), "{log}");
}

#[tokio::test]
async fn a_daemon_whose_store_is_taken_away_ends() {
    let daemon = Daemon::start("already-healthy").await;
    daemon.open().await;
    std::fs::rename(daemon.shop.path("provost.db"), daemon.shop.path("elsewhere.db")).unwrap();
    let (shop, code) = daemon.ended().await;
    assert_eq!(code, 1);
    let log = std::fs::read_to_string(shop.path("daemon.log")).unwrap();
    assert!(log.contains("cannot be found any more"), "{log}");
}

#[tokio::test]
async fn a_unix_socket_is_served_like_any_other() {
    let shop = Shop::start("already-healthy").await;
    let path = shop.path("provost.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let daemon = Daemon::with_socket(shop, OwnedFd::from(listener)).await;
    assert_eq!(daemon.url, format!("unix:{}", path.display()));
    let mut stream = UnixStream::connect(&path).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(!daemon.shop.path("provost.db.address").exists());
    assert_eq!(daemon.stop().await.1, 0);
}

#[tokio::test]
async fn the_journal_has_a_line_for_what_happened_and_none_for_each_request() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let session = daemon.open().await;
    let shown = daemon.until(&session, "awaiting_input").await;
    let path = format!("/v1/approvals/{}/decide", shown["approvals_pending"][0].as_str().unwrap());
    daemon.ask("approver", Method::POST, &path, Some(json!({"answer": "approve"}))).await;
    daemon.until(&session, "resolved").await;
    let log = daemon.log();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |message: &str| lines.iter().filter(|line| line["message"] == message).cloned().collect::<Vec<_>>();
    let changes = of("the status changed");
    let statuses: Vec<&str> = changes.iter().map(|line| line["to"].as_str().unwrap()).collect();
    assert_eq!(statuses.last(), Some(&"resolved"), "{log}");
    assert!(statuses.contains(&"in_progress") && statuses.contains(&"awaiting_input"), "{statuses:?}");
    assert_eq!(of("an approval was decided")[0]["by"], "user:approver", "{log}");
    assert!(of("request").is_empty(), "requests are told at debug");
}

/// A model that takes questions and never says a word, so that whoever asks it stays live.
fn silent_model(shop: &Shop) -> TcpListener {
    let model = TcpListener::bind("127.0.0.1:0").unwrap();
    shop.ask_model(&format!("http://{}/v1", model.local_addr().unwrap()), "");
    model
}

fn told(answered: &Answered) -> (u16, &str, Option<&str>) {
    (answered.status.as_u16(), answered.body["code"].as_str().unwrap(), answered.retry_after.as_deref())
}

#[tokio::test]
async fn a_busy_session_and_a_full_engine_say_so_at_once() {
    let shop = Shop::start("already-healthy").await;
    let _model = silent_model(&shop);
    shop.configure("engine: {sessions_max: 1}");
    let daemon = Daemon::on(shop).await;
    let live = daemon.open().await;
    let retried = daemon.ask("operator", Method::POST, &format!("/v1/sessions/{live}/retry"), Some(json!({}))).await;
    assert_eq!(told(&retried), (429, "session_busy", Some("1")), "{retried:?}");
    assert_eq!((&retried.body["holder"], retried.body["since"].is_string()), (&json!("user:operator"), true));
    let body = json!({"pack": "incident", "fields": {"summary": "b", "service": "shop", "environment": "staging"}});
    let opened = daemon.ask("operator", Method::POST, "/v1/sessions", Some(body)).await;
    assert_eq!(told(&opened), (429, "session_cap_exceeded", Some("5")), "{opened:?}");
    assert_eq!(opened.body["live"], 1);
    let path = format!("/v1/sessions/{live}/stop");
    let ended = daemon.ask("operator", Method::POST, &path, Some(json!({"reason": "enough"}))).await;
    assert!(ended.status.is_success(), "what goes to live work is never busy: {ended:?}");
}

#[tokio::test]
async fn one_tokens_requests_are_bounded_and_no_others() {
    let shop = Shop::start("already-healthy").await;
    shop.configure("server: {requests: {per_second: 1, burst: 30}}");
    let daemon = Daemon::on(shop).await;
    let over = eventually("a token to be over its rate", PATIENCE, || async {
        let answered = daemon.ask("viewer", Method::GET, "/v1/sessions", None).await;
        (!answered.status.is_success()).then_some(answered)
    });
    let over = over.await.unwrap();
    assert_eq!(told(&over), (429, "rate_limited", Some("1")), "{over:?}");
    let other = daemon.ask("operator", Method::GET, "/v1/sessions", None).await;
    assert_eq!(other.status, StatusCode::OK, "{other:?}");
}
