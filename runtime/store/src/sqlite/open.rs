//! Opening: place, identity, settings, schema. Nothing that is wrong is ever written over.

use std::path::Path;

use provost_domain::port::StoreError;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};

use super::error::{failed_at, unreadable_at};
use super::place::{self, Place};
use super::reads::SqliteReads;
use super::settings::{self, Durability, settle};
use super::store::SqliteStore;
use super::watch::FileWatch;
use super::writer::Writer;
use super::{ahead, schema};
use crate::options::OpenOptions;

/// Connections that read beside the writer: enough for pages and lists, few threads and file handles.
const READERS: u32 = 4;

impl SqliteStore {
    /// Opens the database for writing, creating file and folder when absent, and holds it until closed.
    ///
    /// # Errors
    /// Another process holds it, it is not a database of Provost, its schema is newer, it lies on a network filesystem, or the
    /// storage fails. In each case the file is as it was.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_within(path, OpenOptions::default()).await
    }

    /// Like [`Self::open`], within options.
    ///
    /// # Errors
    /// See [`Self::open`].
    pub async fn open_within(path: &Path, options: OpenOptions) -> Result<Self, StoreError> {
        let Writable { mut connection, place, durability } = Writable::open(path, options).await?;
        let path = &place.path;
        if let Some(pages) = options.max_pages {
            let sql = AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
            sqlx::raw_sql(sql).execute(&mut connection).await.map_err(|error| failed_at(path, &error))?;
        }
        let reads = readers(path);
        let watch = FileWatch::new(path, place.locks.inode());
        let writer = Writer::start(connection, watch, place.locks, options.guards());
        Ok(Self::new(writer, reads, durability))
    }

    /// Opens the database for reading, also beside a process that holds it.
    ///
    /// # Errors
    /// The file is missing, is not a database of Provost, or has another schema.
    pub async fn open_read_only(path: &Path) -> Result<SqliteReads, StoreError> {
        place::require_file(path)?;
        ahead::check_unlocked(path)?;
        let failed = |error| unreadable_at(path, &error);
        let mut probe = settings::options(path).read_only(true).connect().await.map_err(failed)?;
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
    pub(super) async fn open(path: &Path, options: OpenOptions) -> Result<Self, StoreError> {
        let place = place::claim(path, options.alone())?;
        let path = &place.path;
        ahead::check(path, place.same_boot)?;
        let mut connection = settings::options(path).connect().await.map_err(|error| failed_at(path, &error))?;
        let version = schema::version(&mut connection, path).await?;
        let durability = settle(&mut connection, path).await?;
        schema::migrate(&mut connection, path, version).await?;
        Ok(Self { connection, place, durability })
    }
}

/// Connects when first asked.
fn readers(path: &Path) -> SqliteReads {
    let options = settings::options(path).read_only(true).pragma("query_only", "1");
    let pool = SqlitePoolOptions::new().max_connections(READERS).test_before_acquire(false).connect_lazy_with(options);
    SqliteReads::new(pool, path)
}
