//! What is stored and cannot be read any more is refused or set aside, and holds nothing up: no session, no group, no count.

use std::sync::Arc;
use std::time::Duration;

use provost_domain::command::{Ask, Command};
use provost_domain::ids::{CmdId, DeliveryId, Digest};
use provost_domain::port::{
    Arrived, Clock as _, CommandLog as _, Deliveries as _, DeliveryFilter, DeliveryReads as _, DeliveryState,
    DismissAnswer, NewDelivery,
};
use provost_domain::principal::Principal;
use provost_domain::schema::ArgSchema;
use provost_engine::SystemClock;
use provost_mail::{DeliveryFormat, FormatSettings, Intake, IntakeParts, IntakeSettings};
use provost_store::SqliteStore;
use provost_tests::eventually::eventually;
use provost_tests::house::{House, person};
use provost_tests::model::PATIENCE;
use provost_tests::transfer::raw;
use serde_json::{Value, json};

/// Red if a row that cannot be read damaged its session: nothing of it could be done again.
#[tokio::test]
async fn a_stored_command_is_refused_and_its_session_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let house = House::on(Arc::new(store.clone()), provost_tests::pack::shared()).await;
    let session = house.session("production").await;
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__unsafe", json!({"n": 1}))]);
    house.approvals(session, 1).await;
    house.engine.shutdown(PATIENCE).await;
    let note =
        |text: &str| Command { by: person("operator"), if_version: None, ask: Ask::Annotate { text: text.to_owned() } };
    for name in ["before", "bad", "after"] {
        store.submit(&CmdId::new(name), session, &note(name)).await.unwrap();
    }
    raw(&path, &format!("UPDATE inbox SET command = '{}' WHERE cmd_id = 'bad'", "[".repeat(200))).await;
    let house = House::on(Arc::new(store.clone()), provost_tests::pack::shared()).await;
    let outcome = |name: &'static str| {
        let store = store.clone();
        async move { store.outcome(&CmdId::new(name), session).await.unwrap().map(|outcome| outcome.0) }
    };
    eventually("the last command to be settled", PATIENCE, || outcome("after")).await.unwrap();
    let refused: Value = outcome("bad").await.unwrap();
    assert_eq!(refused["refused"]["code"], "command_unreadable", "{refused}");
    assert_eq!(house.count(session, "note_added").await, 2);
    assert_eq!(house.problems(session).await, Vec::<String>::new());
    house.ask(session, "operator", Ask::Annotate { text: "still here".to_owned() }).await.unwrap();
    house.engine.shutdown(Duration::ZERO).await;
}

fn waiting(id: &str, group: &[u8], alert: &str) -> NewDelivery {
    let labels = json!({"alertname": alert, "service": "shop", "environment": "staging"});
    let alert = json!({"status": "firing", "labels": labels, "startsAt": "2026-01-01T00:00:00Z", "fingerprint": alert});
    let body = json!({"version": "4", "groupKey": "g", "status": "firing", "receiver": "r", "alerts": [alert]});
    NewDelivery {
        id: DeliveryId::new(id),
        source: "alertmanager".to_owned(),
        by: Principal::parse("intake:a"),
        body: body.to_string().into_bytes(),
        arrived: Arrived::Waiting { group: Digest::of(group) },
        at: SystemClock.now(),
    }
}

/// Red if a plan that cannot be read held its group: each later delivery of it would wait for ever.
#[tokio::test]
async fn a_plan_goes_with_its_delivery_and_the_next_ones_are_worked_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("p.db")).await.unwrap();
    let mut pack = provost_tests::pack::pack();
    pack.fields = ArgSchema::new(json!({"type": "object"})).unwrap();
    let house = House::on(Arc::new(store.clone()), Arc::new(pack)).await;
    for (id, group) in [("1", "broken"), ("2", "whole"), ("3", "broken")] {
        store.deliver(waiting(id, group.as_bytes(), id)).await.unwrap();
    }
    store.plan(Digest::of(b"broken"), &"[".repeat(200)).await.unwrap();
    let parts = IntakeParts {
        engine: house.engine.clone(),
        deliveries: Arc::new(store.clone()),
        reads: Arc::new(store.reads()),
        clock: Arc::new(SystemClock),
        metrics: prometheus::Registry::new(),
    };
    let settings = FormatSettings::of_pack("case");
    let settings =
        IntakeSettings { formats: [(DeliveryFormat::Alertmanager, settings)].into(), waiting_max: 10, max_cases: 20 };
    let _intake = Intake::start(parts, settings).await.unwrap();
    let rows = async |state| {
        let filter = DeliveryFilter { state: Some(state), before: None, limit: 10 };
        store.reads().deliveries(&filter).await.unwrap()
    };
    let settled = eventually("both readable deliveries to be done", PATIENCE, || async {
        (rows(DeliveryState::Done).await.len() == 2).then_some(())
    });
    assert!(settled.await.is_ok(), "{:?}", rows(DeliveryState::Bad).await);
    let bad = rows(DeliveryState::Bad).await;
    let [bad] = bad.as_slice() else { panic!("{bad:?}") };
    assert_eq!((bad.id.as_str(), bad.session), ("1", None));
    assert!(bad.note.contains("the stored plan of its group cannot be read"), "{bad:?}");
    assert_eq!(store.reads().waiting().await.unwrap(), []);
    assert_eq!(store.dismiss(&bad.id, "seen").await.unwrap(), DismissAnswer::Dismissed);
    house.engine.shutdown(Duration::ZERO).await;
}
