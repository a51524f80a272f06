//! Messages to the outside. They are few beside the sessions' writes and share their commits.

use std::sync::Arc;

use provost_domain::ids::{CallId, MessageId, ToolName};
use provost_domain::port::{
    Message, MessageFilter, MessageRow, MessageState, NewMessage, PAUSE_MAX, Queued, StoreError, Then, Tried,
};
use provost_domain::time::Timestamp;
use provost_domain::tool::ToolCall;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;

use super::error::failed;
use super::rows::{Columns, key};
use super::statement::Statement;

pub(super) const ENQUEUE: &str = "INSERT INTO outbox (id, key, target, session, call, args, state, note, tries, \
       created_at, since, next_at) SELECT ?1, ?2, ?3, ?4, ?5, ?6, 'waiting', '', 0, ?7, ?7, ?7 \
     WHERE NOT EXISTS (SELECT 1 FROM sessions WHERE id = ?4 AND erased_at IS NOT NULL) ON CONFLICT DO NOTHING";
/// The same for what a look at a session tells, where nobody looked meanwhile.
pub(super) const ENQUEUE_AT: &str = "INSERT INTO outbox (id, key, target, session, call, args, state, note, tries, \
       created_at, since, next_at) SELECT ?1, ?2, ?3, ?4, ?5, ?6, 'waiting', '', 0, ?7, ?7, ?7 \
     WHERE EXISTS (SELECT 1 FROM attention JOIN sessions USING (sid) WHERE sessions.id = ?4 AND version = ?8) \
     ON CONFLICT DO NOTHING";
pub(super) const TRIED: &str = "UPDATE outbox SET tries = tries + 1, tried_at = ?2, state = ?3, next_at = ?4, note = ?5 \
     WHERE id = ?1 AND state = 'waiting'";
pub(super) const AGAIN: &str = "UPDATE outbox SET state = 'waiting', since = ?2, next_at = ?2 \
     WHERE id = ?1 AND state IN ('waiting', 'failed')";
/// Whether a message waits for an earlier one: those of the runtime itself about one session reach a target in their order.
macro_rules! behind {
    () => {
        "(o.call = 'attention' AND EXISTS (SELECT 1 FROM outbox AS e WHERE e.state = 'waiting' AND e.call = 'attention' \
           AND e.session = o.session AND e.target = o.target AND e.seq < o.seq))"
    };
}
pub(super) const QUEUED: &str = concat!(
    "SELECT target, count(*), min(iif(",
    behind!(),
    ", NULL, next_at)), max(iif(",
    behind!(),
    ", NULL, next_at)) FROM outbox AS o WHERE state = 'waiting' GROUP BY target"
);
pub(super) const DUE: &str = concat!(
    "SELECT id, session, call, target, args, key, tries, since FROM outbox AS o \
     WHERE state = 'waiting' AND target = ?1 AND next_at > ?2 AND next_at <= ?3 AND NOT ",
    behind!(),
    " ORDER BY next_at, seq LIMIT ?4"
);

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT seq, id, target, session, key, state, note, tries, created_at, tried_at, next_at FROM outbox ",
            $rest
        )
    };
}
pub(super) const SELECT: &str = select!("WHERE id = ?1");
pub(super) const LIST: &str = select!("WHERE seq < ?1 AND (?2 IS NULL OR state = ?2) ORDER BY seq DESC LIMIT ?3");
pub(super) const LIST_OF_SESSION: &str =
    select!("WHERE seq < ?1 AND (?2 IS NULL OR state = ?2) AND session = ?4 ORDER BY seq DESC LIMIT ?3");

pub(super) fn enqueue(new: &NewMessage) -> Statement {
    inserted(ENQUEUE, new)
}

/// Where nobody looked at its session since this version.
pub(super) fn enqueue_at(new: &NewMessage, version: i64) -> Statement {
    inserted(ENQUEUE_AT, new).number(version)
}

fn inserted(sql: &'static str, new: &NewMessage) -> Statement {
    let NewMessage { call, at } = new;
    let statement = Statement::new(sql).text(new.id().as_str()).text(&call.key).text(call.tool.as_str());
    let statement = statement.bytes(&key(&call.session)).text(call.call.as_str());
    statement.text(&call.args.to_string()).number(at.micros())
}

