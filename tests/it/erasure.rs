//! Erasing what a closed session said, as people ask for it and as the runtime does by itself.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use provost_domain::command::Ask;
use provost_domain::event::Settlement;
use provost_domain::principal::Principal;
use provost_domain::refusal::Refusal;
use provost_engine::{EngineError, Eraser};
use provost_store::MemoryStore;
use provost_tests::daemon::Daemon;
use provost_tests::desk::last_line;
use provost_tests::eventually::eventually;
use provost_tests::house::House;
use provost_tests::shop::Shop;
use provost_tests::tools::Behaviour;
use provost_tests::visitor::Visitor;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_mins(1);

/// A daemon that takes alerts.
async fn daemon(more: &str) -> Daemon {
    let shop = Shop::start("heals-on-rollback").await;
    let config = std::fs::read_to_string(shop.path("provost.yaml")).unwrap();
    let config = format!("{config}\nintake: {{alertmanager: {{pack: incident}}}}\n{more}");
    std::fs::write(shop.path("provost.yaml"), config).unwrap();
    Daemon::on(shop).await
}

async fn alert(daemon: &Daemon, group: &str, status: &str, summary: &str) {
    let labels = json!({"alertname": "ShopErrors", "service": "shop", "environment": "production"});
    let alert = json!({"status": status, "labels": labels, "annotations": {"summary": summary},
        "startsAt": "2026-01-01T00:00:00Z", "fingerprint": group});
    let body = json!({"version": "4", "groupKey": group, "status": status, "receiver": "r", "alerts": [alert]});
    let taken = daemon.ask("intake", Method::POST, "/hooks/alertmanager", Some(body)).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{taken:?}");
    daemon.settled().await;
}

/// The files of the data folder that hold the text; the shop's own are not the daemon's.
fn holding(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let bytes = std::fs::read(entry.path()).unwrap();
        if name != "shop.log" && bytes.windows(text.len()).any(|part| part == text.as_bytes()) {
            found.push(name);
        }
    }
    found
}

/// An escalated session that an alert opened and an approver's words ended, each with a marker.
async fn escalated(daemon: &Daemon) -> (String, String) {
    alert(daemon, "g1", "firing", "MARKER-ALERT checkout fails").await;
    let row = daemon.get("/v1/sessions").await["items"][0].clone();
    let (session, handle) = (row["session"].as_str().unwrap().to_owned(), row["handle"].as_str().unwrap().to_owned());
    let shown = daemon.until(&session, "awaiting_input").await;
    let path = format!("/v1/approvals/{}/decide", shown["approvals_pending"][0].as_str().unwrap());
    let body = json!({"answer": "reject", "reason": "MARKER-OPERATOR not now"});
    let asked = daemon.request("approver", Method::POST, &path).header("idempotency-key", "k").json(&body);
    assert_eq!(asked.send().await.unwrap().status(), StatusCode::OK);
    daemon.until(&session, "escalated").await;
    daemon.told().await;
    (session, handle)
}

async fn erase(daemon: &Daemon, role: &str, session: &str) -> (StatusCode, Value) {
    let body = json!({"reason": "asked for by law"});
    let path = format!("/v1/sessions/{session}/erase");
    // Its supervisor may just be ending.
    let answered = eventually("the session to be free", PATIENCE, || async {
        let answered = daemon.ask(role, Method::POST, &path, Some(body.clone())).await;
        (answered.status != StatusCode::TOO_MANY_REQUESTS).then_some(answered)
    });
    let answered = answered.await.unwrap();
    (answered.status, answered.body)
}

