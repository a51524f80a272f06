//! Opening: lock file, pragmas read back, schema, version checks. Nothing that is wrong is ever overwritten.

use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use provost_domain::port::StoreError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, SqliteConnection};

use super::SqliteStore;
use super::reads::SqliteReads;
use super::rows::failed;
use super::writer::Writer;

/// Marks the file as ours (`PRAGMA application_id`): "Prov".
const APPLICATION_ID: i64 = 0x5072_6f76;
/// The schema this program writes (`PRAGMA user_version`).
const SCHEMA_VERSION: i64 = 1;
/// Before it, a WAL reset could corrupt a database.
const SQLITE_MIN: [u32; 3] = [3, 51, 3];
/// Readers beside the writer: enough for pages and lists, few file handles.
const READERS: u32 = 4;

const SCHEMA: &str = include_str!("schema.sql");

/// What a commit survives, as read back from SQLite after setting it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durability {
    /// `wal`.
    pub journal_mode: String,
    /// 2 = FULL.
    pub synchronous: i64,
    /// The library's version.
    pub sqlite_version: String,
}

impl SqliteStore {
    /// Opens the database for writing, creating file and folder when absent.
    ///
    /// # Errors
    /// Another process holds it, it is no database of ours, its schema is newer, or the storage fails.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        prepare_folder(path)?;
        let lock = lock(path)?;
        let options = options(path).create_if_missing(true);
        let mut writer = SqliteConnection::connect_with(&options).await.map_err(|e| unreadable(path, &e))?;
        check_identity(&mut writer, path).await?;
        let durability = read_back(&mut writer).await?;
        restrict(path)?;
        let reads = open_reads(path).await?;
        Ok(Self { writer: Arc::new(Writer::start(writer, lock, durability)), reads })
    }

    /// Opens the database for reading beside a running process.
    ///
    /// # Errors
    /// The file is missing or no database of ours.
    pub async fn open_read_only(path: &Path) -> Result<SqliteReads, StoreError> {
        if !path.exists() {
            let detail = format!("{} does not exist; run a session first or name the right store", path.display());
            return Err(StoreError::Failed { detail });
        }
        let mut probe =
            SqliteConnection::connect_with(&options(path).read_only(true)).await.map_err(|e| unreadable(path, &e))?;
        let (id, version) = identity(&mut probe).await.map_err(|e| unreadable(path, &e))?;
        require_ours(path, id, version)?;
        open_reads(path).await
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        .pragma("mmap_size", "0")
        .pragma("journal_size_limit", "67108864")
}

async fn open_reads(path: &Path) -> Result<SqliteReads, StoreError> {
    let options = options(path).pragma("query_only", "1");
    let pool = SqlitePoolOptions::new()
        .max_connections(READERS)
        .connect_with(options)
        .await
        .map_err(|e| unreadable(path, &e))?;
    Ok(SqliteReads::new(pool))
}

fn prepare_folder(path: &Path) -> Result<(), StoreError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|error| StoreError::Failed {
        detail: format!("{}: {error}; choose a folder this user can write", folder.display()),
    })?;
    refuse_network(folder)
}

/// Network filesystems break SQLite's locks: refused by the mount's type.
fn refuse_network(folder: &Path) -> Result<(), StoreError> {
    let Ok(mounts) = fs::read_to_string("/proc/self/mountinfo") else { return Ok(()) };
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let kind = mounts
        .lines()
        .filter_map(|line| {
            let point = line.split(' ').nth(4)?;
            let kind = line.split(" - ").nth(1)?.split(' ').next()?;
            folder.starts_with(point).then_some((point.len(), kind))
        })
        .max()
        .map(|(_, kind)| kind);
    match kind {
        Some(kind @ ("nfs" | "nfs4" | "cifs" | "smb3" | "9p" | "fuse.sshfs" | "ceph" | "glusterfs")) => {
            Err(StoreError::Failed {
                detail: format!(
                    "{} is on a network filesystem ({kind}); put the store on a local disk",
                    folder.display()
                ),
            })
        }
        Some(_) | None => Ok(()),
    }
}

