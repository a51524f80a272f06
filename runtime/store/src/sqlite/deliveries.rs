//! Deliveries, their groups, and what those know. Storing one is hot and shares its statement with whatever else comes in;
//! the rest is one statement each.

use std::collections::BTreeMap;

use provost_domain::ids::{DeliveryId, Digest, SessionId};
use provost_domain::port::{
    Arrived, Delivery, DeliveryFilter, DeliveryRow, DeliveryState, Finish, Finished, GroupWork, Known, NewDelivery,
    StoreError,
};
use provost_domain::principal::Principal;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;

use super::bulk::Bulk;
use super::error::failed;
use super::job::Asked;
use super::rows::{Columns, key};
use super::statement::Statement;
use super::tx::{Then, Tx};

pub(super) static INSERT: Bulk = Bulk::new(
    "INSERT INTO deliveries (id, source, grp, sender, state, note, received_at, body) \
     SELECT column1, column2, column3, column4, column5, column6, column7, column8 \
     FROM (VALUES {rows}) WHERE column1 IS NOT NULL",
    8,
);
pub(super) const PLAN: &str = "INSERT INTO delivery_groups (grp, plan) VALUES (?1, ?2) \
     ON CONFLICT (grp) DO UPDATE SET plan = excluded.plan";
pub(super) const DROP_PLAN: &str = "UPDATE delivery_groups SET plan = NULL WHERE grp = ?1";
pub(super) const KEEP: &str = "INSERT INTO delivery_groups (grp, session) VALUES (?1, ?2) \
     ON CONFLICT (grp) DO UPDATE SET session = excluded.session, plan = NULL";
/// A session's id is `ses_` and hex digits. No mark is an erased session's.
pub(super) const REMEMBER: &str = "INSERT INTO marks (grp, mark, ended, session) \
     SELECT ?1, value ->> '$.name', value ->> '$.ended', \
       (SELECT id FROM sessions WHERE id = coalesce(unhex(substr(value ->> '$.session', 5)), ?3) AND erased_at IS NULL) \
     FROM json_each(?2) WHERE true \
     ON CONFLICT (grp, mark) DO UPDATE SET ended = excluded.ended, session = excluded.session";
macro_rules! erased {
    ($before:literal, $rest:literal) => {
        concat!(
            $before,
            " FROM json_each(?1) AS about CROSS JOIN sessions \
             WHERE sessions.id = unhex(about.value) AND sessions.erased_at IS NOT NULL",
            $rest
        )
    };
}
/// Its bytes may be in the files already.
pub(super) const MARK_ERASED: &str = erased!(
    "INSERT INTO scrub (one, since) SELECT 1, sessions.erased_at",
    " LIMIT 1 ON CONFLICT (one) DO UPDATE SET rewritten = 0"
);
pub(super) const EMPTY: &str = concat!(
    "UPDATE deliveries SET body = x'' WHERE state = 'waiting' AND grp = ?2 AND seq <= ?3 AND ",
    erased!("EXISTS (SELECT 1", ")")
);
pub(super) const LINK: &str = "INSERT OR IGNORE INTO delivery_refs (delivery, session) \
     SELECT deliveries.seq, unhex(about.value) FROM json_each(?1) AS about CROSS JOIN deliveries \
     WHERE deliveries.state = 'waiting' AND deliveries.grp = ?2 AND deliveries.seq <= ?3";
/// What waits has a body: one without was emptied just before.
pub(super) const FINISH: &str = "UPDATE deliveries SET state = iif(length(body) = 0, 'done', ?3), \
       note = iif(length(body) = 0, 'erased', ?4), session = ?5 \
     WHERE state = 'waiting' AND grp = ?1 AND seq <= ?2";
pub(super) const DISMISS: &str =
    "UPDATE deliveries SET state = 'done', note = ?2, body = x'' WHERE id = ?1 AND state = 'bad'";
