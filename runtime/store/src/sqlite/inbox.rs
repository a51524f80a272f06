//! Commands from outside: submitted beside the owner, settled inside its appends.

use std::collections::{HashMap, HashSet};

use provost_domain::ids::{CmdId, SessionId};
use provost_domain::port::{CommandOutcome, InboxAck, InboxEntry, StoreError, Submitted, UnreadableCommand};
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqlitePool};

use super::bulk::Bulk;
use super::error::failed;
use super::held::Held;
use super::job::{Asked, Submission};
use super::rows::{Columns, Sid, key, missing};
use super::tx::{Then, Tx};

pub(super) static INSERT: Bulk = Bulk::new(
    "INSERT INTO inbox (sid, cmd_id, command) SELECT sessions.sid, v.column2, v.column3 \
     FROM (VALUES {rows}) AS v CROSS JOIN sessions WHERE sessions.id = v.column1 AND sessions.erased_at IS NULL \
     ON CONFLICT (sid, cmd_id) DO NOTHING RETURNING sid",
    3,
);
/// The session's owner sees it when it parks.
pub(super) static WAKE: Bulk = Bulk::new(
    "UPDATE sessions SET wake_seq = wake_seq + 1 FROM (VALUES {rows}) AS v WHERE sessions.sid = v.column1 RETURNING id",
    1,
);
pub(super) static SETTLE: Bulk = Bulk::new(
    "UPDATE inbox SET outcome = v.column3 FROM (VALUES {rows}) AS v \
     WHERE inbox.sid = v.column1 AND inbox.cmd_id = v.column2 AND inbox.outcome IS NULL",
    3,
);
pub(super) static READ: Bulk = Bulk::new(
    "UPDATE sessions SET read_seq = wake_seq FROM (VALUES {rows}) AS v WHERE sessions.sid = v.column1 \
       AND NOT EXISTS (SELECT 1 FROM inbox WHERE inbox.sid = sessions.sid AND inbox.outcome IS NULL)",
    1,
);
pub(super) static UNREAD: Bulk = Bulk::new(
    "SELECT inbox.sid, inbox.cmd_id, inbox.command FROM (VALUES {rows}) AS v CROSS JOIN inbox \
     WHERE inbox.sid = v.column1 AND inbox.outcome IS NULL ORDER BY inbox.seq",
    1,
);
pub(super) const OUTCOME: &str = "SELECT inbox.outcome, sessions.erased_at FROM sessions LEFT JOIN inbox ON inbox.sid = sessions.sid \
     AND inbox.cmd_id = ?2 WHERE sessions.id = ?1";
pub(super) const SID: &str = "SELECT sid, wake_seq FROM sessions WHERE id = ?1";

/// Stores the commands, raises their sessions' `wake_seq`, and returns the sessions that took a new one.
pub(super) async fn submit(
    tx: &mut Tx<'_>,
    asked: &[Asked<Submission, Submitted>],
    then: Then,
) -> Result<HashSet<SessionId>, sqlx::Error> {
    let rows = tx
        .run(&INSERT, asked, Then::More, |values, Asked { request, .. }| {
            values.add(key(&request.session)).add(request.cmd_id.as_str()).add(request.command.as_str());
        })
        .await?;
    let sids: Vec<Sid> = decode(&rows, |row| Columns::of("inbox", row).get())?;
    let woken = tx.over(&WAKE, &sids, then).await?;
    decode(&woken, |row| Columns::of("sessions", row).session())
}

/// What came of each submission, once the transaction is durable.
pub(super) async fn explain(
    connection: &mut SqliteConnection,
    asked: &[Asked<Submission, Submitted>],
    stored: &HashSet<SessionId>,
) -> Vec<Result<Submitted, StoreError>> {
    let mut results = Vec::with_capacity(asked.len());
    for Asked { request, .. } in asked {
        results.push(if stored.contains(&request.session) {
            Ok(Submitted::Stored)
        } else {
            outcome(connection, &request.cmd_id, request.session).await.map(Submitted::Known)
        });
    }
    results
}

