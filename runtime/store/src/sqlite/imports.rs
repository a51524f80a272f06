//! Sessions that another store wrote: each with its whole log, in the transaction of its batch.

use std::collections::{HashMap, HashSet};

use provost_domain::ids::{Owner, SessionId};
use provost_domain::port::{Append, ClaimChanges, ImportAnswer, ImportedSession, StoreError};
use sqlx::SqliteConnection;

use super::bulk::Bulk;
use super::error::failed;
use super::held::Held;
use super::job::Asked;
use super::rows::{Columns, Sid, key};
use super::tx::{Then, Tx};
use super::{append, claims, snapshots};

pub(super) static INSERT: Bulk = Bulk::new(
    "INSERT INTO sessions (id, handle, pack, pack_digest, status, ended, title, head_seq, head_hash, fence, wake_seq, \
       read_seq, progress_at, takeovers, created_at) \
     SELECT column1, column2, column3, column4, column5, column6, column7, column8, column9, column10, 0, 0, column11, 0, \
       column12 \
     FROM (VALUES {rows}) WHERE column1 IS NOT NULL ON CONFLICT DO NOTHING RETURNING id, sid",
    12,
);
/// What keeps a session out: one of its id, or else of its handle.
pub(super) const FIND: &str = "SELECT id FROM sessions WHERE id = ?1 OR handle = ?2 ORDER BY id <> ?1 LIMIT 1";

/// Stores the sessions that nothing keeps out, and returns which those are.
pub(super) async fn write(
    tx: &mut Tx<'_>,
    asked: &[Asked<Box<ImportedSession>, ImportAnswer>],
) -> Result<HashSet<SessionId>, sqlx::Error> {
    let rows = tx.run(&INSERT, asked, Then::More, |values, Asked { request, .. }| {
        let row = &request.row;
        values.add(key(&row.id)).add(row.handle.as_str()).add(row.pack.as_str());
        values.add(row.pack_digest.as_bytes().to_vec()).add(row.status.as_str()).add(row.ended);
        values.add(row.title.as_str()).count(row.head_seq.0).add(row.head_hash.as_bytes().to_vec());
        values.count(row.fence.0).add(row.progress_at.micros()).add(row.created_at.micros());
    });
    let decode = |row| {
        let mut columns = Columns::of("sessions", row);
        Ok((columns.session()?, columns.get()?))
    };
    let sids: Result<HashMap<SessionId, Sid>, StoreError> = rows.await?.iter().map(decode).collect();
    let sids = sids.map_err(|error| sqlx::Error::Decode(error.into()))?;
    for Asked { request, .. } in asked {
        if let Some(sid) = sids.get(&request.row.id) {
            fill(tx, *sid, request).await?;
        }
    }
    Ok(sids.into_keys().collect())
}

/// The log and what is derived from it.
async fn fill(tx: &mut Tx<'_>, sid: Sid, session: &ImportedSession) -> Result<(), sqlx::Error> {
    let appends: Vec<Append> = session.appends.iter().map(|append| as_append(session, append)).collect();
    let held: Vec<Held<'_>> = appends.iter().map(|append| Held { sid, append }).collect();
    append::write_held(tx, &held).await?;
    claims::bring(tx, sid, &session.claims).await?;
    snapshots::write_one(tx, sid, &session.snapshot).await
}

fn as_append(session: &ImportedSession, append: &provost_domain::port::ImportedAppend) -> Append {
    let header = &append.record.header;
    Append {
        session: session.row.id,
        fence: header.fence,
        owner: Owner::new("nobody"),
        expected_seq: provost_domain::ids::Seq(header.first_seq.0.saturating_sub(1)),
        record: Some(append.record.clone()),
        status: session.row.status.clone(),
        ended: session.row.ended,
        release: false,
        snapshot: None,
        contents: append.contents.clone(),
        approvals: append.approvals.clone(),
        claims: ClaimChanges::default(),
        acks: Vec::new(),
        progress: false,
        at: header.at,
    }
}

/// What came of each import, once the transaction is durable.
pub(super) async fn explain(
    connection: &mut SqliteConnection,
    asked: &[Asked<Box<ImportedSession>, ImportAnswer>],
    stored: &HashSet<SessionId>,
) -> Vec<Result<ImportAnswer, StoreError>> {
    let mut results = Vec::with_capacity(asked.len());
    for Asked { request, .. } in asked {
        results.push(if stored.contains(&request.row.id) {
            Ok(ImportAnswer::Stored)
        } else {
            kept_out(connection, request).await
        });
    }
    results
}

async fn kept_out(connection: &mut SqliteConnection, session: &ImportedSession) -> Result<ImportAnswer, StoreError> {
    let row = &session.row;
    let query = sqlx::query(FIND).bind(key(&row.id)).bind(row.handle.as_str());
    let found = query.fetch_optional(connection).await.map_err(|error| failed(&error))?;
    let Some(found) = found else { return Err(StoreError::Stale) };
    let own = Columns::of("sessions", &found).session()? == row.id;
    Ok(if own { ImportAnswer::SessionExists } else { ImportAnswer::HandleTaken })
}
