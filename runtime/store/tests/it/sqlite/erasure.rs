//! Erasing in files: not a byte stays, whatever the pages went through before, and a crash changes nothing of that.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use provost_domain::ids::{DeliveryId, Digest};
use provost_domain::invariant;
use provost_domain::port::{
    Arrived, Deliveries as _, DeliveryReads as _, EnqueueAnswer, Erased, Erasure as _, KeptAnswer, MessageFilter,
    Outbox as _, OutboxReads as _, Reads as _, Requests as _, SessionStore as _, StoreError,
};
use provost_store::SqliteStore;
use serde_json::json;
use sqlx::Connection as _;

use super::{place, raw};
use crate::beside::{delivery, done, message, sent};
use crate::erasure::{ended, request, saying};
use crate::support::{Driven, Subject, at, holding, id};

/// A store, what drives it, and its folder, which must outlive both.
pub(super) async fn subject(folder: &Path) -> (SqliteStore, Subject) {
    let store = SqliteStore::open(&folder.join("p.db")).await.unwrap();
    let subject = Subject { store: store.clone().into(), folder: None };
    (store, subject)
}

/// Everything a session leaves in the store says the text.
async fn everywhere(store: &SqliteStore, subject: &Subject, n: u128, text: &str) {
    ended(subject, n, text).await;
    let group = Digest::of(&n.to_be_bytes());
    let name = format!("dlv-{n}");
    store.deliver(delivery(&name, text, Arrived::Waiting { group })).await.unwrap();
    store.plan(group, text).await.unwrap();
    store.finish(done(group, n)).await.unwrap();
    assert_eq!(store.enqueue(message(n, text)).await, Ok(EnqueueAnswer::Stored));
    sent(&subject.store, n).await;
    let key = Digest::of(text.as_bytes());
    store.claim(key, key, at(2), at(0)).await.unwrap();
    let body = format!("{{\"session\": \"{}\", \"title\": \"{text}\"}}", id(n)).into_bytes();
    let answer = KeptAnswer { status: 201, content_type: "application/json".to_owned(), location: None, body };
    store.answer(key, &answer).await.unwrap();
}

#[tokio::test]
async fn no_file_holds_a_byte_of_what_was_erased() {
    let (folder, _) = place();
    let (store, subject) = subject(folder.path()).await;
    // Neighbours grow and shrink around it, so that pages are split and merged.
    for n in 1..=40 {
        everywhere(&store, &subject, n, &format!("MARKER-{n:03}-HERE")).await;
    }
    for n in 1..=40 {
        assert!(!holding(folder.path(), &format!("MARKER-{n:03}-HERE")).is_empty(), "{n} was there to be found");
    }
    for n in (1..=40).filter(|n| n % 3 != 0) {
        let erased = store.erase(request(&subject.store, n).await).await;
        assert_eq!(erased, Ok(Erased::Done { records: 2 }), "{n}");
    }
    store.scrub().await.unwrap();
    for n in 1..=40 {
        let found = holding(folder.path(), &format!("MARKER-{n:03}-HERE"));
        assert_eq!(found.is_empty(), n % 3 != 0, "{n}: {found:?}");
    }
    // The others are as they were.
    let reads = store.reads();
    for n in (3..=40).step_by(3) {
        let row = store.session(id(n)).await.unwrap();
        let records = store.records(id(n), provost_domain::ids::Seq(0), 99).await.unwrap();
        assert!(records.iter().all(|record| record.payload.is_some()));
        assert_eq!((row.erased_at, records.last().unwrap().hash), (None, row.head_hash));
        assert!(!reads.delivery(&DeliveryId::new(format!("dlv-{n}"))).await.unwrap().body.is_empty());
    }
    let messages = reads.messages(&MessageFilter { limit: 500, ..MessageFilter::default() }).await.unwrap();
    assert_eq!(messages.len(), 13, "those of the sessions that stay");
    store.close().await;
}