/// Takes the lock file, or names who holds it.
fn lock(path: &Path) -> Result<File, StoreError> {
    let lock_path = PathBuf::from(format!("{}.lock", path.display()));
    let io = |error: std::io::Error| StoreError::Failed {
        detail: format!("{}: {error}; choose a folder this user can write", lock_path.display()),
    };
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&lock_path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let holder = file.read_to_string(&mut holder).map(|_| holder.trim().to_owned()).unwrap_or_default();
            let detail = format!(
                "{} is held by another process (pid {holder}); stop it, or use that process instead",
                path.display()
            );
            return Err(StoreError::Failed { detail });
        }
        Err(TryLockError::Error(error)) => return Err(io(error)),
    }
    file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id())).map_err(io)?;
    Ok(file)
}

/// Keeps other users out.
fn restrict(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        .map_err(|error| StoreError::Failed { detail: format!("{}: {error}", path.display()) })
}

async fn identity(connection: &mut SqliteConnection) -> Result<(i64, i64), sqlx::Error> {
    let (id,): (i64,) = sqlx::query_as("PRAGMA application_id").fetch_one(&mut *connection).await?;
    let (version,): (i64,) = sqlx::query_as("PRAGMA user_version").fetch_one(&mut *connection).await?;
    Ok((id, version))
}

fn require_ours(path: &Path, id: i64, version: i64) -> Result<(), StoreError> {
    if id != APPLICATION_ID {
        let detail = format!("{} is not a provost store; name another file", path.display());
        return Err(StoreError::Damaged { detail });
    }
    if version > SCHEMA_VERSION {
        let detail = format!(
            "{} has schema {version}, this program knows {SCHEMA_VERSION}; run the newer provost that wrote it",
            path.display()
        );
        return Err(StoreError::Failed { detail });
    }
    Ok(())
}

/// An empty file becomes a store; anything else must be one of ours.
async fn check_identity(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let (id, version) = identity(connection).await.map_err(|e| unreadable(path, &e))?;
    let (tables,): (i64,) = sqlx::query_as("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut *connection)
        .await
        .map_err(|e| unreadable(path, &e))?;
    if tables > 0 {
        return require_ours(path, id, version);
    }
    let mut transaction = connection.begin().await.map_err(|e| failed(&e))?;
    sqlx::raw_sql(SCHEMA).execute(&mut *transaction).await.map_err(|e| failed(&e))?;
    sqlx::raw_sql("PRAGMA application_id = 1349676918; PRAGMA user_version = 1;")
        .execute(&mut *transaction)
        .await
        .map_err(|e| failed(&e))?;
    transaction.commit().await.map_err(|e| failed(&e))
}

/// Reads the settings back: an unknown word silently means a weaker one.
async fn read_back(connection: &mut SqliteConnection) -> Result<Durability, StoreError> {
    let (journal_mode,): (String,) =
        sqlx::query_as("PRAGMA journal_mode").fetch_one(&mut *connection).await.map_err(|e| failed(&e))?;
    let (synchronous,): (i64,) =
        sqlx::query_as("PRAGMA synchronous").fetch_one(&mut *connection).await.map_err(|e| failed(&e))?;
    let (sqlite_version,): (String,) =
        sqlx::query_as("SELECT sqlite_version()").fetch_one(&mut *connection).await.map_err(|e| failed(&e))?;
    if journal_mode != "wal" || synchronous != 2 {
        let detail =
            format!("journal_mode={journal_mode}, synchronous={synchronous} where wal and 2 (FULL) are needed");
        return Err(StoreError::Failed { detail });
    }
    let parts: Vec<u32> = sqlite_version.split('.').filter_map(|part| u32::from_str(part).ok()).collect();
    if parts.as_slice() < SQLITE_MIN.as_slice() {
        let detail = format!("SQLite {sqlite_version} can corrupt a database in WAL mode; 3.51.3 or newer is needed");
        return Err(StoreError::Failed { detail });
    }
    Ok(Durability { journal_mode, synchronous, sqlite_version })
}

fn unreadable(path: &Path, error: &sqlx::Error) -> StoreError {
    let text = error.to_string();
    if text.contains("not a database") || text.contains("malformed") {
        return StoreError::Damaged { detail: format!("{}: {text}", path.display()) };
    }
    StoreError::Failed { detail: format!("{}: {text}; check the path, its rights and the disk", path.display()) }
}
