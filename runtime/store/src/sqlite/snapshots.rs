//! The last bounded header of each session.

use provost_domain::ids::{Seq, SessionId};
use provost_domain::port::{Snapshot, StoreError};
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqlitePool};

use super::bulk::Bulk;
use super::error::failed;
use super::held::Held;
use super::rows::{Columns, Sid, key};
use super::tx::{Then, Tx};

pub(super) static UPSERT: Bulk = Bulk::new(
    "INSERT INTO snapshots (sid, seq, hash, header) SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL \
     ON CONFLICT (sid) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, header = excluded.header",
    4,
);
pub(super) const SELECT: &str = "SELECT seq, hash, header FROM snapshots WHERE sid = ?1";
pub(super) const SELECT_OF: &str =
    "SELECT seq, hash, header FROM snapshots WHERE sid = (SELECT sid FROM sessions WHERE id = ?1)";

pub(super) async fn write(tx: &mut Tx<'_>, held: &[Held<'_>]) -> Result<(), sqlx::Error> {
    let snapshots: Vec<(Sid, &Snapshot)> =
        held.iter().filter_map(|held| held.append.snapshot.as_ref().map(|snapshot| (held.sid, snapshot))).collect();
    upsert(tx, &snapshots).await
}

/// Outside of an append.
pub(super) async fn write_one(tx: &mut Tx<'_>, sid: Sid, snapshot: &Snapshot) -> Result<(), sqlx::Error> {
    upsert(tx, &[(sid, snapshot)]).await
}

async fn upsert(tx: &mut Tx<'_>, snapshots: &[(Sid, &Snapshot)]) -> Result<(), sqlx::Error> {
    let rows = tx.run(&UPSERT, snapshots, Then::More, |values, (sid, snapshot)| {
        values.add(*sid).count(snapshot.seq.0);
        values.add(snapshot.hash.as_bytes().to_vec()).add(snapshot.header.as_slice());
    });
    rows.await.map(drop)
}

pub(super) async fn of(pool: &SqlitePool, id: SessionId) -> Result<Option<Snapshot>, StoreError> {
    let query = sqlx::query(SELECT_OF).bind(key(&id));
    query.fetch_optional(pool).await.map_err(|error| failed(&error))?.as_ref().map(decode).transpose()
}

pub(super) async fn read(connection: &mut SqliteConnection, sid: Sid) -> Result<Option<Snapshot>, StoreError> {
    let query = sqlx::query(SELECT).bind(sid);
    query.fetch_optional(connection).await.map_err(|error| failed(&error))?.as_ref().map(decode).transpose()
}

fn decode(row: &SqliteRow) -> Result<Snapshot, StoreError> {
    let mut columns = Columns::of("snapshots", row);
    Ok(Snapshot { seq: Seq(columns.count()?), hash: columns.digest()?, header: columns.get()? })
}