/// What was deleted without overwriting it, as releases before this one did, and what pages that were split left beside their
/// rows, is in no row any more: only rewriting the file reaches it.
#[tokio::test]
async fn stale_copies_beside_the_rows_go_too() {
    let (folder, path) = place();
    let (store, subject) = subject(folder.path()).await;
    everywhere(&store, &subject, 1, "MARKER-ONE").await;
    store.close().await;
    drop(subject);
    raw(&path, "PRAGMA secure_delete = OFF; UPDATE snapshots SET header = x'00'; DELETE FROM contents").await.unwrap();
    let (store, subject) = self::subject(folder.path()).await;
    store.erase(request(&subject.store, 1).await).await.unwrap();
    store.scrub().await.unwrap();
    assert_eq!(holding(folder.path(), "MARKER-ONE"), Vec::<String>::new());
    store.close().await;
}

#[tokio::test]
async fn a_crash_before_the_files_are_rewritten_is_made_up_for_after_the_next_start() {
    let (folder, path) = place();
    let (store, subject) = subject(folder.path()).await;
    everywhere(&store, &subject, 1, "MARKER-ONE").await;
    store.erase(request(&subject.store, 1).await).await.unwrap();
    // What a kill leaves: the files as they are now, the write-ahead log with them.
    let fallen = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), fallen.path().join(entry.file_name())).unwrap();
    }
    assert!(!holding(fallen.path(), "MARKER-ONE").is_empty(), "there is something to make up for");
    let next = SqliteStore::open(&fallen.path().join("p.db")).await.unwrap();
    assert!(!holding(fallen.path(), "MARKER-ONE").is_empty(), "opening waits for no rewriting");
    // Nobody erases again: retention's first look asks just this.
    next.scrub().await.unwrap();
    assert_eq!(holding(fallen.path(), "MARKER-ONE"), Vec::<String>::new());
    let row = next.session(id(1)).await.unwrap();
    let records = next.records(id(1), provost_domain::ids::Seq(0), 99).await.unwrap();
    assert_eq!(invariant::check(&records, row.head_seq, row.head_hash), Vec::<String>::new());
    next.close().await;
    drop(subject);
    store.close().await;
    assert!(path.exists());
}

#[tokio::test]
async fn a_reader_that_holds_on_is_named_and_the_files_are_rewritten_later() {
    let (folder, path) = place();
    let (store, subject) = subject(folder.path()).await;
    everywhere(&store, &subject, 1, "MARKER-ONE").await;
    let mut reader = sqlx::SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT count(*) FROM sessions").execute(&mut reader).await.unwrap();
    store.erase(request(&subject.store, 1).await).await.unwrap();
    let log = path.with_extension("db-wal");
    let before = fs::metadata(&log).unwrap().len();
    let held = store.scrub().await.unwrap_err().to_string();
    assert!(held.contains("a reader holds on"), "{held}");
    assert_eq!(fs::metadata(&log).unwrap().len(), before, "no copy of the database went into the log");
    reader.close().await.unwrap();
    store.create(crate::support::new(2)).await.unwrap();
    store.scrub().await.unwrap();
    assert_eq!(holding(folder.path(), "MARKER-ONE"), Vec::<String>::new());
    store.close().await;
}

/// The mark that a reader leaves behind who comes between the rewriting and the last emptying of the log.
const REWRITTEN: &str = "UPDATE scrub SET rewritten = 1";

/// Pages that deleting left: rewriting leaves none.
async fn free_pages(path: &Path) -> i64 {
    let mut connection = sqlx::SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let free = sqlx::query_scalar("PRAGMA freelist_count").fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    free
}