pub(super) const WAITING: &str =
    "SELECT grp, count(*) FROM deliveries WHERE state = 'waiting' AND length(grp) = 32 GROUP BY grp ORDER BY min(seq)";
pub(super) const GROUP: &str = "SELECT session, plan FROM delivery_groups WHERE grp = ?1";
pub(super) const MARKS: &str = "SELECT mark, ended, session FROM marks WHERE grp = ?1";

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT seq, id, source, sender, state, body FROM deliveries ", $rest)
    };
}
pub(super) const WORK: &str = select!("WHERE state = 'waiting' AND grp = ?1 ORDER BY seq LIMIT ?2");
pub(super) const SELECT: &str = select!("WHERE id = ?1");
pub(super) const LIST: &str = "SELECT seq, id, source, sender, state, note, session, length(body), received_at \
     FROM deliveries WHERE seq < ?1 AND (?2 IS NULL OR state = ?2) ORDER BY seq DESC LIMIT ?3";

pub(super) async fn store(tx: &mut Tx<'_>, asked: &[Asked<NewDelivery, ()>], then: Then) -> Result<(), sqlx::Error> {
    let rows = tx.run(&INSERT, asked, then, |values, Asked { request: new, .. }| {
        let (group, state, note) = match &new.arrived {
            Arrived::Waiting { group } => (Some(group.as_bytes().to_vec()), DeliveryState::Waiting, ""),
            Arrived::Bad { reason } => (None, DeliveryState::Bad, reason.as_str()),
        };
        values.add(new.id.as_str()).add(new.source.as_str()).add(group).add(new.by.to_string());
        values.add(state.as_str()).add(note).add(new.at.micros()).add(new.body.as_slice());
    });
    rows.await.map(drop)
}

pub(super) fn plan(group: Digest, plan: &str) -> Statement {
    Statement::new(PLAN).bytes(group.as_bytes()).text(plan)
}

/// The statement that finishes the deliveries comes last: its rows are counted.
pub(super) fn finish(finish: &Finish) -> Result<Vec<Statement>, StoreError> {
    let group = finish.group.as_bytes();
    let (state, note, session) = match &finish.what {
        Finished::Done { session, note, .. } => (DeliveryState::Done, note, *session),
        Finished::Bad { reason } => (DeliveryState::Bad, reason, None),
    };
    let own = session.map(|session| key(&session));
    let mut statements = vec![match &own {
        Some(own) => Statement::new(KEEP).bytes(group).bytes(own),
        None => Statement::new(DROP_PLAN).bytes(group),
    }];
    if let Finished::Done { marks, .. } = &finish.what
        && !marks.is_empty()
    {
        statements.push(Statement::new(REMEMBER).bytes(group).json(marks)?.maybe_bytes(own.clone()));
    }
    let upto = i64::try_from(finish.upto).unwrap_or(i64::MAX);
    let hex = |session: &SessionId| session.uuid().as_simple().to_string();
    let others: Vec<String> = finish.about.iter().map(hex).collect();
    let all: Vec<String> = others.iter().cloned().chain(session.as_ref().map(hex)).collect();
    if !all.is_empty() {
        statements.push(Statement::new(MARK_ERASED).json(&all)?);
        statements.push(Statement::new(EMPTY).json(&all)?.bytes(group).number(upto));
    }
    if !others.is_empty() {
        statements.push(Statement::new(LINK).json(&others)?.bytes(group).number(upto));
    }
    let last = Statement::new(FINISH).bytes(group).number(upto).text(state.as_str()).text(note);
    statements.push(last.maybe_bytes(own));
    Ok(statements)
}

pub(super) fn dismiss(id: &DeliveryId, note: &str) -> Statement {
    Statement::new(DISMISS).text(id.as_str()).text(note)
}

pub(super) async fn waiting(pool: &SqlitePool) -> Result<Vec<(Digest, u64)>, StoreError> {
    let rows = sqlx::query(WAITING).fetch_all(pool).await.map_err(|error| failed(&error))?;
    let group = |row| {
        let mut columns = Columns::of("deliveries", row);
        Ok((columns.digest()?, columns.count()?))
    };
    rows.iter().map(group).collect()
}

