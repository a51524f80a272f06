//! Pruning what is finished and old.
//!
//! What may go is looked for beside the writer, since what must stay is walked over and may be much; the writer looks only at
//! what was found, and at each row again.

use provost_domain::port::{Prunable, StoreError};
use provost_domain::time::Timestamp;
use sqlx::SqlitePool;

use super::error::failed;
use super::requests;
use super::statement::Statement;

/// A delivery that belongs to an open session tells a person who asks why it was opened: it stays as long.
macro_rules! old_deliveries {
    () => {
        "state <> 'waiting' AND received_at < ?1 \
           AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.id = deliveries.session AND sessions.ended = 0)"
    };
}
/// Groups whose session ended, and that nothing waits for or came for lately.
macro_rules! stale_groups {
    () => {
        "sessions.id = told.session AND told.plan IS NULL \
           AND sessions.ended = 1 AND sessions.owner IS NULL AND sessions.progress_at < ?1 \
           AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.grp = told.grp AND deliveries.state = 'waiting') \
           AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.grp = told.grp AND deliveries.received_at >= ?1)"
    };
}
/// What an open session sent tells it that it need not be sent again.
macro_rules! old_messages {
    () => {
        "state <> 'waiting' AND created_at < ?1 \
           AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.id = outbox.session AND sessions.ended = 0)"
    };
}
const FIND_DELIVERIES: &str =
    concat!("SELECT seq FROM deliveries WHERE ", old_deliveries!(), " ORDER BY received_at LIMIT ?2");
/// Ids of sessions begin with the time they were made at: one made since then is not old enough.
const FIND_GROUPS: &str = concat!(
    "SELECT hex(told.grp) FROM delivery_groups AS told CROSS JOIN sessions \
     WHERE told.session IS NOT NULL AND told.session < ?3 AND ",
    stale_groups!(),
    " ORDER BY told.session LIMIT ?2"
);
const FIND_MESSAGES: &str = concat!("SELECT seq FROM outbox WHERE ", old_messages!(), " ORDER BY created_at LIMIT ?2");
macro_rules! found_groups {
    ($before:literal) => {
        concat!(
            $before,
            " (SELECT told.grp FROM json_each(?2) AS found CROSS JOIN delivery_groups AS told CROSS JOIN sessions \
             WHERE told.grp = unhex(found.value) AND ",
            stale_groups!(),
            ")"
        )
    };
}
const PRUNE_MARKS: &str = found_groups!("DELETE FROM marks WHERE grp IN");
const PRUNE_GROUPS: &str = found_groups!("DELETE FROM delivery_groups WHERE grp IN");
const PRUNE_DELIVERIES: &str =
    concat!("DELETE FROM deliveries WHERE seq IN (SELECT value FROM json_each(?2)) AND ", old_deliveries!());
const PRUNE_OUTBOX: &str =
    concat!("DELETE FROM outbox WHERE seq IN (SELECT value FROM json_each(?2)) AND ", old_messages!());

/// Every statement, for the test that prepares them.
#[cfg(test)]
pub(super) const ALL: [&str; 7] =
    [FIND_DELIVERIES, FIND_GROUPS, FIND_MESSAGES, PRUNE_DELIVERIES, PRUNE_GROUPS, PRUNE_MARKS, PRUNE_OUTBOX];

/// The statements of one batch, none if nothing may go; the last one's rows are counted.
pub(super) async fn prune(
    pool: &SqlitePool,
    what: Prunable,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Statement>, StoreError> {
    let (at, limit) = (before.micros(), i64::from(limit));
    match what {
        Prunable::Requests => Ok(vec![requests::forget(before, limit)]),
        Prunable::Outbox => {
            let found = numbers(pool, FIND_MESSAGES, at, limit).await?;
            Ok(if found.is_empty() { Vec::new() } else { vec![delete(PRUNE_OUTBOX, at, &found)?] })
        }
        Prunable::Deliveries => {
            let found = numbers(pool, FIND_DELIVERIES, at, limit).await?;
            let groups = sqlx::query_scalar(FIND_GROUPS).bind(at).bind(limit).bind(first_id(before));
            let groups: Vec<String> = groups.fetch_all(pool).await.map_err(|error| failed(&error))?;
            if groups.is_empty() && found.is_empty() {
                return Ok(Vec::new());
            }
            Ok(vec![
                delete(PRUNE_MARKS, at, &groups)?,
                delete(PRUNE_GROUPS, at, &groups)?,
                delete(PRUNE_DELIVERIES, at, &found)?,
            ])
        }
    }
}

async fn numbers(pool: &SqlitePool, sql: &'static str, at: i64, limit: i64) -> Result<Vec<i64>, StoreError> {
    sqlx::query_scalar(sql).bind(at).bind(limit).fetch_all(pool).await.map_err(|error| failed(&error))
}

fn delete<T: serde::Serialize>(sql: &'static str, at: i64, found: &[T]) -> Result<Statement, StoreError> {
    Statement::new(sql).number(at).json(found)
}

/// No id of a session made at that time or later is less.
fn first_id(at: Timestamp) -> Vec<u8> {
    let millis = u64::try_from(at.micros() / 1_000).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid().as_bytes().to_vec()
}