/// Settles the commands that appends acknowledge. One settled before keeps its outcome.
pub(super) async fn settle(tx: &mut Tx<'_>, held: &[Held<'_>]) -> Result<(), sqlx::Error> {
    let acks: Vec<(Sid, &InboxAck)> =
        held.iter().flat_map(|held| held.append.acks.iter().map(|ack| (held.sid, ack))).collect();
    tx.run(&SETTLE, &acks, Then::More, |values, (sid, ack)| {
        values.add(*sid).add(ack.cmd_id.as_str()).add(ack.outcome.0.to_string());
    })
    .await?;
    let mut sids: Vec<Sid> = acks.iter().map(|(sid, _)| *sid).collect();
    sids.dedup();
    tx.over(&READ, &sids, Then::More).await.map(drop)
}

/// The unsettled commands of some sessions, each in arrival order. One that cannot be read comes with the reason.
pub(super) async fn unread(
    connection: &mut SqliteConnection,
    sids: &[Sid],
) -> Result<HashMap<Sid, Result<Vec<InboxEntry>, StoreError>>, sqlx::Error> {
    let rows = UNREAD.read(connection, sids).await?;
    let mut by_session: HashMap<Sid, Result<Vec<InboxEntry>, StoreError>> = HashMap::new();
    for row in &rows {
        let mut columns = Columns::of("inbox", row);
        let sid = columns.get().map_err(|error| sqlx::Error::Decode(error.into()))?;
        let entries = by_session.entry(sid).or_insert_with(|| Ok(Vec::new()));
        match (entry(&mut columns), &mut *entries) {
            (Ok(entry), Ok(known)) => known.push(entry),
            (Err(error), known @ Ok(_)) => *known = Err(error),
            (Ok(_) | Err(_), Err(_)) => {}
        }
    }
    Ok(by_session)
}

pub(super) fn entry(columns: &mut Columns<'_>) -> Result<InboxEntry, StoreError> {
    let cmd_id = CmdId::new(columns.get::<String>()?);
    let command = match columns.json() {
        Err(StoreError::Damaged { detail }) => Err(UnreadableCommand { detail }),
        read => Ok(read?),
    };
    Ok(InboxEntry { cmd_id, command })
}

/// What became of a command; `None` while unsettled or unknown.
pub(super) async fn outcome(
    connection: &mut SqliteConnection,
    cmd_id: &CmdId,
    session: SessionId,
) -> Result<Option<CommandOutcome>, StoreError> {
    let query = sqlx::query(OUTCOME).bind(key(&session)).bind(cmd_id.as_str());
    let row = query.fetch_optional(connection).await.map_err(|error| failed(&error))?;
    let row = row.ok_or_else(|| missing(session))?;
    let mut columns = Columns::of("inbox", &row);
    let text: Option<&str> = columns.get()?;
    let settled = text
        .map(|text| serde_json::from_str(text).map(CommandOutcome).map_err(|error| columns.wrong(&error)))
        .transpose()?;
    if columns.maybe_time()?.is_some() {
        return Err(StoreError::Erased { session });
    }
    Ok(settled)
}

/// One session's unsettled commands with the `wake_seq` they were read at, as one moment saw them.
pub(super) async fn read(pool: &SqlitePool, session: SessionId) -> Result<(Vec<InboxEntry>, u64), StoreError> {
    let mut moment = pool.begin().await.map_err(|error| failed(&error))?;
    let row =
        sqlx::query(SID).bind(key(&session)).fetch_optional(&mut *moment).await.map_err(|error| failed(&error))?;
    let row = row.ok_or_else(|| missing(session))?;
    let mut columns = Columns::of("sessions", &row);
    let (sid, wake_seq) = (columns.get()?, columns.count()?);
    let mut entries = unread(&mut moment, &[sid]).await.map_err(|error| failed(&error))?;
    Ok((entries.remove(&sid).unwrap_or_else(|| Ok(Vec::new()))?, wake_seq))
}

fn decode<T, C: FromIterator<T>>(
    rows: &[SqliteRow],
    one: impl Fn(&SqliteRow) -> Result<T, StoreError>,
) -> Result<C, sqlx::Error> {
    rows.iter().map(one).collect::<Result<_, _>>().map_err(|error| sqlx::Error::Decode(error.into()))
}