/// Whatever is asked about it or of it.
async fn nothing_is_told_of_it(daemon: &Daemon, own: &str) {
    for (role, method, path, body) in [
        ("viewer", Method::GET, own.to_owned(), None),
        ("viewer", Method::GET, format!("{own}/events"), None),
        ("viewer", Method::GET, format!("{own}/report"), None),
        ("viewer", Method::GET, format!("{own}/retry"), None),
        ("operator", Method::POST, format!("{own}/stop"), Some(json!({"reason": "r"}))),
        ("operator", Method::POST, format!("{own}/retry"), Some(json!({"force": true}))),
        ("operator", Method::POST, format!("{own}/continue"), None),
        ("operator", Method::POST, format!("{own}/say"), Some(json!({"text": "t"}))),
        ("admin", Method::POST, format!("{own}/erase"), Some(json!({"reason": "again"}))),
    ] {
        let answered = daemon.ask(role, method, &path, body).await;
        let said = (answered.status, &answered.body["code"]);
        assert_eq!(said, (StatusCode::GONE, &json!("session_erased")), "{path}: {answered:?}");
    }
}

#[tokio::test]
async fn an_erased_session_leaves_a_tombstone_and_not_a_byte() {
    let daemon = daemon("").await;
    let (session, handle) = escalated(&daemon).await;
    let folder = daemon.shop.path("");
    for marker in ["MARKER-ALERT", "MARKER-OPERATOR"] {
        assert!(!holding(&folder, marker).is_empty(), "{marker} is there to be erased");
    }
    let running = daemon.open().await;
    assert_eq!(erase(&daemon, "approver", &session).await.0, StatusCode::FORBIDDEN);
    let (status, body) = erase(&daemon, "admin", &running).await;
    // While it works it is busy, at rest it has not ended.
    assert_eq!((status, &body["code"]), (StatusCode::CONFLICT, &json!("not_erasable")), "{body}");
    let empty = json!({"reason": " "});
    let path = format!("/v1/sessions/{session}/erase");
    let unsaid = daemon.ask("admin", Method::POST, &path, Some(empty)).await;
    assert_eq!(unsaid.status, StatusCode::UNPROCESSABLE_ENTITY, "{unsaid:?}");

    let (status, gone) = erase(&daemon, "admin", &session).await;
    assert_eq!((status, &gone["scrubbed"], &gone["handle"]), (StatusCode::OK, &json!(true), &json!(handle)), "{gone}");
    for marker in ["MARKER-ALERT", "MARKER-OPERATOR"] {
        assert_eq!(holding(&folder, marker), Vec::<String>::new(), "{marker}");
    }

    let own = format!("/v1/sessions/{session}");
    nothing_is_told_of_it(&daemon, &own).await;
    let events = format!("{own}/events");
    let stream = daemon.request("viewer", Method::GET, &events).header("accept", "text/event-stream").send().await;
    assert_eq!(stream.unwrap().status(), StatusCode::GONE);
    let shown = daemon.ask("viewer", Method::GET, &own, None).await.body;
    assert_eq!((&shown["by"], &shown["reason"]), (&json!("user:admin"), &json!("asked for by law")), "{shown}");
    let records = daemon.get(&format!("{own}/records")).await;
    let records = records["items"].as_array().unwrap();
    let (last, before) = records.split_last().unwrap();
    assert!(before.iter().all(|record| record["payload"].is_null() && record["salt"].is_null()), "{before:?}");
    assert!(last["payload"].as_str().unwrap().contains("session_erased"), "{last}");
    let page =
        Visitor::logged_in(&daemon.url, daemon.secret("viewer")).await.get(&format!("/sessions/{session}")).await;
    assert_eq!(page.status, StatusCode::GONE);
    assert!(page.text.contains("erased by user:admin"), "{}", page.text);
    let listed = daemon.all("/v1/sessions").await;
    let row = listed.iter().find(|row| row["session"] == session.as_str()).unwrap();
    assert_eq!((&row["erased"], &row["title"]), (&json!(true), &json!("erased")));

    // News of the case has nobody to go to: it opens a session of its own.
    alert(&daemon, "g1", "resolved", "over").await;
    alert(&daemon, "g1", "firing", "again").await;
    assert_eq!(daemon.all("/v1/sessions").await.len(), 3);

    let daemon = daemon.crash().await;
    assert_eq!(daemon.ask("viewer", Method::GET, &own, None).await.status, StatusCode::GONE);
    let (shop, _) = daemon.stop().await;
    let shown = shop.last(&["sessions", "show", &handle]).await;
    assert_eq!(shown["erased"]["reason"], "asked for by law", "{shown}");
    let tail = shop.run(&["sessions", "tail", &handle]).await;
    assert!(last_line(&tail)["error"].as_str().unwrap().contains("erased by user:admin"), "{tail:?}");
    let verified = shop.run(&["audit", "verify"]).await;
    let text = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert_eq!((verified.status.code(), &last_line(&verified)["erased"]), (Some(0), &json!(1)), "{text}");

    // Somebody who changes the tombstone is found out.
    let file = shop.path("provost.db");
    let bytes = std::fs::read(&file).unwrap();
    let place = bytes.windows(16).position(|part| part == b"asked for by law").unwrap();
    let mut changed = bytes;
    changed[place] = b'A';
    std::fs::write(&file, changed).unwrap();
    let verified = shop.run(&["audit", "verify", &handle]).await;
    let text = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(verified.status.code() == Some(1) && text.contains("was changed after it was written"), "{text}");
}

