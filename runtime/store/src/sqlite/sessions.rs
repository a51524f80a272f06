//! The session rows: creating, taking over, parking, finding.

use std::collections::{HashMap, HashSet};

use provost_domain::ids::{Digest, Fence, Handle, Owner, Seq, SessionId};
use provost_domain::port::{Claimed, InboxEntry, NewSession, Park, Parked, SessionFilter, SessionRow, StoreError};
use provost_domain::time::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqlitePool};

use super::bulk::Bulk;
use super::error::failed;
use super::inbox;
use super::rows::{Columns, Sid, key, missing};
use super::tx::{Then, Tx};
use super::writer::{Asked, TakeOver};
use crate::guards::Guards;
#[cfg(feature = "controls")]
use crate::guards::Removed;

macro_rules! columns {
    () => {
        "sid, id, handle, pack, pack_digest, status, ended, title, head_seq, head_hash, fence, owner, wake_seq, \
         next_run_at, progress_at, takeovers, created_at, erased_at, read_seq"
    };
}

macro_rules! park {
    ($set:literal, $guard:literal) => {
        concat!(
            "UPDATE sessions SET ",
            $set,
            "owner = NULL, next_run_at = v.column5, takeovers = 0 FROM (VALUES {rows}) AS v \
             WHERE sessions.id = v.column1 ",
            $guard,
            " RETURNING id"
        )
    };
}

pub(super) static INSERT: Bulk = Bulk::new(
    "INSERT INTO sessions (id, handle, pack, pack_digest, status, ended, title, head_seq, head_hash, fence, wake_seq, \
       read_seq, progress_at, takeovers, created_at, owner) \
     SELECT column1, column2, column3, column4, 'new', 0, column5, 0, column6, column8, 0, 0, column7, 0, column7, \
       column9 \
     FROM (VALUES {rows}) WHERE column1 IS NOT NULL",
    9,
);
pub(super) static TAKE_OVER: Bulk = Bulk::new(
    concat!(
        "UPDATE sessions SET fence = fence + 1, owner = v.column2, next_run_at = NULL, \
           takeovers = takeovers + (owner IS NOT NULL AND owner <> v.column2) \
         FROM (VALUES {rows}) AS v WHERE sessions.id = v.column1 AND sessions.erased_at IS NULL RETURNING ",
        columns!()
    ),
    2,
);
pub(super) static PARK: Bulk = Bulk::new(
    park!("", "AND sessions.fence = v.column2 AND sessions.owner = v.column3 AND sessions.wake_seq = v.column4"),
    5,
);
#[cfg(feature = "controls")]
pub(super) static PARK_UNFENCED: Bulk = Bulk::new(park!("", "AND sessions.wake_seq = v.column4"), 5);
#[cfg(feature = "controls")]
pub(super) static PARK_UNSEEN: Bulk =
    Bulk::new(park!("read_seq = wake_seq, ", "AND sessions.fence = v.column2 AND sessions.owner = v.column3"), 5);
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

/// A session just taken over, its log not yet read.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) stored: Stored,
    pub(super) inbox: Vec<InboxEntry>,
}

