//! Opening: place, identity, settings read back, schema. Nothing that is wrong is ever written over.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use provost_domain::port::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};

use super::ahead;
use super::error::{failed_at, unreadable_at};
use super::place::{self, Place};
use super::reads::SqliteReads;
use super::writer::Writer;
use super::{SqliteStore, schema};
use crate::guards::Guards;

/// Before it, a WAL reset could corrupt a database.
const SQLITE_MIN: [u32; 3] = [3, 51, 3];
/// Connections that read beside the writer: enough for pages and lists, few threads and file handles.
const READERS: u32 = 4;
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

/// Bounds of a database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// The file's largest size in pages of 4 KiB; past it, writes fail as on a full disk. `None`: SQLite's own bound.
    pub max_pages: Option<NonZeroU32>,
    /// A guard to do without.
    #[cfg(feature = "controls")]
    pub removed: Option<crate::Removed>,
    /// Whether other processes may write to it at the same time: the lock file is not taken.
    #[cfg(feature = "controls")]
    pub shared: bool,
}

impl Limits {
    #[cfg(feature = "controls")]
    fn guards(self) -> Guards {
        Guards { removed: self.removed }
    }

    #[cfg(not(feature = "controls"))]
    #[expect(clippy::unused_self, reason = "with the feature `controls` it depends")]
    fn guards(self) -> Guards {
        Guards::default()
    }

    /// Whether the file must be this process's alone.
    #[cfg(feature = "controls")]
    fn alone(self) -> bool {
        !self.shared
    }

    /// Whether the file must be this process's alone.
    #[cfg(not(feature = "controls"))]
    #[expect(clippy::unused_self, reason = "with the feature `controls` it depends")]
    const fn alone(self) -> bool {
        true
    }
}

impl SqliteStore {
    /// Opens the database for writing, creating file and folder when absent, and holds it until closed.
    ///
    /// # Errors
    /// Another process holds it, it is no database of ours, its schema is newer, it lies on a network filesystem, or the
    /// storage fails. In each case the file is as it was.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_within(path, Limits::default()).await
    }

    /// Like [`Self::open`], within limits.
    ///
    /// # Errors
    /// See [`Self::open`].
    pub async fn open_within(path: &Path, limits: Limits) -> Result<Self, StoreError> {
        let Writable { mut connection, place, durability } = Writable::open(path, limits).await?;
        let path = &place.path;
        if let Some(pages) = limits.max_pages {
            let sql = AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
            sqlx::raw_sql(sql).execute(&mut connection).await.map_err(|error| failed_at(path, &error))?;
        }
        let reads = readers(path);
        let writer = Arc::new(Writer::start(connection, place.lock, limits.guards()));
        Ok(Self { writer, reads, durability, numbers: Arc::default() })
    }

    /// Opens the database for reading, also beside a process that holds it.
    ///
    /// # Errors
    /// The file is missing, no database of ours, or of another schema.
    pub async fn open_read_only(path: &Path) -> Result<SqliteReads, StoreError> {
        require_file(path)?;
        ahead::check_unlocked(path)?;
        let failed = |error| unreadable_at(path, &error);
        let mut probe = options(path).read_only(true).connect().await.map_err(failed)?;
        sqlx::query(schema::TABLES).execute(&mut probe).await.map_err(failed)?;
        schema::require_current(&mut probe, path).await?;
        probe.close().await.map_err(failed)?;
        Ok(readers(path))
    }
}

/// A database that this process alone writes, up to date.
#[derive(Debug)]
pub(super) struct Writable {
    pub(super) connection: SqliteConnection,
    place: Place,
    durability: Durability,
}

impl Writable {
    /// See [`SqliteStore::open`].
    pub(super) async fn open(path: &Path, limits: Limits) -> Result<Self, StoreError> {
        let place = place::claim(path, limits.alone())?;
        let path = &place.path;
        ahead::check(path, place.same_boot)?;
        let mut connection = options(path).connect().await.map_err(|error| failed_at(path, &error))?;
        let version = schema::version(&mut connection, path).await?;
        let durability = settle(&mut connection, path).await?;
        schema::migrate(&mut connection, path, version).await?;
        Ok(Self { connection, place, durability })
    }

    /// Closes the database, and then lets others at it.
    pub(super) async fn close(self) -> Result<(), StoreError> {
        self.connection.close().await.map_err(|error| failed_at(&self.place.path, &error))
    }
}

/// Refuses what is not there, which SQLite would create.
pub(super) fn require_file(path: &Path) -> Result<(), StoreError> {
    if path.is_file() {
        return Ok(());
    }
    let detail = format!("{} does not exist; run a session first or name the right store", path.display());
    Err(StoreError::Failed { detail })
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

/// Connects when first asked.
fn readers(path: &Path) -> SqliteReads {
    let options = options(path).read_only(true).pragma("query_only", "1");
    SqliteReads::new(
        SqlitePoolOptions::new().max_connections(READERS).test_before_acquire(false).connect_lazy_with(options),
    )
}

/// Applies the settings and reads them back.
async fn settle(connection: &mut SqliteConnection, path: &Path) -> Result<Durability, StoreError> {
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