/// As one moment saw it.
pub(super) async fn work(pool: &SqlitePool, group: Digest, limit: i64) -> Result<GroupWork, StoreError> {
    let mut moment = pool.begin().await.map_err(|error| failed(&error))?;
    let bytes = group.as_bytes().as_slice();
    let row = sqlx::query(GROUP).bind(bytes).fetch_optional(&mut *moment).await.map_err(|error| failed(&error))?;
    let (session, plan) = row.as_ref().map_or(Ok::<_, StoreError>((None, None)), |row| {
        let mut columns = Columns::of("delivery_groups", row);
        Ok((maybe_session(&mut columns)?, columns.get()?))
    })?;
    let rows = sqlx::query(MARKS).bind(bytes).fetch_all(&mut *moment).await.map_err(|error| failed(&error))?;
    let mark = |row| {
        let mut columns = Columns::of("marks", row);
        let (name, ended) = (columns.get()?, columns.get()?);
        Ok((name, Known { ended, session: maybe_session(&mut columns)? }))
    };
    let marks: BTreeMap<String, Known> = rows.iter().map(mark).collect::<Result<_, StoreError>>()?;
    let query = sqlx::query(WORK).bind(bytes).bind(limit);
    let rows = query.fetch_all(&mut *moment).await.map_err(|error| failed(&error))?;
    let deliveries = rows.iter().map(delivery).collect::<Result<_, _>>()?;
    Ok(GroupWork { session, plan, marks, deliveries })
}

pub(super) async fn read(pool: &SqlitePool, id: &DeliveryId) -> Result<Delivery, StoreError> {
    let row = sqlx::query(SELECT).bind(id.as_str()).fetch_optional(pool).await.map_err(|error| failed(&error))?;
    let row = row.ok_or_else(|| StoreError::Missing { what: "delivery", id: id.to_string() })?;
    delivery(&row)
}

pub(super) async fn list(
    pool: &SqlitePool,
    filter: &DeliveryFilter,
    limit: i64,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let before = filter.before.and_then(|seq| i64::try_from(seq).ok()).unwrap_or(i64::MAX);
    let query = sqlx::query(LIST).bind(before).bind(filter.state.map(DeliveryState::as_str)).bind(limit);
    let rows = query.fetch_all(pool).await.map_err(|error| failed(&error))?;
    rows.iter().map(listed).collect()
}

fn delivery(row: &SqliteRow) -> Result<Delivery, StoreError> {
    let mut columns = Columns::of("deliveries", row);
    Ok(Delivery {
        seq: columns.count()?,
        id: DeliveryId::new(columns.get::<String>()?),
        source: columns.get()?,
        by: Principal::parse(columns.get()?),
        state: state(&mut columns)?,
        body: columns.get()?,
    })
}

pub(super) fn listed(row: &SqliteRow) -> Result<DeliveryRow, StoreError> {
    let mut columns = Columns::of("deliveries", row);
    Ok(DeliveryRow {
        seq: columns.count()?,
        id: DeliveryId::new(columns.get::<String>()?),
        source: columns.get()?,
        by: Principal::parse(columns.get()?),
        state: state(&mut columns)?,
        note: columns.get()?,
        session: maybe_session(&mut columns)?,
        bytes: columns.count()?,
        at: columns.time()?,
    })
}

fn state(columns: &mut Columns<'_>) -> Result<DeliveryState, StoreError> {
    let word: &str = columns.get()?;
    word.parse().map_err(|error| columns.wrong(&error))
}

pub(super) fn maybe_session(columns: &mut Columns<'_>) -> Result<Option<SessionId>, StoreError> {
    let bytes: Option<&[u8]> = columns.get()?;
    bytes
        .map(|bytes| uuid::Uuid::from_slice(bytes).map(SessionId::new).map_err(|error| columns.wrong(&error)))
        .transpose()
}
