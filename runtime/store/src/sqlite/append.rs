//! Appends of a batch. One conditional update of the session rows is the authority: it tells which appends still hold
//! their session, and only those are written.

use std::collections::{HashMap, HashSet};

use provost_domain::attention::is_news;
use provost_domain::ids::{Seq, SessionId};
use provost_domain::log::AppendRecord;
use provost_domain::port::{Append, Appended, StoreError};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::bulk::{Bulk, Values};
use super::error::failed;
use super::held::Held;
use super::job::Asked;
use super::rows::{Columns, Sid, key, missing};
use super::tx::{Then, Tx};

use super::{approvals, attention, claims, contents, inbox, snapshots};
use crate::check::head_after;
use crate::guards::Guards;

macro_rules! hold {
    ($owner:literal) => {
        concat!(
            "UPDATE sessions SET head_seq = v.column6, head_hash = coalesce(v.column7, head_hash), \
               status = v.column8, ended = v.column9, \
               progress_at = iif(v.column7 IS NULL, progress_at, v.column10), \
               takeovers = iif(v.column11, 0, takeovers) \
             FROM (VALUES {rows}) AS v WHERE sessions.id = v.column1 ",
            $owner,
            " AND sessions.head_seq = v.column4 AND sessions.head_hash = coalesce(v.column5, sessions.head_hash) \
             RETURNING id, sid"
        )
    };
}

/// Without a record head, hash and progress stay as they are.
pub(super) static HOLD: Bulk = Bulk::new(hold!("AND sessions.fence = v.column2 AND sessions.owner = v.column3"), 11);
#[cfg(feature = "controls")]
pub(super) static HOLD_UNFENCED: Bulk = Bulk::new(hold!(""), 11);
pub(super) static INSERT: Bulk = Bulk::new(
    "INSERT INTO appends (sid, first_seq, last_seq, fence, cmd_id, at, kinds, payload, salt, digest, prev, hash) \
     SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL",
    12,
);
/// An append that is only a record and makes progress, in one trip: what the update took now ends in the record's hash
/// and does not have the record yet. (A record sent again is the head already, but has its row.)
pub(super) static RECORDS: Bulk = Bulk::pair(
    "UPDATE sessions SET head_seq = v.column6, head_hash = v.column7, status = v.column8, progress_at = v.column9, \
       ended = 0, takeovers = 0 \
     FROM (VALUES {rows}) AS v \
     WHERE sessions.id = v.column1 AND sessions.fence = v.column2 AND sessions.owner = v.column3 \
       AND sessions.head_seq = v.column4 AND sessions.head_hash = v.column5 \
     RETURNING id, sid; \
     INSERT INTO appends (sid, first_seq, last_seq, fence, cmd_id, at, kinds, payload, salt, digest, prev, hash) \
     SELECT s.sid, v.column2, v.column3, v.column4, v.column5, v.column6, v.column7, v.column8, v.column9, v.column10, \
       v.column11, v.column12 \
     FROM (VALUES {more}) AS v CROSS JOIN sessions AS s \
     WHERE s.id = v.column1 AND s.fence = v.column4 AND s.owner = v.column13 AND s.head_hash = v.column12 \
       AND NOT EXISTS (SELECT 1 FROM appends AS a WHERE a.sid = s.sid AND a.cmd_id = v.column5 AND a.hash = v.column12)",
    9,
    13,
);
/// A session that is given up has no owner.
pub(super) static RELEASE: Bulk =
    Bulk::new("UPDATE sessions SET owner = NULL FROM (VALUES {rows}) AS v WHERE sessions.sid = v.column1", 1);
/// Why an append did not hold its session.
pub(super) const DIAGNOSE: &str = "SELECT sessions.fence, sessions.owner, appends.last_seq \
     FROM sessions LEFT JOIN appends ON appends.sid = sessions.sid AND appends.cmd_id = ?2 AND appends.hash = ?3 \
     WHERE sessions.id = ?1";

/// Writes the appends that hold their sessions and returns which those are.
pub(super) async fn write(tx: &mut Tx<'_>, appends: &[&Append], then: Then) -> Result<HashSet<SessionId>, sqlx::Error> {
    let records: Option<Vec<Record<'_>>> = appends.iter().map(|append| Record::only(append)).collect();
    if let Some(records) = records.filter(|_| tx.guards.fence()) {
        return write_records(tx, &records, then).await;
    }
    let sids = hold(tx, appends).await?;
    let one = |append: &&'_ Append| sids.get(&append.session).copied();
    let held: Vec<Held<'_>> = appends.iter().filter_map(|append| Some(Held { sid: one(append)?, append })).collect();
    contents::write(tx, &held).await?;
    claims::write(tx, &held).await?;
    approvals::write(tx, &held).await?;
    attention::mark(tx, &held).await?;
    snapshots::write(tx, &held).await?;
    inbox::settle(tx, &held).await?;
    release(tx, &held).await?;
    insert(tx, &held, then).await?;
    Ok(sids.into_keys().collect())
}

/// Writes the records of sessions at rest and what is derived from them, inside another's transaction.
pub(super) async fn write_held(tx: &mut Tx<'_>, held: &[Held<'_>]) -> Result<(), sqlx::Error> {
    contents::write(tx, held).await?;
    approvals::write(tx, held).await?;
    insert(tx, held, Then::More).await
}

/// An append that is only a record, and no news for people.
struct Record<'a> {
    append: &'a Append,
    record: &'a AppendRecord,
}