#[tokio::test]
async fn what_was_rewritten_is_not_rewritten_again_until_something_else_is_erased() {
    let (folder, path) = place();
    let (store, subject) = subject(folder.path()).await;
    for n in [1, 2] {
        everywhere(&store, &subject, n, &format!("MARKER-{n} {}", "x".repeat(40_000))).await;
    }
    store.erase(request(&subject.store, 1).await).await.unwrap();
    raw(&path, REWRITTEN).await.unwrap();
    store.scrub().await.unwrap();
    assert_ne!(free_pages(&path).await, 0, "only the log was emptied");
    store.erase(request(&subject.store, 2).await).await.unwrap();
    raw(&path, REWRITTEN).await.unwrap();
    ended(&subject, 4, "MARKER-4").await;
    store.erase(request(&subject.store, 4).await).await.unwrap();
    store.scrub().await.unwrap();
    assert_eq!(free_pages(&path).await, 0, "an erasure since then asks for it anew");
    store.close().await;
}

#[tokio::test]
async fn the_log_lets_nothing_go_but_by_its_own_door() {
    let (folder, path) = place();
    let (store, subject) = subject(folder.path()).await;
    ended(&subject, 1, "x").await;
    ended(&subject, 2, "x").await;
    let store = {
        store.close().await;
        drop(subject);
        for sql in [
            "UPDATE appends SET payload = NULL, salt = NULL",
            "UPDATE sessions SET erased_at = 1; UPDATE appends SET payload = NULL, salt = NULL",
        ] {
            let error = raw(&path, sql).await.unwrap_err().to_string();
            assert!(error.contains("append-only"), "{error}");
        }
        raw(&path, "UPDATE sessions SET erased_at = NULL").await.unwrap();
        SqliteStore::open(&path).await.unwrap()
    };
    let shared = provost_store::Stores::from(store.clone());
    store.erase(request(&shared, 1).await).await.unwrap();
    store.close().await;
    drop(shared);
    for sql in [
        "UPDATE appends SET payload = x'00'",
        "UPDATE appends SET payload = NULL, salt = NULL, kinds = 'other' WHERE sid = 1 AND first_seq = 1",
        "UPDATE appends SET hash = x'00' WHERE sid = 1 AND first_seq = 1",
        "UPDATE appends SET payload = NULL, salt = NULL WHERE sid = 1 AND first_seq = 3",
        "UPDATE appends SET payload = NULL, salt = NULL WHERE sid = 2",
        "DELETE FROM appends WHERE sid = 1",
    ] {
        let error = raw(&path, sql).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{sql}: {error}");
    }
    assert!(folder.path().exists());
}

/// The statements that lead from this schema back to version 3.
const BACK: &str = "DROP TRIGGER appends_no_update; \
    CREATE TRIGGER appends_no_update BEFORE UPDATE ON appends BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END; \
    DROP INDEX sessions_quiet; ALTER TABLE sessions DROP COLUMN erased_at; DROP TABLE content_refs; DROP TABLE scrub; \
    DROP TABLE request_refs; DROP INDEX requests_unlinked; ALTER TABLE requests DROP COLUMN unlinked; \
    DROP TABLE delivery_refs; DROP INDEX marks_by_session; ALTER TABLE marks DROP COLUMN session; \
    DROP INDEX deliveries_by_session; DROP INDEX deliveries_by_group; DROP INDEX deliveries_finished; DROP INDEX delivery_groups_by_session; \
    DROP INDEX outbox_finished; DROP INDEX outbox_in_order; DROP TABLE attention; DROP INDEX sessions_by_pack; DROP TABLE packs; DROP TABLE page_sessions; DROP TABLE claims; PRAGMA user_version = 3";

