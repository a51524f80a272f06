//! The file, its lock and its settings.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use provost_domain::port::{Reads as _, SessionFilter, SessionStore as _};
use provost_store::SqliteStore;

use super::{place, raw, raw_owned, says};
use crate::support::{id, new};
use sqlx::Connection as _;

fn everything() -> SessionFilter {
    SessionFilter { limit: 500, ..SessionFilter::default() }
}

#[tokio::test]
async fn folder_and_files_are_this_users_alone() {
    let (folder, _) = place();
    let path = folder.path().join("deep/er/p.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.create(new(1)).await.unwrap();
    let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("deep"), mode("deep/er")), (0o700, 0o700));
    for name in ["p.db", "p.db.lock", "p.db-wal", "p.db-shm"] {
        assert_eq!(mode(&format!("deep/er/{name}")), 0o600, "{name}");
    }
    store.close().await;
}

#[tokio::test]
async fn settings_are_read_back_as_set() {
    let (_folder, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let durability = store.durability();
    assert_eq!((durability.journal_mode.as_str(), durability.synchronous), ("wal", 2));
    assert_eq!(durability.sqlite_version.split('.').next(), Some("3"));
    store.close().await;
}

#[tokio::test]
async fn a_second_process_is_refused_by_any_name_and_told_who_holds_it() {
    let (folder, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let pid = format!("pid {}", std::process::id());
    for name in [&path, &link] {
        says(SqliteStore::open(name).await, &["held by another process", &pid]);
    }
    store.close().await;
    SqliteStore::open(&link).await.unwrap().close().await;
}

#[tokio::test]
async fn a_file_with_two_names_is_refused_by_both() {
    let (folder, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let link = folder.path().join("link.db");
    fs::hard_link(&path, &link).unwrap();
    says(SqliteStore::open(&link).await, &["hard links", "remove the others"]);
    says(SqliteStore::open_read_only(&link).await, &["hard links"]);
    // Who holds it goes on: its own name is as good as before.
    store.create(new(1)).await.unwrap();
    store.close().await;
    says(SqliteStore::open(&path).await, &["hard links"]);
    fs::remove_file(&link).unwrap();
    SqliteStore::open(&path).await.unwrap().close().await;
}

#[tokio::test]
async fn a_store_whose_name_leads_elsewhere_answers_no_write_and_ends() {
    for file in ["p.db", "p.db-wal", "p.db-shm"] {
        let (folder, path) = place();
        let store = SqliteStore::open(&path).await.unwrap();
        store.create(new(1)).await.unwrap();
        fs::rename(folder.path().join(file), folder.path().join("elsewhere")).unwrap();
        says(store.create(new(2)).await, &[file, "cannot be found any more"]);
        assert_eq!(store.create(new(3)).await, Err(store.died().await));
    }
}

#[tokio::test]
async fn where_a_store_was_no_empty_one_is_begun() {
    let (folder, path) = place();
    SqliteStore::open(&path).await.unwrap().close().await;
    fs::rename(&path, folder.path().join("elsewhere")).unwrap();
    says(SqliteStore::open(&path).await, &["p.db is gone", "p.db.lock", "restore a backup"]);
    assert!(!path.exists());
    fs::rename(folder.path().join("elsewhere"), &path).unwrap();
    SqliteStore::open(&path).await.unwrap().close().await;
    // Whoever means it says so.
    fs::remove_file(&path).unwrap();
    fs::remove_file(folder.path().join("p.db.lock")).unwrap();
    SqliteStore::open(&path).await.unwrap().close().await;
}

#[tokio::test]
async fn a_quiet_store_learns_that_its_file_was_replaced() {
    let (folder, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let other = folder.path().join("other.db");
    SqliteStore::open(&other).await.unwrap().close().await;
    fs::write(folder.path().join("other.db-wal"), "theirs").unwrap();
    fs::rename(folder.path().join("other.db-wal"), folder.path().join("p.db-wal")).unwrap();
    fs::rename(&other, &path).unwrap();
    let error = store.died().await.to_string();
    assert!(error.contains("is another file"), "{error}");
    store.close().await;
    assert_eq!(fs::read(folder.path().join("p.db-wal")).unwrap(), b"theirs", "nothing of the other one is touched");
}

#[tokio::test]
async fn closing_leaves_everything_in_the_one_file() {
    let (folder, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    store.create(new(1)).await.unwrap();
    // Its connection is still open when the writer ends.
    let reader = SqliteStore::open_read_only(&path).await.unwrap();
    reader.session(id(1)).await.unwrap();
    store.close().await;
    says(store.create(new(2)).await, &["closed"]);
    let copy = folder.path().join("copy.db");
    fs::copy(&path, &copy).unwrap();
    let store = SqliteStore::open(&copy).await.unwrap();
    assert_eq!(store.sessions(&everything()).await.unwrap().len(), 1);
    store.close().await;
}

#[tokio::test]
async fn dropping_the_last_clone_frees_the_file() {
    let (_folder, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let clone = store.clone();
    drop(store);
    clone.create(new(1)).await.unwrap();
    drop(clone);
    // The writer ends by itself; it only has to be polled.
    let store = loop {
        match SqliteStore::open(&path).await {
            Ok(store) => break store,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    assert_eq!(store.session(id(1)).await.unwrap().id, id(1));
    store.close().await;
}

#[test]
fn what_was_answered_is_there_after_a_crash() {
    let (_folder, path) = place();
    let crashed = tokio::runtime::Runtime::new().unwrap();
    crashed.block_on(async {
        let store = SqliteStore::open(&path).await.unwrap();
        for n in 1..=20 {
            store.create(new(n)).await.unwrap();
        }
        // Neither closed nor dropped: its tasks die with their runtime.
        std::mem::forget(store);
    });
    crashed.shutdown_background();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = loop {
            match SqliteStore::open(&path).await {
                Ok(store) => break store,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        assert_eq!(store.sessions(&everything()).await.unwrap().len(), 20);
        store.close().await;
    });
}

#[tokio::test]
async fn a_reader_sees_what_a_running_process_writes_and_cannot_write() {
    let (_folder, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let reads = SqliteStore::open_read_only(&path).await.unwrap();
    for n in 1..=3 {
        store.create(new(n)).await.unwrap();
        assert_eq!(reads.session(id(n)).await.unwrap(), store.session(id(n)).await.unwrap());
    }
    store.close().await;
    assert_eq!(reads.sessions(&everything()).await.unwrap().len(), 3, "also once that process is gone");
    reads.close().await;
}

#[tokio::test]
async fn the_log_can_only_grow() {
    let (_folder, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    store.close().await;
    let row = "INSERT INTO appends (sid, first_seq, last_seq, fence, cmd_id, at, kinds, digest, prev, hash) \
               VALUES (1, 1, 1, 1, 'c', 1, 'k', x'00', x'00', x'00')";
    raw(&path, row).await.unwrap();
    for sql in ["UPDATE appends SET kinds = 'other'", "DELETE FROM appends"] {
        let error = raw(&path, sql).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{error}");
    }
}

/// The schema as its second version wrote it, before the outbox came.
const SECOND: &str = concat!(
    include_str!("../../../src/sqlite/schema.sql"),
    "; PRAGMA application_id = 0x50726f76; PRAGMA user_version = 2"
);

#[tokio::test]
async fn an_older_file_is_brought_up_to_date_with_what_it_holds() {
    let (folder, path) = place();
    let fresh = folder.path().join("fresh.db");
    let store = SqliteStore::open(&fresh).await.unwrap();
    store.create(new(1)).await.unwrap();
    store.close().await;
    fs::write(&path, b"").unwrap();
    raw(&path, SECOND).await.unwrap();
    // What it held: the same session, in the columns there were.
    let columns = "id, handle, pack, pack_digest, status, ended, title, head_seq, head_hash, fence, owner, wake_seq, \
                   read_seq, next_run_at, progress_at, takeovers, created_at";
    let copy = format!("INSERT INTO main.sessions ({columns}) SELECT {columns} FROM fresh.sessions");
    raw_owned(&path, format!("ATTACH '{}' AS fresh; {copy}", fresh.display())).await.unwrap();
    says(SqliteStore::open_read_only(&path).await, &["has schema 2", "start the program that writes it once"]);
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.sessions(&everything()).await.unwrap().len(), 1);
    store.create(new(2)).await.unwrap();
    store.close().await;
    let (old, new) = (schema(&path).await, schema(&fresh).await);
    assert_eq!(old, new, "the steps lead to what a new file has");
    assert!(new.1.iter().any(|sql| sql.contains("CREATE TABLE outbox")), "{new:?}");
    let reads = SqliteStore::open_read_only(&path).await.unwrap();
    assert_eq!(reads.session(id(1)).await.unwrap().id, id(1));
    reads.close().await;
}

/// The version and every statement of the schema.
async fn schema(path: &std::path::Path) -> (i64, Vec<String>) {
    let mut connection = sqlx::SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let version = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut connection).await.unwrap();
    let statements = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
    let statements = sqlx::query_scalar(statements).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    (version, statements)
}
