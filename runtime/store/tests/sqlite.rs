//! What only SQLite promises: durability, one owner, and never writing over what is wrong.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use provost_domain::ids::{Digest, SessionId};
use provost_domain::port::{NewSession, Reads as _, SessionFilter, SessionStore as _, StoreError};
use provost_domain::time::Timestamp;
use provost_store::SqliteStore;
use sqlx::Connection as _;

fn new() -> NewSession {
    NewSession {
        id: SessionId::new(uuid::Uuid::from_u128(1)),
        handle_prefix: "INC".to_owned(),
        day: "20261120".to_owned(),
        pack: "p".to_owned(),
        pack_digest: Digest::default(),
        title: "t".to_owned(),
        at: Timestamp::from_micros(1),
    }
}

#[track_caller]
fn says<T: std::fmt::Debug>(result: Result<T, StoreError>, part: &str) {
    let error = result.unwrap_err().to_string();
    assert!(error.contains(part), "`{error}` does not say `{part}`");
}

#[tokio::test]
async fn what_was_answered_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/p.db");
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!((store.durability().journal_mode.as_str(), store.durability().synchronous), ("wal", 2));
    store.create(new()).await.unwrap();
    store.close().await;
    let store = SqliteStore::open(&path).await.unwrap();
    let filter = SessionFilter { limit: 9, ..SessionFilter::default() };
    assert_eq!(store.reads().sessions(&filter).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_second_process_is_refused_and_readers_are_welcome() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.create(new()).await.unwrap();
    says(SqliteStore::open(&path).await, &format!("held by another process (pid {})", std::process::id()));
    let reads = SqliteStore::open_read_only(&path).await.unwrap();
    let filter = SessionFilter { limit: 9, ..SessionFilter::default() };
    assert_eq!(reads.sessions(&filter).await.unwrap().len(), 1);
}

async fn raw(path: &Path, sql: &'static str) -> Result<(), sqlx::Error> {
    let mut connection = sqlx::SqliteConnection::connect(&format!("sqlite://{}", path.display())).await?;
    sqlx::raw_sql(sql).execute(&mut connection).await?;
    connection.close().await
}

#[tokio::test]
async fn what_is_not_ours_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.db");
    fs::write(&garbage, vec![0xa5; 8192]).unwrap();
    says(SqliteStore::open(&garbage).await, "not a database");
    assert_eq!(fs::read(&garbage).unwrap(), vec![0xa5; 8192]);

    let foreign = folder.path().join("foreign.db");
    fs::write(&foreign, b"").unwrap();
    raw(&foreign, "CREATE TABLE theirs (a)").await.unwrap();
    says(SqliteStore::open(&foreign).await, "not a provost store");

    let newer = folder.path().join("newer.db");
    SqliteStore::open(&newer).await.unwrap().close().await;
    raw(&newer, "PRAGMA user_version = 99").await.unwrap();
    says(SqliteStore::open(&newer).await, "schema 99");
    says(SqliteStore::open_read_only(&newer).await, "schema 99");
    says(SqliteStore::open_read_only(&folder.path().join("absent.db")).await, "does not exist");
}

#[tokio::test]
async fn the_log_can_only_grow() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.create(new()).await.unwrap();
    store.close().await;
    let row = "INSERT INTO appends (sid, first_seq, last_seq, fence, cmd_id, at, kinds, digest, prev, hash) \
               VALUES (1, 1, 1, 1, 'c', 1, 'k', x'00', x'00', x'00')";
    raw(&path, row).await.unwrap();
    for sql in ["UPDATE appends SET kinds = 'other'", "DELETE FROM appends"] {
        let error = raw(&path, sql).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{error}");
    }
}