#[tokio::test]
async fn a_damaged_payload_does_not_keep_an_older_file_from_being_brought_up_to_date() {
    let (folder, path) = place();
    let (store, subject) = subject(folder.path()).await;
    ended(&subject, 1, "x").await;
    store.close().await;
    drop(subject);
    raw(&path, BACK).await.unwrap();
    let damage = "DROP TRIGGER appends_no_update; UPDATE appends SET payload = CAST('{not json' AS BLOB) WHERE first_seq = 1; \
        CREATE TRIGGER appends_no_update BEFORE UPDATE ON appends BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END";
    raw(&path, damage).await.unwrap();
    let (store, subject) = self::subject(folder.path()).await;
    store.erase(request(&subject.store, 1).await).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_file_of_the_release_before_is_brought_up_to_date_and_can_be_erased_from() {
    let (folder, path) = place();
    let (store, subject) = subject(folder.path()).await;
    let bytes = format!("SHARED {}", "x".repeat(9_000)).into_bytes();
    let digest = Digest::of(&bytes);
    // As the engine writes it: an event names the content it refers to.
    for n in [1, 2] {
        let mut driven = subject.session(n).await;
        let mut append = saying(&driven, "x");
        append.record = Some(referring(&driven, digest));
        append.contents = vec![provost_domain::tool::Content { digest, bytes: bytes.clone() }];
        append.snapshot = None;
        (append.ended, append.release) = (true, true);
        driven.write(append).await.unwrap();
    }
    let replayed = delivery("dlv-1", "MARKER-REPLAYED", Arrived::Bad { reason: "r".to_owned() });
    store.deliver(replayed).await.unwrap();
    store.close().await;
    drop(subject);
    raw(&path, BACK).await.unwrap();
    raw(&path, "UPDATE deliveries SET state = 'done', note = 'replayed as dlv-2'").await.unwrap();
    // An answer of which nothing was noted, and what a session was told about.
    let kept = format!(
        "INSERT INTO requests (key, fingerprint, at, status, body) VALUES (x'01', x'01', 1, 200, CAST('MARKER-KEPT' AS BLOB)); \
         INSERT INTO delivery_groups (grp, session) VALUES (x'{0}', (SELECT id FROM sessions WHERE sid = 2)); \
         INSERT INTO marks (grp, mark, ended) VALUES (x'{0}', 'm', 0)",
        Digest::of(b"group").hex()
    );
    super::raw_owned(&path, kept).await.unwrap();

    let (store, subject) = self::subject(folder.path()).await;
    let body = store.reads().delivery(&DeliveryId::new("dlv-1")).await.unwrap().body;
    assert_eq!(body, b"", "its copy has it");
    let work = store.reads().work(Digest::of(b"group"), 9).await.unwrap();
    assert_eq!(work.marks["m"].session, Some(id(2)));
    for n in [1, 2] {
        let records = store.records(id(n), provost_domain::ids::Seq(0), 9).await.unwrap();
        assert!(records[0].payload.is_some());
    }
    store.erase(request(&subject.store, 1).await).await.unwrap();
    assert_eq!(store.content(digest).await, Ok(bytes), "the other session still refers to it");
    store.erase(request(&subject.store, 2).await).await.unwrap();
    assert!(matches!(store.content(digest).await, Err(StoreError::Missing { .. })));
    store.scrub().await.unwrap();
    assert_eq!(holding(folder.path(), "SHARED"), Vec::<String>::new());
    assert_eq!(holding(folder.path(), "MARKER-KEPT"), Vec::<String>::new());
    store.close().await;
}

fn referring(driven: &Driven, digest: Digest) -> provost_domain::log::AppendRecord {
    use provost_domain::event::{EventBody, SignalReceived};
    use provost_domain::log::{AppendRecord, Unsealed};
    let payload = Arc::new(json!({ "content": { "stored": { "sha256": digest, "bytes": 9_000 } } }));
    let said = SignalReceived { source: "test".to_owned(), payload };
    AppendRecord::seal(Unsealed {
        session: driven.id,
        after: driven.head,
        fence: driven.fence,
        cmd_id: provost_domain::ids::CmdId::new("r"),
        at: at(2),
        events: &[EventBody::from(said)],
        salt: [7; 16],
        prev: driven.prev,
    })
    .unwrap()
}
