//! Whose database it is, and which schema it has. Read before anything is written, so that a foreign or newer file stays
//! as it was.

use std::path::Path;

use provost_domain::port::StoreError;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use super::error::{damaged, failed_at};
use super::transaction::BEGIN;

/// Marks the file as ours (`PRAGMA application_id`): "Prov".
const APPLICATION_ID: i64 = 0x5072_6f76;
/// The version each step leads to, in order; published steps never change.
pub(super) const MIGRATIONS: [(i64, &str); 8] = [
    (2, include_str!("schema.sql")),
    (3, include_str!("outbox.sql")),
    (4, include_str!("packs.sql")),
    (5, include_str!("erasure.sql")),
    (6, include_str!("links.sql")),
    (7, include_str!("page_sessions.sql")),
    (8, include_str!("claims.sql")),
    (9, include_str!("attention.sql")),
];
/// The version this program writes (`PRAGMA user_version`).
const VERSION: i64 = 9;
/// The oldest version a step leads on from.
const OLDEST: i64 = 2;

/// The smallest read there is.
pub(super) const TABLES: &str = "SELECT count(*) FROM sqlite_schema";

/// The version of a database that is ours and not newer; 0 for an empty one.
pub(super) async fn version(connection: &mut SqliteConnection, path: &Path) -> Result<i64, StoreError> {
    let id: i64 = number(connection, path, "PRAGMA application_id").await?;
    let version: i64 = number(connection, path, "PRAGMA user_version").await?;
    let tables: i64 = number(connection, path, TABLES).await?;
    if id == 0 && version == 0 && tables == 0 {
        return Ok(0);
    }
    if id != APPLICATION_ID {
        return Err(damaged(format!("{} is not a provost store; name another file", path.display())));
    }
    if version > VERSION {
        let detail = format!(
            "{} has schema {version}, this program knows {VERSION}; run the newer provost that wrote it",
            path.display()
        );
        return Err(StoreError::Failed { detail });
    }
    if version < OLDEST {
        let detail = format!(
            "{} has schema {version}, written before the first release; move it away and start with a new store",
            path.display()
        );
        return Err(StoreError::Failed { detail });
    }
    Ok(version)
}

/// Whether it is the version this program reads and writes.
pub(super) const fn is_current(version: i64) -> bool {
    version == VERSION
}

/// The same for reading, where an empty or older file cannot be brought up to date.
pub(super) async fn require_current(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let version = version(connection, path).await?;
    if version == VERSION {
        return Ok(());
    }
    let detail = format!(
        "{} has schema {version}, this program reads {VERSION}; start the program that writes it once to upgrade it",
        path.display()
    );
    Err(StoreError::Failed { detail })
}

/// Brings the schema up to date, all or nothing.
pub(super) async fn migrate(connection: &mut SqliteConnection, path: &Path, version: i64) -> Result<(), StoreError> {
    if version == VERSION {
        return Ok(());
    }
    let failed = |error| failed_at(path, &error);
    let mut transaction = connection.begin_with(BEGIN).await.map_err(failed)?;
    for (_, step) in MIGRATIONS.iter().filter(|(to, _)| *to > version) {
        sqlx::raw_sql(*step).execute(&mut *transaction).await.map_err(failed)?;
    }
    let stamp = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}");
    sqlx::raw_sql(AssertSqlSafe(stamp)).execute(&mut *transaction).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)
}

async fn number(connection: &mut SqliteConnection, path: &Path, sql: &'static str) -> Result<i64, StoreError> {
    sqlx::query_scalar(sql).fetch_one(connection).await.map_err(|error| failed_at(path, &error))
}
