//! A session's events over a WebSocket, through the built daemon.

use futures::{SinkExt as _, StreamExt as _};
use provost_tests::daemon::Daemon;
use provost_tests::visitor::Visitor;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Header<'a> = (&'static str, &'a str);
type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens a socket with these headers.
async fn open(daemon: &Daemon, path: &str, headers: &[Header<'_>]) -> Result<Socket, Box<Response>> {
    let url = format!("{}{path}", daemon.url.replacen("http", "ws", 1));
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(response),
        Err(error) => panic!("{error}: {}", daemon.log()),
    }
}

/// Opens a socket as a viewer.
async fn follow(daemon: &Daemon, session: &str, after: u64) -> Socket {
    let path = format!("/v1/sessions/{session}/socket?after={after}");
    let bearer = format!("Bearer {}", daemon.secret("viewer"));
    open(daemon, &path, &[("authorization", &bearer)]).await.unwrap()
}

/// The next event, past pings.
async fn event(socket: &mut Socket) -> Value {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Events up to one of this kind.
async fn until(socket: &mut Socket, kind: &str) -> Vec<Value> {
    let mut seen = Vec::new();
    while seen.last().is_none_or(|event: &Value| event["kind"] != kind) {
        seen.push(event(socket).await);
    }
    seen
}

/// Reads to the end; how the other side closed it.
async fn closed(mut socket: Socket) -> (u16, String) {
    loop {
        if let Message::Close(why) = socket.next().await.unwrap().unwrap() {
            let why = why.unwrap();
            return (why.code.into(), why.reason.to_string());
        }
    }
}

#[tokio::test]
async fn a_socket_has_the_whole_log_in_order_and_continues_where_it_was_cut() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let session = daemon.open().await;
    let mut first = follow(&daemon, &session, 0).await;
    let mut seen = until(&mut first, "approval_requested").await;
    let last = seen.last().unwrap()["seq"].as_u64().unwrap();
    // Cut, not closed.
    drop(first);
    let shown = daemon.until(&session, "awaiting_input").await;
    let path = format!("/v1/approvals/{}/decide", shown["approvals_pending"][0].as_str().unwrap());
    let mut whole = follow(&daemon, &session, 0).await;
    let mut rest = follow(&daemon, &session, last).await;
    // What a peer says is ignored.
    rest.send(Message::text("{}")).await.unwrap();
    let approved = daemon.ask("approver", Method::POST, &path, Some(json!({"answer": "approve"}))).await;
    assert_eq!(approved.status, StatusCode::OK, "{approved:?}");
    daemon.until(&session, "resolved").await;
    let stored = daemon.get(&format!("/v1/sessions/{session}/events?page_size=1000")).await["items"].take();
    while seen.len() < stored.as_array().unwrap().len() {
        seen.push(event(&mut rest).await);
    }
    assert_eq!(Value::Array(seen.clone()), stored);
    let mut again = Vec::new();
    while again.len() < seen.len() {
        again.push(event(&mut whole).await);
    }
    assert_eq!(Value::Array(again), stored);
}

#[tokio::test]
async fn only_those_who_may_look_get_a_socket() {
    let daemon = Daemon::start("already-healthy").await;
    let session = daemon.open().await;
    let path = format!("/v1/sessions/{session}/socket");
    let visitor = Visitor::logged_in(&daemon.url, daemon.secret("viewer")).await;
    let cookie = ("cookie", visitor.cookie.as_str());
    let bearer = |role| format!("Bearer {}", daemon.secret(role));
    let (intake, viewer) = (bearer("intake"), bearer("viewer"));
    let past = format!("{path}?after=99999");
    let cases: [(&str, &[Header<'_>], u16, &str); 7] = [
        (&path, &[], 401, "unauthenticated"),
        (&path, &[("authorization", "Bearer pvt_x")], 401, "unauthenticated"),
        (&path, &[("authorization", &intake)], 403, "forbidden"),
        (&path, &[cookie, ("origin", "http://evil.example")], 403, "forbidden"),
        (&path, &[cookie], 403, "forbidden"),
        ("/v1/sessions/INC-none/socket", &[("authorization", &viewer)], 404, "not_found"),
        (&past, &[("authorization", &viewer)], 400, "invalid_request"),
    ];
    for (path, headers, status, code) in cases {
        let refused = open(&daemon, path, headers).await.unwrap_err();
        let body: Value = serde_json::from_slice(refused.body().as_ref().unwrap()).unwrap();
        assert_eq!((refused.status().as_u16(), &body["code"]), (status, &json!(code)), "{headers:?}: {body}");
        assert_eq!(refused.headers()["content-type"], "application/problem+json");
    }
    let own = daemon.url.clone();
    let mut socket = open(&daemon, &path, &[cookie, ("origin", &own)]).await.unwrap();
    assert_eq!(event(&mut socket).await["seq"], 1);

    let plain = daemon.request("viewer", Method::GET, &path).send().await.unwrap();
    assert_eq!((plain.status().as_u16(), plain.headers()["upgrade"].to_str().unwrap()), (426, "websocket"));
    assert_eq!(plain.json::<Value>().await.unwrap()["code"], "upgrade_required");
}

#[tokio::test]
async fn a_socket_ends_when_its_token_is_revoked() {
    let daemon = Daemon::start("already-healthy").await;
    let session = daemon.open().await;
    let body = json!({"name": "bob", "role": "viewer"});
    let minted = daemon.ask("admin", Method::POST, "/v1/tokens", Some(body)).await.body;
    let bearer = format!("Bearer {}", minted["secret"].as_str().unwrap());
    let path = format!("/v1/sessions/{session}/socket");
    let socket = open(&daemon, &path, &[("authorization", &bearer)]).await.unwrap();
    let revoke = format!("/v1/tokens/{}", minted["token"].as_str().unwrap());
    assert_eq!(daemon.ask("admin", Method::DELETE, &revoke, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(closed(socket).await, (1008, "unauthenticated".to_owned()));
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_the_socket_and_nothing_else() {
    let daemon = Daemon::start("already-healthy").await;
    let session = daemon.open().await;
    let (mut socket, mut other) = (follow(&daemon, &session, 0).await, follow(&daemon, &session, 0).await);
    other.send(Message::text("x".repeat(64 * 1024))).await.unwrap();
    // The other side may close before it has read everything.
    drop(socket.send(Message::text("x".repeat(64 * 1024 + 1))).await);
    while let Some(Ok(_)) = socket.next().await {}
    other.send(Message::Ping("there?".into())).await.unwrap();
    while other.next().await.unwrap().unwrap() != Message::Pong("there?".into()) {}
}

#[tokio::test]
async fn a_daemon_that_stops_says_so() {
    let daemon = Daemon::start("already-healthy").await;
    let session = daemon.open().await;
    let mut socket = follow(&daemon, &session, 0).await;
    assert_eq!(event(&mut socket).await["seq"], 1);
    let (closed, (_, code)) = tokio::join!(closed(socket), daemon.stop());
    assert_eq!((closed, code), ((1001, "shutting_down".to_owned()), 0));
}