impl<'a> Record<'a> {
    fn only(append: &'a Append) -> Option<Self> {
        let Append { record, snapshot, contents, approvals, claims, acks, ended, release, progress, .. } = append;
        let plain =
            contents.is_empty() && approvals.is_empty() && claims.is_empty() && acks.is_empty() && snapshot.is_none();
        let plain = plain && *progress && !*ended && !*release;
        let record = record.as_ref().filter(|record| plain && !is_news(&record.header.kinds))?;
        Some(Self { append, record })
    }
}

async fn write_records(tx: &mut Tx<'_>, records: &[Record<'_>], then: Then) -> Result<HashSet<SessionId>, sqlx::Error> {
    let hold = |values: &mut Values, Record { append, record }: &Record<'_>| {
        values.add(key(&append.session)).count(append.fence.0).add(append.owner.as_str());
        values.count(append.expected_seq.0).add(record.prev.as_bytes().to_vec());
        values.count(record.header.last_seq.0).add(record.hash.as_bytes().to_vec());
        values.add(append.status.as_str()).add(append.at.micros());
    };
    let insert = |values: &mut Values, Record { append, record }: &Record<'_>| {
        values.add(key(&append.session));
        bind_record(values, record);
        values.add(append.owner.as_str());
    };
    let rows = tx.run_pair(&RECORDS, records, then, (hold, insert));
    Ok(held(&rows.await?)?.into_keys().collect())
}

/// The sessions that an update took, by id.
fn held(rows: &[SqliteRow]) -> Result<HashMap<SessionId, Sid>, sqlx::Error> {
    let decode = |row| {
        let mut columns = Columns::of("sessions", row);
        Ok((columns.session()?, columns.get()?))
    };
    rows.iter().map(decode).collect::<Result<_, StoreError>>().map_err(|error| sqlx::Error::Decode(error.into()))
}

/// What came of each append, once the transaction is durable.
pub(super) async fn explain(
    connection: &mut SqliteConnection,
    asked: &[Asked<Box<Append>, Appended>],
    held: &HashSet<SessionId>,
) -> Vec<Result<Appended, StoreError>> {
    let mut results = Vec::with_capacity(asked.len());
    for Asked { request, .. } in asked {
        results.push(if held.contains(&request.session) {
            Ok(Appended { head_seq: head_after(request) })
        } else {
            diagnose(connection, request).await
        });
    }
    results
}

#[cfg(feature = "controls")]
fn holding(guards: Guards) -> &'static Bulk {
    if guards.fence() { &HOLD } else { &HOLD_UNFENCED }
}

#[cfg(not(feature = "controls"))]
fn holding(_: Guards) -> &'static Bulk {
    &HOLD
}

async fn hold(tx: &mut Tx<'_>, appends: &[&Append]) -> Result<HashMap<SessionId, Sid>, sqlx::Error> {
    let rows = tx
        .run(holding(tx.guards), appends, Then::More, |values, request| {
            let record = request.record.as_ref();
            values.add(key(&request.session)).count(request.fence.0).add(request.owner.as_str());
            values.count(request.expected_seq.0).add(record.map(|record| record.prev.as_bytes().to_vec()));
            values.count(head_after(request).0).add(record.map(|record| record.hash.as_bytes().to_vec()));
            values.add(request.status.as_str()).add(request.ended).add(request.at.micros()).add(request.progress);
        })
        .await?;
    held(&rows)
}

async fn insert(tx: &mut Tx<'_>, held: &[Held<'_>], then: Then) -> Result<(), sqlx::Error> {
    let records: Vec<(Sid, &AppendRecord)> =
        held.iter().filter_map(|held| held.append.record.as_ref().map(|record| (held.sid, record))).collect();
    let rows = tx.run(&INSERT, &records, then, |values, (sid, record)| {
        values.add(*sid);
        bind_record(values, record);
    });
    rows.await.map(drop)
}

/// From `first_seq` to `hash`.
fn bind_record(values: &mut Values, record: &AppendRecord) {
    let header = &record.header;
    values.count(header.first_seq.0).count(header.last_seq.0).count(header.fence.0);
    values.add(header.cmd_id.as_str()).add(header.at.micros()).add(header.kinds.as_str());
    values.add(record.payload.as_deref()).add(record.salt.map(Vec::from));
    values.add(record.digest.as_bytes().to_vec()).add(record.prev.as_bytes().to_vec());
    values.add(record.hash.as_bytes().to_vec());
}

async fn release(tx: &mut Tx<'_>, held: &[Held<'_>]) -> Result<(), sqlx::Error> {
    let released: Vec<Sid> = held.iter().filter(|held| held.append.release).map(|held| held.sid).collect();
    tx.over(&RELEASE, &released, Then::More).await.map(drop)
}

/// Written before (then it is done), fenced, or stale.
async fn diagnose(connection: &mut SqliteConnection, append: &Append) -> Result<Appended, StoreError> {
    let record = append.record.as_ref();
    let query = sqlx::query(DIAGNOSE)
        .bind(key(&append.session))
        .bind(record.map(|record| record.header.cmd_id.as_str().to_owned()))
        .bind(record.map(|record| record.hash.as_bytes().to_vec()));
    let row = query.fetch_optional(connection).await.map_err(|error| failed(&error))?;
    let row = row.ok_or_else(|| missing(append.session))?;
    let mut columns = Columns::of("sessions", &row);
    let (fence, owner) = (columns.count()?, columns.get::<Option<String>>()?);
    if let Some(last) = columns.maybe_count()? {
        return Ok(Appended { head_seq: Seq(last) });
    }
    let held = fence == append.fence.0 && owner.as_deref() == Some(append.owner.as_str());
    Err(if held { StoreError::Stale } else { StoreError::Fenced })
}