#[tokio::test]
async fn the_command_line_erases_here_and_through_the_daemon() {
    let daemon = daemon("").await;
    let (session, handle) = escalated(&daemon).await;
    let second = daemon.open().await;
    let path = format!("/v1/sessions/{second}/stop");
    let ended = daemon.ask("operator", Method::POST, &path, Some(json!({"reason": "r"}))).await;
    assert_eq!(ended.status, StatusCode::OK);
    daemon.until(&second, "stopped").await;
    let erase = ["sessions", "erase", handle.as_str(), "--reason", "asked for"];
    let gone = eventually("the session to be free", PATIENCE, || async {
        let mut command = daemon.shop.command(&erase);
        let output = command.env("PROVOST_TOKEN", daemon.secret("admin")).output().await.unwrap();
        output.status.success().then(|| last_line(&output))
    });
    let gone = gone.await.unwrap();
    assert_eq!((&gone["session"], &gone["scrubbed"]), (&json!(session), &json!(true)), "{gone}");
    daemon.told().await;
    let (shop, _) = daemon.stop().await;
    let here = shop.last(&["sessions", "erase", &second, "--reason", "asked for"]).await;
    assert_eq!((&here["session"], &here["scrubbed"]), (&json!(second), &json!(true)), "{here}");
    let again = shop.run(&["sessions", "erase", &second, "--reason", "asked for"]).await;
    assert!(last_line(&again)["error"].as_str().unwrap().contains("was erased"), "{again:?}");
    let plain = shop.plain(&["sessions", "show", &second]).output().await.unwrap();
    let text = String::from_utf8_lossy(&plain.stdout).into_owned();
    assert!(text.contains("erased by user:cli at ") && text.contains("asked for"), "{text}");
}

#[tokio::test]
async fn an_admin_erases_on_the_page_and_shows_that_it_is_meant() {
    let daemon = daemon("").await;
    let (session, handle) = escalated(&daemon).await;
    let (path, own) = (format!("/sessions/{session}/erase"), format!("/sessions/{session}"));
    let approver = Visitor::logged_in(&daemon.url, daemon.secret("approver")).await;
    assert!(!approver.get(&own).await.text.contains(&path), "not offered");
    let fields = [("text", "asked for"), ("handle", handle.as_str())];
    assert_eq!(approver.send(&path, &fields).await.status, StatusCode::FORBIDDEN);
    let admin = Visitor::logged_in(&daemon.url, daemon.secret("admin")).await;
    assert!(admin.get(&own).await.text.contains(&format!("action=\"{path}\"")));
    let unmeant = admin.send_by_script(&path, &[("text", "asked for"), ("handle", "INC-")]).await;
    assert_eq!(unmeant.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(unmeant.text.contains("nothing was erased"), "{}", unmeant.text);
    assert_eq!(admin.get(&own).await.status, StatusCode::OK);
    let done = eventually("the session to be free", PATIENCE, || async {
        let done = admin.send(&path, &fields).await;
        (done.status != StatusCode::TOO_MANY_REQUESTS).then_some(done)
    });
    let done = done.await.unwrap();
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, "/sessions"), "{done:?}");
    assert_eq!(admin.get(&own).await.status, StatusCode::GONE);
    assert!(admin.get("/sessions").await.text.contains("erased"));
}

