//! The session rows as they are read: one, by handle, in lists, and those that wait for an owner.

use provost_domain::ids::{Fence, Handle, Owner, PackName, Seq, SessionId};
use provost_domain::port::{Claimed, SessionFilter, SessionRow, StoreError};
use provost_domain::status::Status;
use provost_domain::time::Timestamp;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;

use super::error::failed;
use super::rows::{Columns, Sid, key, missing};

macro_rules! columns {
    () => {
        "sid, id, handle, pack, pack_digest, status, ended, title, head_seq, head_hash, fence, owner, wake_seq, \
         next_run_at, progress_at, takeovers, created_at, erased_at, read_seq"
    };
}
pub(super) use columns;

pub(super) const BY_ID: &str = concat!("SELECT ", columns!(), " FROM sessions WHERE id = ?1");
pub(super) const BY_SID: &str = concat!("SELECT ", columns!(), " FROM sessions WHERE sid = ?1");
pub(super) const LAST_HANDLE: &str = "SELECT handle FROM sessions WHERE handle > ?1 AND handle < ?2 \
     ORDER BY length(handle) DESC, handle DESC LIMIT 1";
pub(super) const BY_HANDLE: &str = "SELECT id FROM sessions WHERE handle = ?1";
pub(super) const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sessions WHERE id < ?1 AND (?2 IS NULL OR status = ?2) AND (?3 IS NULL OR pack = ?3) \
     ORDER BY id DESC LIMIT ?4"
);
/// Held by another incarnation (which is dead: this process holds the lock), unread, due, or left in the middle of its
/// run. Each arm reads an index that holds little else.
pub(super) const RUNNABLE: &str = "SELECT id FROM sessions WHERE owner < ?1 \
     UNION SELECT id FROM sessions WHERE owner > ?1 \
     UNION SELECT id FROM sessions WHERE owner IS NULL AND wake_seq > read_seq \
     UNION SELECT id FROM sessions WHERE owner IS NULL AND next_run_at <= ?2 \
     UNION SELECT id FROM sessions \
       WHERE owner IS NULL AND next_run_at IS NULL AND ended = 0 AND status = 'in_progress' \
     LIMIT ?3";
/// Above every id.
const NO_CURSOR: [u8; 17] = [0xff; 17];

/// A session's row with what only this database knows of it.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) sid: Sid,
    pub(super) row: SessionRow,
    pub(super) unread: bool,
}

/// The last number stored of a prefix and day, 0 before the first.
pub(super) async fn last_number(pool: &SqlitePool, prefix: &str, day: &str) -> Result<u64, StoreError> {
    // Everything that begins with `PREFIX-DAY-`: `.` is the sign after `-`.
    let (from, to) = (format!("{prefix}-{day}-"), format!("{prefix}-{day}."));
    let row = sqlx::query(LAST_HANDLE).bind(&from).bind(to).fetch_optional(pool).await;
    let Some(row) = row.map_err(|error| failed(&error))? else { return Ok(0) };
    let mut columns = Columns::of("sessions", &row);
    let handle: String = columns.get()?;
    let number = handle.strip_prefix(&from).unwrap_or_default().parse::<u64>();
    number.map_err(|error| columns.wrong(&error))
}

pub(super) async fn read(pool: &SqlitePool, id: SessionId) -> Result<SessionRow, StoreError> {
    let row = sqlx::query(BY_ID).bind(key(&id)).fetch_optional(pool).await.map_err(|error| failed(&error))?;
    decode(&row.ok_or_else(|| missing(id))?).map(|stored| stored.row)
}

pub(super) async fn by_handle(pool: &SqlitePool, handle: &Handle) -> Result<SessionId, StoreError> {
    let query = sqlx::query(BY_HANDLE).bind(handle.as_str());
    let row = query.fetch_optional(pool).await.map_err(|error| failed(&error))?;
    let row = row.ok_or_else(|| StoreError::Missing { what: "session", id: handle.to_string() })?;
    Columns::of("sessions", &row).session()
}

pub(super) async fn list(pool: &SqlitePool, filter: &SessionFilter, limit: i64) -> Result<Vec<SessionRow>, StoreError> {
    let query = sqlx::query(LIST)
        .bind(filter.before.map_or_else(|| NO_CURSOR.to_vec(), |before| key(&before)))
        .bind(filter.status.as_ref().map(Status::as_str))
        .bind(filter.pack.as_ref().map(PackName::as_str))
        .bind(limit);
    let rows = query.fetch_all(pool).await.map_err(|error| failed(&error))?;
    rows.iter().map(|row| decode(row).map(|stored| stored.row)).collect()
}

pub(super) async fn runnable(
    pool: &SqlitePool,
    owner: &Owner,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Claimed>, StoreError> {
    let query = sqlx::query(RUNNABLE).bind(owner.as_str()).bind(now.micros()).bind(limit);
    let rows = query.fetch_all(pool).await.map_err(|error| failed(&error))?;
    rows.iter().map(|row| Ok(Claimed { session: Columns::of("sessions", row).session()? })).collect()
}

pub(super) fn decode(row: &SqliteRow) -> Result<Stored, StoreError> {
    let mut columns = Columns::of("sessions", row);
    let sid = columns.get()?;
    let row = SessionRow {
        id: columns.session()?,
        handle: Handle::new(columns.get::<String>()?),
        pack: PackName::new(columns.get::<String>()?),
        pack_digest: columns.digest()?,
        status: Status::of_word(columns.get()?),
        ended: columns.get()?,
        title: columns.get()?,
        head_seq: Seq(columns.count()?),
        head_hash: columns.digest()?,
        fence: Fence(columns.count()?),
        owner: columns.get::<Option<String>>()?.map(Owner::new),
        wake_seq: columns.count()?,
        next_run_at: columns.maybe_time()?,
        progress_at: columns.time()?,
        takeovers: u32::try_from(columns.count()?).map_err(|error| columns.wrong(&error))?,
        created_at: columns.time()?,
        erased_at: columns.maybe_time()?,
    };
    let unread = row.wake_seq > columns.count()?;
    Ok(Stored { sid, row, unread })
}
