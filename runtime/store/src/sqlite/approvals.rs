//! The projection of approvals: a pending row may change, a decided one never does.

use std::collections::{BTreeMap, HashSet};

use provost_domain::event::ApprovalState;
use provost_domain::ids::{ApprovalId, CallId, Digest, ToolName};
use provost_domain::port::{ApprovalChange, ApprovalFilter, ApprovalOrder, ApprovalRow, StoreError};
use provost_domain::principal::Principal;
use provost_domain::time::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqlitePool};

use super::bulk::Bulk;
use super::error::failed;
use super::held::Held;
use super::rows::{Columns, Sid, key};
use super::tx::{Then, Tx};

pub(super) static ASK: Bulk = Bulk::new(
    "INSERT OR IGNORE INTO approvals (id, sid, call, tool, args, args_hash, policy_digest, reason, state, decided_by, \
       requested_at, expires_at, decided_at) SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL",
    13,
);
pub(super) static EXTEND: Bulk = Bulk::new(
    "UPDATE approvals SET expires_at = v.column3 FROM (VALUES {rows}) AS v \
     WHERE approvals.id = v.column1 AND approvals.sid = v.column2 AND approvals.state = 'pending'",
    3,
);
pub(super) static DECIDE: Bulk = Bulk::new(
    "UPDATE approvals SET state = v.column3, decided_by = v.column4, decided_at = v.column5, \
       args = coalesce(v.column6, args), args_hash = coalesce(v.column7, args_hash) FROM (VALUES {rows}) AS v \
     WHERE approvals.id = v.column1 AND approvals.sid = v.column2 AND approvals.state = 'pending'",
    7,
);

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT approvals.id, sessions.id, call, tool, args, args_hash, policy_digest, reason, state, decided_by, \
               requested_at, expires_at, decided_at FROM approvals JOIN sessions USING (sid) ",
            $rest
        )
    };
}
pub(super) const SELECT: &str = select!("WHERE approvals.id = ?1");
pub(super) const LIST: &str = select!("ORDER BY requested_at DESC, approvals.id DESC LIMIT ?1");
pub(super) const LIST_PENDING: &str =
    select!("WHERE state = 'pending' ORDER BY requested_at DESC, approvals.id DESC LIMIT ?1");
pub(super) const LIST_OLDEST: &str = select!("ORDER BY requested_at, approvals.id LIMIT ?1");
pub(super) const LIST_PENDING_OLDEST: &str =
    select!("WHERE state = 'pending' ORDER BY requested_at, approvals.id LIMIT ?1");
pub(super) const LIST_OF_SESSION: &str = select!(
    "WHERE approvals.sid = (SELECT sid FROM sessions WHERE id = ?1) AND (?2 = 0 OR state = 'pending') \
     ORDER BY requested_at DESC, approvals.id DESC LIMIT ?3"
);
pub(super) const OF: &str = select!("WHERE approvals.sid = ?1");

pub(super) async fn write(tx: &mut Tx<'_>, held: &[Held<'_>]) -> Result<(), sqlx::Error> {
    let (mut asked, mut extended, mut decided) = (Vec::new(), BTreeMap::new(), Vec::new());
    for Held { sid, append } in held {
        for change in &append.approvals {
            match change {
                ApprovalChange::Asked(row) => asked.push((*sid, &**row)),
                // Of two the later one stands.
                ApprovalChange::Extended { id, expires_at } => {
                    extended.insert((*sid, id), *expires_at);
                }
                ApprovalChange::Decided { id, state, by, edited, at } => {
                    decided.push(Decided {
                        sid: *sid,
                        id,
                        state: *state,
                        by: by.as_ref(),
                        edited: edited.as_ref(),
                        at: *at,
                    });
                }
            }
        }
    }
    // Of two decisions in one transaction the first one stands, as it would in two.
    let mut seen = HashSet::new();
    decided.retain(|decided| seen.insert((decided.sid, decided.id)));
    ask(tx, &asked).await?;
    let extended: Vec<_> = extended.into_iter().collect();
    extend(tx, &extended).await?;
    decide(tx, &decided).await
}

/// See [`ApprovalChange::Decided`].
struct Decided<'a> {
    sid: Sid,
    id: &'a ApprovalId,
    state: ApprovalState,
    by: Option<&'a Principal>,
    edited: Option<&'a (serde_json::Value, Digest)>,
    at: Timestamp,
}

