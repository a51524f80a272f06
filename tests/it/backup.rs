//! `provost backup`: a whole, verified copy beside whoever works on the store, and what going back to it means.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use provost_domain::command::Ask;
use provost_domain::event::Settlement;
use provost_store::SqliteStore;
use provost_tests::desk::{Desk, finished};
use provost_tests::house::House;
use provost_tests::tools::Behaviour;
use serde_json::{Value, json};

async fn house_on(path: &Path) -> (House, SqliteStore) {
    let store = SqliteStore::open(path).await.unwrap();
    (House::on(Arc::new(store.clone()), provost_tests::pack::shared()).await, store)
}

async fn back_up(desk: &Desk, to: &str) -> Value {
    desk.last(&["backup", "--to", &desk.path(to).display().to_string()]).await
}

#[tokio::test]
async fn copies_made_under_load_are_whole() {
    let desk = Desk::new();
    let (house, store) = house_on(&desk.path("provost.db")).await;
    let work = async {
        loop {
            house.session_as("staging", false).await;
        }
    };
    let copies = async {
        let mut sessions = 0;
        for n in 0..3 {
            let name = format!("copy-{n}.db");
            let made = back_up(&desk, &name).await;
            assert_eq!(made["problems"], 0, "{made}");
            let copy = desk.path(&name).display().to_string();
            let verified = desk.last(&["audit", "verify", "--store", &copy]).await;
            assert_eq!((&verified["problems"], &verified["sessions"]), (&json!(0), &made["sessions"]), "{verified}");
            let metadata = fs::metadata(&copy).unwrap();
            assert_eq!((json!(metadata.len()), metadata.permissions().mode() & 0o777), (made["bytes"].clone(), 0o600));
            assert!(made["sessions"].as_u64().unwrap() >= sessions, "{made}");
            sessions = made["sessions"].as_u64().unwrap();
        }
        sessions
    };
    let sessions = tokio::select! {
        sessions = copies => sessions,
        () = work => unreachable!(),
    };
    assert!(sessions > 0, "nothing was written meanwhile");
    store.close().await;
}

#[tokio::test]
async fn nothing_is_written_over_and_nothing_half_done_is_left() {
    let desk = Desk::new();
    desk.run(&["run", "incident", "--input", &desk.alert()]).await;
    let refused = |to: &str| finished(desk.plain(&["backup", "--to", &desk.path(to).display().to_string()]));
    fs::write(desk.path("taken"), "mine").unwrap();
    fs::write(desk.path("cut.partial"), "left").unwrap();
    for (to, parts) in [
        ("taken", ["taken exists already", "name another file"]),
        ("provost.db", ["provost.db exists already", "name another file"]),
        ("cut", ["cut.partial is in the way", "remove it"]),
        ("nowhere/copy", ["nowhere/copy.partial", "choose a place this user can write"]),
    ] {
        let output = refused(to).await;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && parts.iter().all(|part| error.contains(part)), "{error}");
    }
    assert_eq!(fs::read(desk.path("taken")).unwrap(), b"mine");
    assert_eq!(fs::read(desk.path("cut.partial")).unwrap(), b"left");
    // What a damaged store holds is copied, and said to be damaged.
    provost_tests::transfer::raw(&desk.path("provost.db"), "UPDATE sessions SET status = 'resolved'").await;
    let output = desk.run(&["backup", "--to", &desk.path("damaged").display().to_string()]).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.code() == Some(5) && said.contains("the row's status is not the log's"), "{said}");
    assert!(desk.path("damaged").is_file() && !desk.path("damaged.partial").exists());
}

/// A call was being made when the copy was made: who goes on from the copy does not make it again, but asks.
#[tokio::test]
async fn from_a_restored_copy_a_call_under_way_is_asked_about() {
    let desk = Desk::new();
    let (house, store) = house_on(&desk.path("provost.db")).await;
    let session = house.session("staging").await;
    house.tools.safe.behave(Behaviour::Waits);
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__safe", json!({"n": 1}))]);
    house.tools.safe.arrived_times(1).await;
    let made = back_up(&desk, "copy.db").await;
    assert_eq!((&made["sessions"], &made["problems"]), (&json!(1), &json!(0)), "{made}");
    // The store goes on, and is lost.
    house.tools.safe.behave(Behaviour::Works(json!({"done": true})));
    house.model.asked_times(3).await;
    house.engine.shutdown(std::time::Duration::ZERO).await;
    store.close().await;
    let (restored, store) = house_on(&desk.path("copy.db")).await;
    let folded = restored.until(session, "awaiting_input").await;
    assert_eq!(folded.unknown().len(), 1, "{folded:?}");
    assert_eq!(restored.tools.safe.arrived().len(), 0, "it is not made again unasked");
    let call = folded.unknown().keys().next().unwrap().clone();
    let settlement = Settlement::Happened { note: "seen".to_owned() };
    restored.ask(session, "operator", Ask::Settle { call, settlement }).await.unwrap();
    restored.model.asked_times(1).await;
    assert_eq!(restored.problems(session).await, Vec::<String>::new());
    restored.engine.shutdown(std::time::Duration::ZERO).await;
    store.close().await;
}
