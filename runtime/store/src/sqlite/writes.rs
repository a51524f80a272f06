//! The single writes: creating, taking over, parking, submitting.

use provost_domain::ids::{Digest, Handle, Owner, SessionId};
use provost_domain::port::{InboxEntry, NewSession, Park, Parked, StoreError, Submitted, TakenOver};
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use super::reads::{self, INBOX, OUTCOME};
use super::rows::{self, SESSION_COLUMNS, signed, unsigned};

/// A refusal of the store's own inside a storage result: the outer error ends the writer, the inner one is an answer.
type Outcome<T> = Result<Result<T, StoreError>, sqlx::Error>;

fn missing(session: SessionId) -> StoreError {
    StoreError::Missing { what: "session", id: session.to_string() }
}

/// Allots the day's next handle and inserts the row.
pub(super) async fn create(connection: &mut SqliteConnection, new: NewSession) -> Outcome<Handle> {
    let (number,): (i64,) = sqlx::query_as(
        "INSERT INTO handles (prefix, day, last) VALUES (?, ?, 1) \
         ON CONFLICT (prefix, day) DO UPDATE SET last = last + 1 RETURNING last",
    )
    .bind(&new.handle_prefix)
    .bind(&new.day)
    .fetch_one(&mut *connection)
    .await?;
    let handle = format!("{}-{}-{number:04}", new.handle_prefix, new.day);
    let inserted = sqlx::query(
        "INSERT OR IGNORE INTO sessions (id, handle, pack, pack_digest, status, ended, title, head_seq, head_hash, fence, \
         wake_seq, read_seq, progress_at, takeovers, created_at) VALUES (?, ?, ?, ?, 'new', 0, ?, 0, ?, 0, 0, 0, ?, 0, ?)",
    )
    .bind(new.id.to_string())
    .bind(&handle)
    .bind(&new.pack)
    .bind(new.pack_digest.as_bytes().as_slice())
    .bind(&new.title)
    .bind(Digest::default().as_bytes().as_slice())
    .bind(new.at.micros())
    .bind(new.at.micros())
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(Err(rows::damaged(format!("session {} exists already", new.id))));
    }
    Ok(Ok(Handle::new(handle)))
}

/// Raises the fence, sets the owner, loads what is needed to carry on.
pub(super) async fn take_over(
    connection: &mut SqliteConnection,
    session: SessionId,
    owner: &Owner,
) -> Outcome<TakenOver> {
    let sql = format!(
        "UPDATE sessions SET fence = fence + 1, owner = ?, takeovers = takeovers + 1 WHERE id = ? RETURNING {SESSION_COLUMNS}"
    );
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(owner.as_str())
        .bind(session.to_string())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(Err(missing(session))) };
    let (sid, row) = match rows::session(&row) {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    let snapshot = match reads::snapshot(connection, sid).await? {
        Ok(snapshot) => snapshot,
        Err(error) => return Ok(Err(error)),
    };
    let after = snapshot.as_ref().map_or(0, |snapshot| snapshot.seq.0);
    let records =
        sqlx::query(reads::RECORDS).bind(sid).bind(signed(after)).bind(i64::MAX).fetch_all(&mut *connection).await?;
    let records: Result<Vec<_>, StoreError> = records.iter().map(|record| rows::record(record, session)).collect();
    let inbox = rows::inbox(&sqlx::query(INBOX).bind(sid).fetch_all(&mut *connection).await?);
    Ok(records.and_then(|records| Ok(TakenOver { row, snapshot, records, inbox: inbox? })))
}

/// Gives the session up, unless its `wake_seq` is not the one its owner saw.
pub(super) async fn park(connection: &mut SqliteConnection, park: &Park) -> Outcome<Parked> {
    let parked = sqlx::query(
        "UPDATE sessions SET owner = NULL, next_run_at = ? WHERE id = ? AND fence = ? AND owner = ? AND wake_seq = ?",
    )
    .bind(park.next_run_at.map(provost_domain::time::Timestamp::micros))
    .bind(park.session.to_string())
    .bind(signed(park.fence.0))
    .bind(park.owner.as_str())
    .bind(signed(park.wake_seq))
    .execute(&mut *connection)
    .await?;
    if parked.rows_affected() == 1 {
        return Ok(Ok(Parked::Parked));
    }
    let row = sqlx::query("SELECT sid, wake_seq FROM sessions WHERE id = ? AND fence = ? AND owner = ?")
        .bind(park.session.to_string())
        .bind(signed(park.fence.0))
        .bind(park.owner.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(Err(StoreError::Fenced)) };
    let (sid, wake_seq): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    let inbox = rows::inbox(&sqlx::query(INBOX).bind(sid).fetch_all(&mut *connection).await?);
    Ok(inbox.map(|inbox| Parked::Woken { inbox, wake_seq: unsigned(wake_seq) }))
}

/// An inbox row and one more `wake_seq`, or what became of the same command before.
pub(super) async fn submit(
    connection: &mut SqliteConnection,
    session: SessionId,
    entry: &InboxEntry,
) -> Outcome<Submitted> {
    let row = sqlx::query("SELECT sid FROM sessions WHERE id = ?")
        .bind(session.to_string())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(Err(missing(session))) };
    let sid: i64 = row.try_get(0)?;
    let inserted = sqlx::query("INSERT OR IGNORE INTO inbox (sid, cmd_id, command) VALUES (?, ?, ?)")
        .bind(sid)
        .bind(entry.cmd_id.as_str())
        .bind(serde_json::to_string(&entry.command).unwrap_or_default())
        .execute(&mut *connection)
        .await?;
    if inserted.rows_affected() == 0 {
        let outcome = sqlx::query(OUTCOME).bind(session.to_string()).bind(entry.cmd_id.as_str());
        let row = outcome.fetch_optional(&mut *connection).await?;
        return Ok(reads::outcome_of(row.as_ref()).map(Submitted::Known));
    }
    sqlx::query("UPDATE sessions SET wake_seq = wake_seq + 1 WHERE sid = ?")
        .bind(sid)
        .execute(&mut *connection)
        .await?;
    Ok(Ok(Submitted::Stored))
}