async fn ask(tx: &mut Tx<'_>, rows: &[(Sid, &ApprovalRow)]) -> Result<(), sqlx::Error> {
    let done = tx.run(&ASK, rows, Then::More, |values, (sid, row)| {
        values.add(row.id.as_str()).add(*sid).add(row.call.as_str()).add(row.tool.as_str());
        values.add(row.args.to_string()).add(row.args_hash.as_bytes().to_vec());
        values.add(row.policy_digest.as_bytes().to_vec()).add(row.reason.as_str()).add(row.state.as_str());
        values.add(row.decided_by.as_ref().map(Principal::to_string)).add(row.requested_at.micros());
        values.add(row.expires_at.micros()).add(row.decided_at.map(Timestamp::micros));
    });
    done.await.map(drop)
}

async fn extend(tx: &mut Tx<'_>, rows: &[((Sid, &ApprovalId), Timestamp)]) -> Result<(), sqlx::Error> {
    let done = tx.run(&EXTEND, rows, Then::More, |values, ((sid, id), expires_at)| {
        values.add(id.as_str()).add(*sid).add(expires_at.micros());
    });
    done.await.map(drop)
}

async fn decide(tx: &mut Tx<'_>, rows: &[Decided<'_>]) -> Result<(), sqlx::Error> {
    let done = tx.run(&DECIDE, rows, Then::More, |values, decided| {
        values.add(decided.id.as_str()).add(decided.sid).add(decided.state.as_str());
        values.add(decided.by.map(Principal::to_string)).add(decided.at.micros());
        values.add(decided.edited.map(|(args, _)| args.to_string()));
        values.add(decided.edited.map(|(_, hash)| hash.as_bytes().to_vec()));
    });
    done.await.map(drop)
}

pub(super) async fn list(
    pool: &SqlitePool,
    filter: &ApprovalFilter,
    limit: i64,
) -> Result<Vec<ApprovalRow>, StoreError> {
    let query = match (filter.session, filter.order, filter.pending_only) {
        (Some(session), _, pending_only) => sqlx::query(LIST_OF_SESSION).bind(key(&session)).bind(pending_only),
        (None, ApprovalOrder::NewestFirst, true) => sqlx::query(LIST_PENDING),
        (None, ApprovalOrder::NewestFirst, false) => sqlx::query(LIST),
        (None, ApprovalOrder::OldestFirst, true) => sqlx::query(LIST_PENDING_OLDEST),
        (None, ApprovalOrder::OldestFirst, false) => sqlx::query(LIST_OLDEST),
    };
    let rows = query.bind(limit).fetch_all(pool).await.map_err(|error| failed(&error))?;
    rows.iter().map(decode).collect()
}

/// All of one session.
pub(super) async fn of(connection: &mut SqliteConnection, sid: Sid) -> Result<Vec<ApprovalRow>, StoreError> {
    let rows = sqlx::query(OF).bind(sid).fetch_all(connection).await.map_err(|error| failed(&error))?;
    rows.iter().map(decode).collect()
}

pub(super) async fn read(pool: &SqlitePool, id: &ApprovalId) -> Result<ApprovalRow, StoreError> {
    let query = sqlx::query(SELECT).bind(id.as_str());
    let row = query.fetch_optional(pool).await.map_err(|error| failed(&error))?;
    decode(&row.ok_or_else(|| StoreError::Missing { what: "approval", id: id.to_string() })?)
}

fn decode(row: &SqliteRow) -> Result<ApprovalRow, StoreError> {
    let mut columns = Columns::of("approvals", row);
    Ok(ApprovalRow {
        id: ApprovalId::new(columns.get::<String>()?),
        session: columns.session()?,
        call: CallId::new(columns.get::<String>()?),
        tool: ToolName::new(columns.get::<String>()?),
        args: columns.json()?,
        args_hash: columns.digest()?,
        policy_digest: columns.digest()?,
        reason: columns.get()?,
        state: columns.get::<&str>()?.parse().map_err(|error| columns.wrong(&error))?,
        decided_by: columns.get::<Option<&str>>()?.map(Principal::parse),
        requested_at: columns.time()?,
        expires_at: columns.time()?,
        decided_at: columns.maybe_time()?,
    })
}
