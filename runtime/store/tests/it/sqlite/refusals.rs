//! Files that are refused, each with what to do next, and left as they were.

use std::fs;
use std::path::Path;

use provost_domain::port::StoreError;
use provost_store::SqliteStore;

use super::{place, raw, says};

/// Opening fails both ways, says so, and changes no byte.
async fn refused(path: &Path, parts: &[&str]) -> StoreError {
    let before = fs::read(path).unwrap();
    let name = path.to_str().unwrap();
    says(SqliteStore::open_read_only(path).await, parts);
    let error = SqliteStore::open(path).await.unwrap_err();
    says(Err::<(), _>(error.clone()), parts);
    says(Err::<(), _>(error.clone()), &[name]);
    assert_eq!(fs::read(path).unwrap(), before);
    error
}

#[tokio::test]
async fn garbage() {
    let (_folder, path) = place();
    fs::write(&path, vec![0xa5; 8192]).unwrap();
    let error = refused(&path, &["not a database", "restore a backup"]).await;
    assert!(matches!(error, StoreError::Damaged { .. }));
}

#[tokio::test]
async fn a_broken_store() {
    let (_folder, path) = place();
    SqliteStore::open(&path).await.unwrap().close().await;
    let mut bytes = fs::read(&path).unwrap();
    // The root page of the schema, behind the header that still looks well.
    bytes[100..2000].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let error = refused(&path, &["restore a backup"]).await;
    assert!(matches!(error, StoreError::Damaged { .. }));
}

#[tokio::test]
async fn another_programs_database() {
    let (_folder, path) = place();
    fs::write(&path, b"").unwrap();
    raw(&path, "CREATE TABLE theirs (a)").await.unwrap();
    refused(&path, &["not a provost store", "name another file"]).await;
}

#[tokio::test]
async fn a_newer_schema() {
    let (_folder, path) = place();
    SqliteStore::open(&path).await.unwrap().close().await;
    raw(&path, "PRAGMA user_version = 99").await.unwrap();
    refused(&path, &["schema 99", "run the newer provost"]).await;
}

#[tokio::test]
async fn a_schema_from_before_the_first_release() {
    let (_folder, path) = place();
    SqliteStore::open(&path).await.unwrap().close().await;
    raw(&path, "PRAGMA user_version = 1").await.unwrap();
    refused(&path, &["schema 1", "start with a new store"]).await;
}

#[tokio::test]
async fn an_absent_file_for_reading() {
    let (_folder, path) = place();
    says(SqliteStore::open_read_only(&path).await, &["does not exist", "run a session first"]);
    assert!(!path.exists());
}

#[tokio::test]
async fn an_empty_file_for_reading() {
    let (_folder, path) = place();
    fs::write(&path, b"").unwrap();
    says(SqliteStore::open_read_only(&path).await, &["schema 0", "start the program that writes it"]);
}

#[tokio::test]
async fn a_folder() {
    let (folder, _) = place();
    says(SqliteStore::open(folder.path()).await, &["is a folder"]);
}

#[tokio::test]
async fn a_place_that_cannot_be_written() {
    let (folder, path) = place();
    fs::write(folder.path().join("file"), b"").unwrap();
    says(SqliteStore::open(&folder.path().join("file/p.db")).await, &["choose a place this user can write"]);
    // Not even root creates files there.
    says(SqliteStore::open(Path::new("/proc/p.db")).await, &["choose a place this user can write"]);
    assert!(!path.exists());
}