pub(super) fn tried(tried: &Tried) -> Statement {
    let (state, next) = match tried.then {
        Then::Sent => (MessageState::Sent, None),
        Then::Again { at } => (MessageState::Waiting, Some(at.micros())),
        Then::Failed => (MessageState::Failed, None),
    };
    let statement = Statement::new(TRIED).text(tried.id.as_str()).number(tried.at.micros());
    statement.text(state.as_str()).maybe(next).text(&tried.note)
}

pub(super) fn again(id: &MessageId, at: Timestamp) -> Statement {
    Statement::new(AGAIN).text(id.as_str()).number(at.micros())
}

pub(super) async fn queued(pool: &SqlitePool) -> Result<Vec<Queued>, StoreError> {
    let rows = sqlx::query(QUEUED).fetch_all(pool).await.map_err(|error| failed(&error))?;
    let queued = |row| {
        let mut columns = Columns::of("outbox", row);
        Ok(Queued {
            target: columns.get()?,
            count: columns.count()?,
            next_at: columns.time()?,
            last_at: columns.time()?,
        })
    };
    rows.iter().map(queued).collect()
}

pub(super) async fn due(
    pool: &SqlitePool,
    target: &str,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Message>, StoreError> {
    let between = async |after: i64, upto: i64, limit: usize| {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let query = sqlx::query(DUE).bind(target).bind(after).bind(upto).bind(limit);
        let rows = query.fetch_all(pool).await.map_err(|error| failed(&error))?;
        rows.iter().map(message).collect::<Result<Vec<_>, _>>()
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut due = between(i64::MIN, now.micros(), limit).await?;
    if due.len() < limit {
        due.extend(between(now.plus(PAUSE_MAX).micros(), i64::MAX, limit - due.len()).await?);
    }
    Ok(due)
}

pub(super) async fn read(pool: &SqlitePool, id: &MessageId) -> Result<MessageRow, StoreError> {
    let row = sqlx::query(SELECT).bind(id.as_str()).fetch_optional(pool).await.map_err(|error| failed(&error))?;
    let row = row.ok_or_else(|| StoreError::Missing { what: "message", id: id.to_string() })?;
    listed(&row)
}

pub(super) async fn list(pool: &SqlitePool, filter: &MessageFilter, limit: i64) -> Result<Vec<MessageRow>, StoreError> {
    let before = filter.before.and_then(|seq| i64::try_from(seq).ok()).unwrap_or(i64::MAX);
    let query = sqlx::query(if filter.session.is_some() { LIST_OF_SESSION } else { LIST });
    let query = query.bind(before).bind(filter.state.map(MessageState::as_str)).bind(limit);
    let query = match &filter.session {
        Some(session) => query.bind(key(session)),
        None => query,
    };
    let rows = query.fetch_all(pool).await.map_err(|error| failed(&error))?;
    rows.iter().map(listed).collect()
}

pub(super) fn message(row: &SqliteRow) -> Result<Message, StoreError> {
    let mut columns = Columns::of("outbox", row);
    Ok(Message {
        id: MessageId::new(columns.get::<String>()?),
        call: ToolCall {
            session: columns.session()?,
            call: CallId::new(columns.get::<String>()?),
            tool: ToolName::new(columns.get::<String>()?),
            args: Arc::new(columns.json()?),
            key: columns.get()?,
        },
        tries: columns.count()?,
        since: columns.time()?,
    })
}

fn listed(row: &SqliteRow) -> Result<MessageRow, StoreError> {
    let mut columns = Columns::of("outbox", row);
    Ok(MessageRow {
        seq: columns.count()?,
        id: MessageId::new(columns.get::<String>()?),
        target: columns.get()?,
        session: columns.session()?,
        key: columns.get()?,
        state: {
            let word: &str = columns.get()?;
            word.parse().map_err(|error| columns.wrong(&error))?
        },
        note: columns.get()?,
        tries: columns.count()?,
        at: columns.time()?,
        tried_at: columns.maybe_time()?,
        next_at: columns.maybe_time()?,
    })
}
