//! People are told what a session needs of them: at once, by every target of a contact, once for each change, also across a
//! kill; and an acknowledgement is told too.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use provost_domain::time::Timestamp;
use provost_tests::daemon::Daemon;
use provost_tests::eventually::eventually;
use provost_tests::shop::Shop;
use provost_tests::smtp::MailServer;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug, Clone)]
struct Post {
    path: String,
    headers: HeaderMap,
    body: Value,
}

/// A server that takes every message and keeps it.
#[derive(Debug, Clone, Default)]
struct Desk(Arc<Mutex<Vec<Post>>>);

async fn take(State(desk): State<Desk>, uri: Uri, headers: HeaderMap, body: String) -> (StatusCode, &'static str) {
    let body = serde_json::from_str(&body).unwrap();
    desk.0.lock().unwrap().push(Post { path: uri.path().to_owned(), headers, body });
    (StatusCode::OK, "ok")
}

impl Desk {
    fn serve(&self, listener: TcpListener) -> JoinSet<()> {
        let routes = Router::new().fallback(take).with_state(self.clone());
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, routes).await.unwrap() });
        task
    }

    fn at(&self, path: &str) -> Vec<Post> {
        self.0.lock().unwrap().iter().filter(|post| post.path == path).cloned().collect()
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// A daemon whose people are told by a webhook, by Slack and by mail.
async fn watched(listener: &TcpListener, mails: &MailServer, rules: &str) -> Daemon {
    let shop = Shop::start("heals-on-rollback").await;
    let address = listener.local_addr().unwrap();
    std::fs::write(shop.path("secret"), "hush-hush-hush-hush-hush").unwrap();
    std::fs::write(shop.path("slack"), format!("http://{address}/slack\n")).unwrap();
    let config = std::fs::read_to_string(shop.path("provost.yaml")).unwrap();
    let plain = format!("notify: {{oncall: {{url: \"{}/oncall\"}}}}", shop.url);
    assert!(config.contains(&plain), "{config}");
    let targets = format!(
        "notify: {{oncall: {{url: \"{}/oncall\"}}, hook: {{url: \"http://{address}/hook\", secret: {{file: secret}}}}, \
         slack: {{kind: slack, url: {{file: slack}}}}, mail: {{kind: email, host: \"127.0.0.1\", port: {}, security: none, \
         from: provost@ops.example, to: [ann@example.org]}}}}",
        shop.url, mails.port
    );
    let contacts = "contacts: {ann: {send: [\"notify:hook\", \"notify:slack\", \"notify:mail\"], role: approver}}";
    let attention = format!("attention: {{page: \"https://provost.example\", rules: [{rules}]}}");
    let config = format!("{}\n{contacts}\n{attention}\n", config.replace(&plain, &targets));
    std::fs::write(shop.path("provost.yaml"), config).unwrap();
    Daemon::on(shop).await
}

/// The messages of a session about what it needs, oldest first, once so many were sent.
async fn sent(daemon: &Daemon, session: &str, count: usize) -> Vec<Value> {
    let reached = eventually("the messages", PATIENCE, || async {
        let mut items = daemon.all(&format!("/v1/outbox?session={session}")).await;
        items.retain(|item| item["target"] != "notify:oncall");
        items.reverse();
        let all = items.len() >= count && items.iter().all(|item| item["state"] == "sent");
        all.then_some(items)
    });
    reached.await.unwrap_or_else(|error| panic!("{error:?}\n{}", daemon.log()))
}

#[tokio::test]
async fn people_are_told_at_once_by_all_their_targets_and_of_what_follows() {
    let (listener, mails, desk) = (listener().await, MailServer::start().await, Desk::default());
    let rule = "{when: {pack: incident, fields: {environment: production}, needs: [approval]}, tell: [ann]}";
    let daemon = watched(&listener, &mails, rule).await;
    let _answering = desk.serve(listener);
    let session = daemon.open().await;
    daemon.until(&session, "awaiting_input").await;
    let first = sent(&daemon, &session, 3).await;
    assert_eq!(first.len(), 3, "{first:?}");
    let approval = daemon.get("/v1/approvals").await["items"][0].clone();
    let time = |value: &Value| Timestamp::from_rfc3339(value.as_str().unwrap()).unwrap();
    for message in &first {
        let after = time(&message["created_at"]).since(time(&approval["requested_at"]));
        assert!(after < Duration::from_secs(2), "{after:?}: {message}");
    }
    let hook = desk.at("/hook").remove(0);
    let body = &hook.body;
    assert_eq!((&body["type"], &body["data"]["session"]), (&json!("provost.attention.begun"), &json!(session)));
    let ask = &body["data"]["asks"][0];
    assert_eq!((&ask["kind"], &ask["approval"]), (&json!("approval"), &approval["approval"]));
    assert!(ask["what"].as_str().unwrap().contains(approval["tool"].as_str().unwrap()), "{ask}");
    assert!(body["data"]["cause"]["text"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
    assert_eq!(body["data"]["links"][0]["url"], format!("https://provost.example/sessions/{session}"));
    for header in ["webhook-id", "webhook-timestamp", "webhook-signature", "x-provost-signature"] {
        assert!(hook.headers.contains_key(header), "{header}: {:?}", hook.headers);
    }
    let slack = desk.at("/slack").remove(0);
    assert!(slack.body["blocks"].as_array().is_some_and(|blocks| blocks.len() > 2), "{}", slack.body);
    let mail = mails.mails().remove(0);
    assert!(mail.contains("To: ann@example.org") && mail.contains("multipart/alternative"), "{mail}");

    let path = format!("/v1/sessions/{session}/acknowledge");
    let seen = daemon.ask("viewer", Method::POST, &path, Some(json!({}))).await;
    assert_eq!(seen.status, StatusCode::FORBIDDEN, "{seen:?}");
    let seen = daemon.ask("operator", Method::POST, &path, Some(json!({}))).await;
    assert_eq!(seen.status, StatusCode::OK, "{seen:?}");
    sent(&daemon, &session, 6).await;
    let acknowledged = desk.at("/hook").remove(1);
    assert_eq!(acknowledged.body["type"], "provost.attention.acknowledged");
    assert_eq!(acknowledged.body["data"]["acknowledged_by"], "user:operator");

    let path = format!("/v1/approvals/{}/decide", approval["approval"].as_str().unwrap());
    let taken = daemon.ask("approver", Method::POST, &path, Some(json!({"answer": "approve"}))).await;
    assert_eq!(taken.status, StatusCode::OK, "{taken:?}");
    daemon.until(&session, "resolved").await;
    let closed = eventually("the end to be told", PATIENCE, || async {
        desk.at("/hook").last().filter(|post| post.body["type"] == "provost.attention.closed").cloned()
    });
    let closed = closed.await.unwrap_or_else(|error| panic!("{error:?}\n{}", daemon.log()));
    assert_eq!((&closed.body["data"]["status"], &closed.body["data"]["asks"]), (&json!("resolved"), &json!([])));
    let nothing =
        daemon.ask("operator", Method::POST, &format!("/v1/sessions/{session}/acknowledge"), Some(json!({}))).await;
    assert_eq!((nothing.status, &nothing.body["code"]), (StatusCode::CONFLICT, &json!("nothing_to_do")));
}

#[tokio::test]
async fn what_was_told_before_a_kill_is_sent_once_by_the_next_process_and_in_its_order() {
    // Nobody answers there yet: what connects waits.
    let (listener, mails, desk) = (listener().await, MailServer::start().await, Desk::default());
    let daemon = watched(&listener, &mails, "{tell: [ann]}").await;
    let session = daemon.open().await;
    daemon.until(&session, "awaiting_input").await;
    let stored = eventually("the messages", PATIENCE, || async {
        let items = daemon.all(&format!("/v1/outbox?session={session}")).await;
        (items.len() == 3).then_some(items)
    });
    let stored = stored.await.unwrap();
    let path = format!("/v1/sessions/{session}/stop");
    let stopped = daemon.ask("operator", Method::POST, &path, Some(json!({"reason": "enough"}))).await;
    assert_eq!(stopped.status, StatusCode::OK, "{stopped:?}");
    let fallen = daemon.kill().await;
    let _answering = desk.serve(listener);
    let daemon = fallen.rise().await;
    let all = sent(&daemon, &session, 6).await;
    assert_eq!(all.len(), 6, "each change once: {all:?}");
    for message in &stored {
        assert!(all.iter().any(|sent| sent["key"] == message["key"]), "{message} {all:?}");
    }
    let mut types: Vec<Value> = desk.at("/hook").iter().map(|post| post.body["type"].clone()).collect();
    // A kill between the target's answer and our record sends one twice, under the same key.
    types.dedup();
    assert_eq!(types, ["provost.attention.begun", "provost.attention.closed"]);
}

#[tokio::test]
async fn a_rule_that_names_nobody_is_refused_with_its_place() {
    let (listener, mails) = (listener().await, MailServer::start().await);
    let shop = watched(&listener, &mails, "{tell: [ann]}").await.stop().await.0;
    let config = std::fs::read_to_string(shop.path("provost.yaml")).unwrap();
    for (rule, message) in [("{tell: [anne]}", "no contact is named `anne`"), ("{tell: []}", "no contact is named")] {
        std::fs::write(shop.path("provost.yaml"), config.replace("{tell: [ann]}", rule)).unwrap();
        let refused = shop.command(&["config", "check"]).output().await.unwrap();
        let said = String::from_utf8_lossy(&[refused.stdout, refused.stderr].concat()).into_owned();
        assert!(!refused.status.success() && said.contains(message) && said.contains("provost.yaml"), "{said}");
    }
}
