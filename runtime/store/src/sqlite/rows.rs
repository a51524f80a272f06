//! Rows to domain values, and errors of the driver to the port's.

use provost_domain::ids::{CmdId, Digest, Fence, Handle, Owner, Seq, SessionId};
use provost_domain::log::{AppendRecord, RecordHeader};
use provost_domain::port::{InboxEntry, SessionRow, StoreError};
use provost_domain::time::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

pub(super) const SESSION_COLUMNS: &str = "sid, id, handle, pack, pack_digest, status, ended, title, head_seq, head_hash, fence, \
     owner, wake_seq, next_run_at, progress_at, takeovers, created_at";

pub(super) fn failed(error: &sqlx::Error) -> StoreError {
    let text = error.to_string();
    let hint = if text.contains("full") { "; free disk space and start again" } else { "" };
    StoreError::Failed { detail: format!("{text}{hint}") }
}

pub(super) fn damaged(detail: impl Into<String>) -> StoreError {
    StoreError::Damaged { detail: detail.into() }
}

pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn digest(bytes: &[u8], what: &str) -> Result<Digest, StoreError> {
    <[u8; 32]>::try_from(bytes)
        .map(Digest::from_bytes)
        .map_err(|_wrong_length| damaged(format!("{what} is no SHA-256")))
}

fn get<'r, T>(row: &'r SqliteRow, column: &str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(column).map_err(|error| damaged(format!("column {column}: {error}")))
}

/// A session's internal number and its row.
pub(super) fn session(row: &SqliteRow) -> Result<(i64, SessionRow), StoreError> {
    let id: String = get(row, "id")?;
    let session = SessionRow {
        id: id.parse().map_err(|error| damaged(format!("sessions: {error}")))?,
        handle: Handle::new(get::<String>(row, "handle")?),
        pack: get(row, "pack")?,
        pack_digest: digest(get(row, "pack_digest")?, "sessions.pack_digest")?,
        status: get(row, "status")?,
        ended: get(row, "ended")?,
        title: get(row, "title")?,
        head_seq: Seq(unsigned(get(row, "head_seq")?)),
        head_hash: digest(get(row, "head_hash")?, "sessions.head_hash")?,
        fence: Fence(unsigned(get(row, "fence")?)),
        owner: get::<Option<String>>(row, "owner")?.map(Owner::new),
        wake_seq: unsigned(get(row, "wake_seq")?),
        next_run_at: get::<Option<i64>>(row, "next_run_at")?.map(Timestamp::from_micros),
        progress_at: Timestamp::from_micros(get(row, "progress_at")?),
        takeovers: u32::try_from(get::<i64>(row, "takeovers")?).unwrap_or(u32::MAX),
        created_at: Timestamp::from_micros(get(row, "created_at")?),
    };
    Ok((get(row, "sid")?, session))
}

pub(super) fn record(row: &SqliteRow, session: SessionId) -> Result<AppendRecord, StoreError> {
    let salt: Option<Vec<u8>> = get(row, "salt")?;
    let salt = match salt {
        Some(salt) => {
            Some(<[u8; 16]>::try_from(salt).map_err(|_wrong_length| damaged("appends.salt is not 16 bytes"))?)
        }
        None => None,
    };
    Ok(AppendRecord {
        header: RecordHeader {
            session,
            first_seq: Seq(unsigned(get(row, "first_seq")?)),
            last_seq: Seq(unsigned(get(row, "last_seq")?)),
            fence: Fence(unsigned(get(row, "fence")?)),
            cmd_id: CmdId::new(get::<String>(row, "cmd_id")?),
            at: Timestamp::from_micros(get(row, "at")?),
            kinds: get(row, "kinds")?,
        },
        payload: get(row, "payload")?,
        salt,
        digest: digest(get(row, "digest")?, "appends.digest")?,
        prev: digest(get(row, "prev")?, "appends.prev")?,
        hash: digest(get(row, "hash")?, "appends.hash")?,
    })
}

pub(super) fn inbox(rows: &[SqliteRow]) -> Result<Vec<InboxEntry>, StoreError> {
    rows.iter()
        .map(|row| {
            let command: String = get(row, "command")?;
            Ok(InboxEntry {
                cmd_id: CmdId::new(get::<String>(row, "cmd_id")?),
                command: serde_json::from_str(&command).map_err(|error| damaged(format!("inbox.command: {error}")))?,
            })
        })
        .collect()
}