#[tokio::test]
async fn a_bad_delivery_is_looked_at_counted_and_given_up_on_the_command_line() {
    let daemon = daemon("retention: {sessions: 400d, deliveries: 30d, outbox: off}\n").await;
    let bad = daemon.ask("intake", Method::POST, "/hooks/alertmanager", Some(json!({"version": "4"}))).await;
    let id = bad.body["delivery"].as_str().unwrap().to_owned();
    let metrics = daemon.request("viewer", Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    let line = "provost_deliveries_bad_total{source=\"alertmanager\"} 1";
    assert!(metrics.lines().any(|found| found == line), "{metrics}");
    let run = async |role: &str, arguments: &[&str]| {
        let mut command = daemon.shop.command(arguments);
        last_line(&command.env("PROVOST_TOKEN", daemon.secret(role)).output().await.unwrap())
    };
    let listed = run("viewer", &["deliveries", "list", "--state", "bad"]).await;
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["delivery"]), (1, &json!(id)), "{listed}");
    let shown = run("viewer", &["deliveries", "show", &id]).await;
    assert_eq!((&shown["body"], &shown["state"]), (&json!("{\"version\":\"4\"}"), &json!("bad")), "{shown}");
    let error = |value: &Value| value["error"].as_str().unwrap().to_owned();
    let replayed = error(&run("operator", &["deliveries", "replay", &id]).await);
    assert!(replayed.contains("can be replayed"), "{replayed}");
    let refused = error(&run("viewer", &["deliveries", "dismiss", &id]).await);
    assert!(refused.contains("the role viewer may not do that"), "{refused}");
    let dismissed = run("operator", &["deliveries", "dismiss", &id, "--reason", "a test"]).await;
    assert_eq!(dismissed["dismissed"], true);
    let again = error(&run("operator", &["deliveries", "dismiss", &id]).await);
    assert!(again.contains("only bad ones are dismissed"), "{again}");
    let shown = run("viewer", &["deliveries", "show", &id]).await;
    let note = "dismissed by user:operator: a test";
    assert_eq!((&shown["body"], &shown["note"], &shown["state"]), (&json!(""), &json!(note), &json!("done")));
    let (shop, _) = daemon.stop().await;
    let here = error(&shop.last(&["deliveries", "replay", &id]).await);
    assert!(here.contains("start `provost serve`"), "{here}");
    let here = error(&shop.last(&["deliveries", "dismiss", &id]).await);
    assert!(here.contains("only bad ones are dismissed"), "{here}");
}

#[tokio::test]
async fn a_session_that_left_a_doubt_is_erased_only_once_somebody_settled_it() {
    let store = Arc::new(MemoryStore::new());
    let house = House::on(Arc::clone(&store) as _, Arc::new(provost_tests::pack::pack())).await;
    let session = house.session("staging").await;
    house.tools.safe.behave(Behaviour::Hangs);
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__safe", json!({"n": 1}))]);
    house.tools.safe.arrived_times(1).await;
    let house = house.crash().await;
    house.until(session, "awaiting_input").await;
    house.ask(session, "somebody", Ask::Stop { reason: "enough".to_owned() }).await.unwrap();
    let stopped = house.until(session, "stopped").await;
    let door = Eraser::new(house.engine.clone(), Arc::clone(&store) as _);
    let by = Principal::parse("somebody");
    let refused = door.erase(session, &by, "asked to").await;
    assert!(matches!(refused, Err(EngineError::Refused(Refusal::NotErasable { .. }))), "{refused:?}");

    let call = stopped.unknown().keys().next().unwrap().clone();
    let settlement = Settlement::DidNotHappen { note: "looked".to_owned() };
    house.ask(session, "somebody", Ask::Settle { call, settlement }).await.unwrap();
    assert!(door.erase(session, &by, "asked to").await.is_ok());
}
