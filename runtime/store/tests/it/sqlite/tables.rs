//! Rows beside the logs: each is decoded, and what cannot be read is named and holds nothing up.

use provost_domain::port::{CommandLog as _, Examine as _, SessionStore as _};
use provost_store::SqliteStore;

use super::{place, raw, raw_owned};
use crate::support::{cmd, id, new, owner, stop};

/// Nested more deeply than anything is read.
fn too_deep() -> String {
    format!("{}{}", "[".repeat(300), "]".repeat(300))
}

#[tokio::test]
async fn a_command_that_cannot_be_read_hides_no_other() {
    let (_folder, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    store.create(new(1)).await.unwrap();
    for name in ["a", "b", "c"] {
        store.submit(&cmd(name), id(1), &stop()).await.unwrap();
    }
    raw_owned(&path, format!("UPDATE inbox SET command = '{}' WHERE cmd_id = 'b'", too_deep())).await.unwrap();
    let (inbox, _) = store.inbox(id(1)).await.unwrap();
    let read: Vec<_> = inbox.iter().map(|entry| (entry.cmd_id.as_str(), entry.command.is_ok())).collect();
    assert_eq!(read, [("a", true), ("b", false), ("c", true)]);
    let taken = store.take_over(id(1), &owner("me")).await.unwrap();
    assert_eq!(taken.inbox, inbox);
    let reason = inbox[1].command.clone().unwrap_err().to_string();
    assert!(reason.contains("table inbox, column 2"), "{reason}");
    store.close().await;
}

/// Red for each table that nobody decodes.
#[tokio::test]
async fn every_table_is_decoded() {
    let (_folder, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    store.create(new(1)).await.unwrap();
    store.submit(&cmd("a"), id(1), &stop()).await.unwrap();
    store.close().await;
    let deep = too_deep();
    let rows = [
        ("inbox", "INSERT INTO inbox (sid, cmd_id, command) VALUES (1, 'bad', '{deep}')"),
        ("inbox", "UPDATE inbox SET outcome = '{deep}' WHERE cmd_id = 'a'"),
        ("deliveries", "INSERT INTO deliveries VALUES (9, 'dlv_9', 's', NULL, 'x', 'odd', '', NULL, 1, x'')"),
        ("delivery_groups", "INSERT INTO delivery_groups VALUES (zeroblob(32), NULL, '{deep}')"),
        ("delivery_groups", "INSERT INTO delivery_groups VALUES (zeroblob(3), NULL, NULL)"),
        ("marks", "INSERT INTO marks VALUES (zeroblob(32), 'm', 0, x'00')"),
        (
            "outbox",
            "INSERT INTO outbox VALUES (1, 'msg_1', 'k', 't', zeroblob(16), 'c', '{deep}', 'waiting', '', 0, 1, 1, NULL, 1)",
        ),
        (
            "outbox",
            "INSERT INTO outbox VALUES (2, 'msg_2', 'l', 't', zeroblob(16), 'c', '{}', 'odd', '', 0, 1, 1, NULL, 1)",
        ),
        ("tokens", "INSERT INTO tokens VALUES ('t', 'n', 'odd', zeroblob(32), 'x', 1, NULL, NULL, NULL)"),
        ("page_sessions", "INSERT INTO page_sessions VALUES (x'00', 't', 1, 1)"),
        (
            "requests",
            "INSERT INTO requests (key, fingerprint, at, status) VALUES (zeroblob(32), zeroblob(32), 1, 99999999)",
        ),
        ("packs", "INSERT INTO packs VALUES (zeroblob(32), 'p', '{}')"),
        ("attention", "INSERT INTO attention VALUES (1, 1, 0, 0, '{deep}', NULL)"),
        ("attention", "INSERT INTO attention VALUES (99, 1, 0, 0, NULL, NULL)"),
    ];
    let reads = SqliteStore::open_read_only(&path).await.unwrap();
    assert_eq!(reads.unreadable_rows().await, Vec::<String>::new());
    for (index, (table, sql)) in rows.iter().enumerate() {
        raw_owned(&path, sql.replace("{deep}", &deep)).await.unwrap();
        let lines = reads.unreadable_rows().await;
        assert_eq!(lines.len(), index + 1, "{lines:#?} after {sql}");
        let of_table = lines.iter().filter(|line| line.contains(&format!("table {table}"))).count();
        assert_eq!(
            of_table,
            rows[..=index].iter().filter(|(other, _)| other == table).count(),
            "{lines:#?} after {sql}"
        );
    }
    reads.close().await;
    raw(&path, "DELETE FROM inbox").await.unwrap();
}

/// Red if a store whose index was lost were taken for sound.
#[tokio::test]
async fn a_target_that_two_calls_hold_is_named_with_both() {
    let (_folder, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    store.create(new(1)).await.unwrap();
    store.close().await;
    let reads = SqliteStore::open_read_only(&path).await.unwrap();
    let hold = |key: &str, call: &str| {
        format!(
            "INSERT INTO claims (key, kind, sid, call, tool, taken_at) VALUES ('{key}', 'act', 1, '{call}', 'a:b', 5);"
        )
    };
    raw_owned(&path, hold("staging/shop", "one") + &hold("staging/cart", "two")).await.unwrap();
    assert_eq!(reads.shared_targets().await, Vec::<String>::new());
    raw_owned(&path, hold("staging/shop", "three")).await.unwrap_err();
    raw_owned(&path, "DROP INDEX claims_acting;".to_owned() + &hold("staging/shop", "three")).await.unwrap();
    let lines = reads.shared_targets().await;
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].contains("staging/shop") && lines[0].contains("one") && lines[1].contains("three"), "{lines:#?}");
    reads.close().await;
}
