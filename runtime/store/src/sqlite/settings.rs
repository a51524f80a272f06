//! How connections are opened, and what of it is read back: a setting that SQLite does not know is silently another one.

use std::path::Path;
use std::time::Duration;

use provost_domain::port::StoreError;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};

use super::error::failed_at;

/// Before it, a WAL reset could corrupt a database.
const SQLITE_MIN: [u32; 3] = [3, 51, 3];
/// How long a statement waits for another program's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements kept per connection: every one we have, in all its sizes.
const STATEMENTS: usize = 128;
/// Rows that travel to the caller before the connection's thread waits: a whole batch.
const ROWS: usize = 512;
/// What survives power loss and keeps the files bounded. `synchronous` is spelled as a number because an unknown word
/// silently means a weaker setting; both are read back.
const SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = 2; PRAGMA journal_size_limit = 67108864; \
     PRAGMA secure_delete = 1; \
     PRAGMA wal_autocheckpoint = 4000";

/// What a commit survives, as read back from SQLite after setting it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durability {
    /// `wal`.
    pub journal_mode: String,
    /// 2 = FULL.
    pub synchronous: i64,
    /// 1 = what is deleted is overwritten.
    pub secure_delete: i64,
    /// The library's version.
    pub sqlite_version: String,
}

/// How every connection is opened, the writer's and the readers'.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .pragma("mmap_size", "0")
        // Else the planner may scan a table to look its rows up in the statement's own values.
        .pragma("automatic_index", "OFF")
        .statement_cache_capacity(STATEMENTS)
        .row_buffer_size(ROWS)
        .disable_statement_logging()
}

/// Applies the settings and reads them back.
pub(super) async fn settle(connection: &mut SqliteConnection, path: &Path) -> Result<Durability, StoreError> {
    let failed = |error| failed_at(path, &error);
    sqlx::raw_sql(SETTINGS).execute(&mut *connection).await.map_err(failed)?;
    let journal_mode: String =
        sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await.map_err(failed)?;
    let synchronous: i64 =
        sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *connection).await.map_err(failed)?;
    let secure_delete: i64 =
        sqlx::query_scalar("PRAGMA secure_delete").fetch_one(&mut *connection).await.map_err(failed)?;
    let sqlite_version: String =
        sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut *connection).await.map_err(failed)?;
    let durability = Durability { journal_mode, synchronous, secure_delete, sqlite_version };
    durability.check(path).map(|()| durability)
}

impl Durability {
    fn check(&self, path: &Path) -> Result<(), StoreError> {
        let Self { journal_mode, synchronous, secure_delete, sqlite_version } = self;
        let wrong = if journal_mode != "wal" || *synchronous != 2 {
            format!(
                "{}: journal_mode={journal_mode}, synchronous={synchronous} where wal and 2 (FULL) are needed; put the \
                 store on a local disk that allows shared memory",
                path.display()
            )
        } else if *secure_delete != 1 {
            format!("secure_delete={secure_delete} where 1 is needed, or erased text may stay; report this as a bug")
        } else if !recent(sqlite_version) {
            let [major, minor, fix] = SQLITE_MIN;
            format!("SQLite {sqlite_version} can corrupt a database; build with {major}.{minor}.{fix} or newer")
        } else {
            return Ok(());
        };
        Err(StoreError::Failed { detail: wrong })
    }
}

fn recent(version: &str) -> bool {
    let parts: Vec<u32> = version.split('.').map_while(|part| part.parse().ok()).collect();
    parts.as_slice() >= SQLITE_MIN.as_slice()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_library_or_a_weaker_setting_is_refused() {
        let (journal_mode, sqlite_version) = ("wal".to_owned(), "3.51.3".to_owned());
        let good = Durability { journal_mode, synchronous: 2, secure_delete: 1, sqlite_version };
        let path = Path::new("p.db");
        assert_eq!(good.check(path), Ok(()));
        for version in ["3.51.2", "3.50.9", "2.99.99", "none"] {
            assert!(
                Durability { sqlite_version: version.to_owned(), ..good.clone() }.check(path).is_err(),
                "{version}"
            );
        }
        assert_eq!(Durability { sqlite_version: "3.52".to_owned(), ..good.clone() }.check(path), Ok(()));
        assert!(Durability { synchronous: 1, ..good.clone() }.check(path).is_err());
        assert!(Durability { secure_delete: 0, ..good.clone() }.check(path).is_err());
        assert!(Durability { journal_mode: "delete".to_owned(), ..good }.check(path).is_err());
    }
}
