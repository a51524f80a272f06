//! Writes to the session rows: creating, taking over, parking.

use std::collections::{HashMap, HashSet};

use provost_domain::ids::{Digest, SessionId};
use provost_domain::port::{NewSession, Park, Parked, StoreError};
use provost_domain::time::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::bulk::Bulk;
use super::error::failed;
use super::inbox;
use super::job::{Asked, TakeOver, Taken};
use super::rows::{Columns, Sid, key, missing};
use super::session_row::{BY_ID, Stored, columns, decode};
use super::tx::{Then, Tx};
use crate::guards::Guards;
#[cfg(feature = "controls")]
use crate::guards::Removed;

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
        None | Some(Removed::Noting | Removed::AtRest | Removed::Claims) => &PARK,
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

/// The id of a row that starts like `columns!`.
fn id_of(row: &SqliteRow) -> Result<SessionId, sqlx::Error> {
    let mut columns = Columns::of("sessions", row);
    let id = columns.get::<Sid>().and_then(|_| columns.session());
    id.map_err(|error| sqlx::Error::Decode(error.into()))
}
