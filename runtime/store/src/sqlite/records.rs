//! The log as it is read.

use provost_domain::ids::{CmdId, Fence, Seq, SessionId};
use provost_domain::log::{AppendRecord, RecordHeader};
use provost_domain::port::StoreError;
use sqlx::sqlite::SqliteRow;

use super::rows::Columns;

macro_rules! records {
    ($rest:literal) => {
        concat!(
            "SELECT appends.first_seq, appends.last_seq, appends.fence, cmd_id, at, kinds, payload, salt, digest, prev, \
               hash FROM appends ",
            $rest
        )
    };
}
/// From the record that holds the event after `?2`: a seek, however long the log is.
pub(super) const RECORDS: &str = records!(
    "JOIN sessions USING (sid) WHERE sessions.id = ?1 AND last_seq > ?2 \
       AND first_seq >= coalesce((SELECT max(a.first_seq) FROM appends AS a WHERE a.sid = sessions.sid \
                                  AND a.first_seq <= ?2 + 1), 0) \
     ORDER BY first_seq LIMIT ?3"
);
pub(super) const RECORDS_BETWEEN: &str =
    records!("WHERE sid = ?1 AND first_seq > ?2 AND last_seq <= ?3 ORDER BY first_seq");

pub(super) const RECORDS_AFTER: &str = records!("WHERE sid = ?1 AND first_seq > ?2 ORDER BY first_seq LIMIT ?3");

pub(super) fn signed(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

pub(super) fn record(session: SessionId, row: &SqliteRow) -> Result<AppendRecord, StoreError> {
    let mut columns = Columns::of("appends", row);
    Ok(AppendRecord {
        header: RecordHeader {
            session,
            first_seq: Seq(columns.count()?),
            last_seq: Seq(columns.count()?),
            fence: Fence(columns.count()?),
            cmd_id: CmdId::new(columns.get::<String>()?),
            at: columns.time()?,
            kinds: columns.get()?,
        },
        payload: columns.get()?,
        salt: salt(&mut columns)?,
        digest: columns.digest()?,
        prev: columns.digest()?,
        hash: columns.digest()?,
    })
}

fn salt(columns: &mut Columns<'_>) -> Result<Option<[u8; 16]>, StoreError> {
    let bytes: Option<&[u8]> = columns.get()?;
    bytes.map(|bytes| <[u8; 16]>::try_from(bytes).map_err(|error| columns.wrong(&error))).transpose()
}