/// Inserts the rows. A session that has a first append is its owner's from the start.
pub(super) async fn create(tx: &mut Tx<'_>, asked: &[Asked<NewSession, ()>], then: Then) -> Result<(), sqlx::Error> {
    let rows = tx.run(&INSERT, asked, then, |values, Asked { request: new, .. }| {
        values.add(key(&new.id)).add(new.handle.as_str()).add(new.pack.as_str());
        values.add(new.pack_digest.as_bytes().to_vec()).add(new.title.as_str());
        values.add(Digest::default().as_bytes().to_vec()).add(new.at.micros());
        values.count(new.first.as_ref().map_or(0, |first| first.fence.0));
        values.add(new.first.as_ref().map(|first| first.owner.as_str().to_owned()));
    });
    rows.await.map(drop)
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

/// Raises the fences, sets the owners, and returns the rows.
pub(super) async fn take_over(
    tx: &mut Tx<'_>,
    asked: &[Asked<TakeOver, Taken>],
    then: Then,
) -> Result<HashMap<SessionId, Result<Stored, StoreError>>, sqlx::Error> {
    let rows = tx.run(&TAKE_OVER, asked, then, |values, Asked { request, .. }| {
        values.add(key(&request.session)).add(request.owner.as_str());
    });
    rows.await?.iter().map(|row| Ok((id_of(row)?, decode(row)))).collect()
}

/// What came of each takeover, once the transaction is durable: the rows with their unread commands, which may be newer
/// than the row's `wake_seq`; then parking finds out.
pub(super) async fn explain_takeovers(
    connection: &mut SqliteConnection,
    asked: &[Asked<TakeOver, Taken>],
    mut taken: HashMap<SessionId, Result<Stored, StoreError>>,
) -> Vec<Result<Taken, StoreError>> {
    let unread: Vec<Sid> = taken.values().flatten().filter(|stored| stored.unread).map(|stored| stored.sid).collect();
    let mut inboxes = inbox::unread(connection, &unread).await.map_err(|error| failed(&error));
    let mut one = |stored: Stored| {
        let inboxes = inboxes.as_mut().map_err(|error| error.clone())?;
        let inbox = inboxes.remove(&stored.sid).unwrap_or_else(|| Ok(Vec::new()))?;
        Ok(Taken { stored, inbox })
    };
    let mut results = Vec::with_capacity(asked.len());
    for Asked { request: TakeOver { session, .. }, .. } in asked {
        results.push(match taken.remove(session) {
            Some(stored) => stored.and_then(&mut one),
            None => Err(untaken(connection, *session).await),
        });
    }
    results
}

/// Why a session was not taken over: it is not there, or was erased.
async fn untaken(connection: &mut SqliteConnection, session: SessionId) -> StoreError {
    match sqlx::query(BY_ID).bind(key(&session)).fetch_optional(connection).await {
        Ok(Some(_)) => StoreError::Erased { session },
        Ok(None) => missing(session),
        Err(error) => failed(&error),
    }
}

#[cfg(feature = "controls")]
fn parking(guards: Guards) -> &'static Bulk {
    match guards.removed {
        None | Some(Removed::Noting | Removed::AtRest) => &PARK,
        Some(Removed::Fence) => &PARK_UNFENCED,
        Some(Removed::WakeSeq) => &PARK_UNSEEN,
    }
}

#[cfg(not(feature = "controls"))]
fn parking(_: Guards) -> &'static Bulk {
    &PARK
}

/// Gives up the sessions whose `wake_seq` is the one their owner saw, and returns which those are.
pub(super) async fn park(
    tx: &mut Tx<'_>,
    asked: &[Asked<Park, Parked>],
    then: Then,
) -> Result<HashSet<SessionId>, sqlx::Error> {
    let rows = tx.run(parking(tx.guards), asked, then, |values, Asked { request, .. }| {
        values.add(key(&request.session)).count(request.fence.0).add(request.owner.as_str());
        values.count(request.wake_seq).add(request.next_run_at.map(Timestamp::micros));
    });
    let parked: Result<_, _> = rows.await?.iter().map(|row| Columns::of("sessions", row).session()).collect();
    parked.map_err(|error| sqlx::Error::Decode(error.into()))
}

/// What came of each parking, once the transaction is durable.
pub(super) async fn explain_parks(
    connection: &mut SqliteConnection,
    asked: &[Asked<Park, Parked>],
    parked: &HashSet<SessionId>,
) -> Vec<Result<Parked, StoreError>> {
    let mut results = Vec::with_capacity(asked.len());
    for Asked { request, .. } in asked {
        results.push(if parked.contains(&request.session) {
            Ok(Parked::Parked)
        } else {
            kept(connection, request).await
        });
    }
    results
}

/// Why a session was not parked: held by another, or woken meanwhile.
async fn kept(connection: &mut SqliteConnection, park: &Park) -> Result<Parked, StoreError> {
    let query = sqlx::query(BY_ID).bind(key(&park.session));
    let row = query.fetch_optional(&mut *connection).await.map_err(|error| failed(&error))?;
    let stored = decode(&row.ok_or_else(|| missing(park.session))?)?;
    if stored.row.fence != park.fence || stored.row.owner.as_ref() != Some(&park.owner) {
        return Err(StoreError::Fenced);
    }
    let mut inbox = inbox::unread(connection, &[stored.sid]).await.map_err(|error| failed(&error))?;
    let inbox = inbox.remove(&stored.sid).unwrap_or_else(|| Ok(Vec::new()))?;
    Ok(Parked::Woken { inbox, wake_seq: stored.row.wake_seq })
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
        .bind(filter.status.as_deref())
        .bind(filter.pack.as_deref())
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

/// The id of a row that starts like `columns!`.
fn id_of(row: &SqliteRow) -> Result<SessionId, sqlx::Error> {
    let mut columns = Columns::of("sessions", row);
    let id = columns.get::<Sid>().and_then(|_| columns.session());
    id.map_err(|error| sqlx::Error::Decode(error.into()))
}

pub(super) fn decode(row: &SqliteRow) -> Result<Stored, StoreError> {
    let mut columns = Columns::of("sessions", row);
    let sid = columns.get()?;
    let row = SessionRow {
        id: columns.session()?,
        handle: Handle::new(columns.get::<String>()?),
        pack: columns.get()?,
        pack_digest: columns.digest()?,
        status: columns.get()?,
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
