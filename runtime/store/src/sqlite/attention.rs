//! What people are told of sessions: noted with the append that has news, stored with the messages of a look.

use provost_domain::attention::is_news;
use provost_domain::ids::Seq;
use provost_domain::port::{SessionLook, StoreError, WatchedSession};
use provost_domain::time::Timestamp;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;

use super::bulk::Bulk;
use super::error::failed;
use super::held::Held;
use super::outbox;
use super::rows::{Columns, Sid, key};
use super::statement::Statement;
use super::tx::{Then, Tx};

pub(super) static MARK: Bulk = Bulk::new(
    "INSERT INTO attention (sid, news, seen, version) \
     SELECT column1, column2, 0, 0 FROM (VALUES {rows}) WHERE column1 IS NOT NULL \
     ON CONFLICT (sid) DO UPDATE SET news = max(attention.news, excluded.news)",
    2,
);

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT sessions.id, news, version, state FROM attention JOIN sessions USING (sid) ", $rest)
    };
}
pub(super) const NEWS: &str = select!("WHERE news > seen ORDER BY attention.sid LIMIT ?1");
pub(super) const DUE: &str = select!("WHERE next_at <= ?2 AND news <= seen ORDER BY next_at LIMIT ?1");
pub(super) const NEXT: &str = "SELECT min(next_at) FROM attention WHERE next_at IS NOT NULL";
pub(super) const LOOKED: &str = "UPDATE attention SET version = version + 1, seen = max(seen, ?3), state = ?4, next_at = ?5 \
     WHERE sid = (SELECT sid FROM sessions WHERE id = ?1) AND version = ?2";

pub(super) async fn mark(tx: &mut Tx<'_>, held: &[Held<'_>]) -> Result<(), sqlx::Error> {
    let news = |held: &Held<'_>| {
        let header = &held.append.record.as_ref()?.header;
        is_news(&header.kinds).then_some((held.sid, header.last_seq))
    };
    let news: Vec<(Sid, Seq)> = held.iter().filter_map(news).collect();
    let marked = tx.run(&MARK, &news, Then::More, |values, (sid, seq)| {
        values.add(*sid).count(seq.0);
    });
    marked.await.map(drop)
}

/// The messages, then the look itself: each only where nobody looked meanwhile.
pub(super) fn looked(look: &SessionLook) -> Vec<Statement> {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let version = number(look.version);
    let messages = look.messages.iter().map(|message| outbox::enqueue_at(message, version));
    let looked = Statement::new(LOOKED).bytes(&key(&look.session)).number(version).number(number(look.news.0));
    let looked = looked.text(&look.state).maybe(look.next_at.map(Timestamp::micros));
    messages.chain([looked]).collect()
}

pub(super) async fn due(pool: &SqlitePool, now: Timestamp, limit: u32) -> Result<Vec<WatchedSession>, StoreError> {
    let news = sqlx::query(NEWS).bind(i64::from(limit)).fetch_all(pool).await.map_err(|error| failed(&error))?;
    let left = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(news.len());
    let left = i64::try_from(left).unwrap_or(i64::MAX);
    let due = sqlx::query(DUE).bind(left).bind(now.micros()).fetch_all(pool).await.map_err(|error| failed(&error))?;
    news.iter().chain(&due).map(watched).collect()
}

pub(super) async fn next_at(pool: &SqlitePool) -> Result<Option<Timestamp>, StoreError> {
    let next: Option<i64> = sqlx::query_scalar(NEXT).fetch_one(pool).await.map_err(|error| failed(&error))?;
    Ok(next.map(Timestamp::from_micros))
}

pub(super) fn watched(row: &SqliteRow) -> Result<WatchedSession, StoreError> {
    let mut columns = Columns::of("attention", row);
    Ok(WatchedSession {
        session: columns.session()?,
        news: Seq(columns.count()?),
        version: columns.count()?,
        state: columns.get()?,
    })
}
