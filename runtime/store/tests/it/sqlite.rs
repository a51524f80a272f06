//! What only SQLite promises: durability, one owner, and never writing over what is wrong.

mod ahead;
mod erasure;
mod files;
mod refusals;
mod tables;
mod writer;

use std::path::{Path, PathBuf};

use provost_domain::port::StoreError;
use sqlx::Connection as _;
use tempfile::TempDir;

/// A folder and the path of a database in it.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.db");
    (folder, path)
}

#[track_caller]
fn says<T: std::fmt::Debug>(result: Result<T, StoreError>, parts: &[&str]) {
    let error = result.unwrap_err().to_string();
    for part in parts {
        assert!(error.contains(part), "`{error}` does not say `{part}`");
    }
}

/// Runs SQL beside the store, as another program would.
async fn raw(path: &Path, sql: &'static str) -> Result<(), sqlx::Error> {
    raw_owned(path, sql.to_owned()).await
}

/// The same with SQL that was put together.
async fn raw_owned(path: &Path, sql: String) -> Result<(), sqlx::Error> {
    let mut connection = sqlx::SqliteConnection::connect(&format!("sqlite://{}", path.display())).await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await?;
    connection.close().await
}
