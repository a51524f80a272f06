//! Requests by their idempotency keys.

use provost_domain::ids::Digest;
use provost_domain::port::{KeptAnswer, KnownRequest, StoreError};
use provost_domain::time::Timestamp;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;

use super::error::{damaged, failed};
use super::rows::Columns;
use super::statement::Statement;
use crate::mentions::{is_refusal, mentions};

pub(super) const CLAIM: &str =
    "INSERT INTO requests (key, fingerprint, at) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO NOTHING";
pub(super) const RENEW: &str = "DELETE FROM requests WHERE key = ?1 AND at < ?2";
/// The oldest first.
pub(super) const FORGET: &str =
    "DELETE FROM requests WHERE key IN (SELECT key FROM requests WHERE at < ?1 ORDER BY at LIMIT ?2)";
pub(super) const ANSWER: &str = "UPDATE requests SET status = ?2, content_type = ?3, location = ?4, body = ?5, unlinked = ?6 \
     WHERE key = ?1 AND status IS NULL";
pub(super) const LINK: &str = "INSERT OR IGNORE INTO request_refs (key, sid) \
     SELECT requests.key, sessions.sid FROM json_each(?2) AS word CROSS JOIN sessions CROSS JOIN requests \
     WHERE (sessions.id = unhex(word.value) OR sessions.handle = word.value) AND requests.key = ?1";
pub(super) const SELECT: &str =
    "SELECT fingerprint, at, status, content_type, location, body FROM requests WHERE key = ?1";

/// Old notes that one claim forgets: more than it makes, and few enough not to hold up the writer.
const FORGOTTEN: i64 = 16;

/// The statements of a claim.
pub(super) fn claim(key: Digest, fingerprint: Digest, at: Timestamp, forget: Timestamp) -> Vec<Statement> {
    let renew = Statement::new(RENEW).bytes(key.as_bytes()).number(forget.micros());
    let claim = Statement::new(CLAIM).bytes(key.as_bytes()).bytes(fingerprint.as_bytes()).number(at.micros());
    vec![renew, self::forget(forget, FORGOTTEN), claim]
}

/// Forgets the oldest of what is older.
pub(super) fn forget(before: Timestamp, limit: i64) -> Statement {
    Statement::new(FORGET).number(before.micros()).number(limit)
}

/// Keeps an answer and notes which sessions it speaks of.
pub(super) fn answer(key: Digest, answer: &KeptAnswer) -> Result<Vec<Statement>, StoreError> {
    let keep = Statement::new(ANSWER)
        .bytes(key.as_bytes())
        .number(i64::from(answer.status))
        .text(&answer.content_type)
        .maybe_text(answer.location.as_deref())
        .bytes(&answer.body)
        .number(i64::from(is_refusal(answer)));
    Ok(vec![keep, Statement::new(LINK).bytes(key.as_bytes()).json(&mentions(answer))?])
}

pub(super) async fn read(pool: &SqlitePool, key: Digest) -> Result<KnownRequest, StoreError> {
    let query = sqlx::query(SELECT).bind(key.as_bytes().to_vec());
    let row = query.fetch_optional(pool).await.map_err(|error| failed(&error))?;
    decode(&row.ok_or_else(|| damaged(format!("table requests, row {}: gone right after it was written", key.hex())))?)
}

fn decode(row: &SqliteRow) -> Result<KnownRequest, StoreError> {
    let mut columns = Columns::of("requests", row);
    let (fingerprint, at) = (columns.digest()?, columns.time()?);
    let Some(status) = columns.get::<Option<i64>>()? else {
        return Ok(KnownRequest { fingerprint, at, answer: None });
    };
    let answer = KeptAnswer {
        status: u16::try_from(status).map_err(|error| columns.wrong(&error))?,
        content_type: columns.get()?,
        location: columns.get()?,
        body: columns.get()?,
    };
    Ok(KnownRequest { fingerprint, at, answer: Some(answer) })
}
