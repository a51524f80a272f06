//! Erasing what a closed session said.
//!
//! One conditional update of the session's row is the authority, as for an append; every other statement of the transaction
//! acts only where the row's head is the tombstone, so that an update that did not take changes nothing.
//!
//! What SQL deletes may stay in the file: `secure_delete` overwrites a deleted row, but pages that were split or merged
//! before keep stale copies beside their rows, and the write-ahead log keeps whole pages. Hence [`scrub`]: `VACUUM` writes
//! every page anew, and a truncating checkpoint empties the log.

use provost_domain::port::{Erase, Erased, Quiet, StoreError};
use provost_domain::time::Timestamp;
use sqlx::{Row as _, SqliteConnection, SqlitePool};

use super::error::{Fault, failed, fault, is_full, lacks_temp};
use super::rows::{Columns, key, missing};
use super::statement::Statement;
use super::transaction::CHECKPOINT;

/// The session's number, once its head is the tombstone.
macro_rules! erased {
    ($before:literal, $after:literal) => {
        concat!($before, "(SELECT sid FROM sessions WHERE id = ?1 AND head_hash = ?2)", $after)
    };
}

/// The same for what is kept by the session's id.
macro_rules! erased_id {
    ($before:literal, $after:literal) => {
        concat!($before, "(SELECT id FROM sessions WHERE id = ?1 AND head_hash = ?2)", $after)
    };
}

/// An answer goes, the note stays.
macro_rules! forgotten {
    () => {
        "UPDATE requests SET status = NULL, content_type = NULL, location = NULL, body = NULL, unlinked = 0 "
    };
}

pub(super) const SEAL: &str = "UPDATE sessions SET head_hash = ?2, head_seq = ?3, fence = ?4, erased_at = ?5, \
       progress_at = ?5, title = 'erased', next_run_at = NULL \
     WHERE id = ?1 AND fence = ?6 AND head_seq = ?7 AND head_hash = ?8 AND ended = 1 AND owner IS NULL \
       AND wake_seq = read_seq AND erased_at IS NULL \
       AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.session = ?1 AND outbox.state = 'waiting') \
       AND NOT EXISTS (SELECT 1 FROM delivery_groups WHERE session = ?1 AND plan IS NOT NULL)";
pub(super) const TOMBSTONE: &str = "INSERT OR IGNORE INTO appends (sid, first_seq, last_seq, fence, cmd_id, at, kinds, payload, salt, digest, prev, hash) \
     SELECT sid, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?2 FROM sessions WHERE id = ?1 AND head_hash = ?2";
const CONTENTS: &str = erased!(
    "DELETE FROM contents WHERE sha256 IN (SELECT mine.sha256 FROM content_refs AS mine WHERE mine.sid = ",
    " AND NOT EXISTS (SELECT 1 FROM content_refs AS other WHERE other.sha256 = mine.sha256 AND other.sid <> mine.sid))"
);
const REFS: &str = erased!("DELETE FROM content_refs WHERE sid = ", "");
const SNAPSHOTS: &str = erased!("DELETE FROM snapshots WHERE sid = ", "");
/// Who decided what and when stays. A hash of the arguments would let somebody check a guess at them.
const APPROVALS: &str =
    erased!("UPDATE approvals SET args = 'null', args_hash = zeroblob(32) WHERE approvals.sid = ", "");
/// The name of what was acted on is the case's own.
const CLAIMS: &str = erased!("DELETE FROM claims WHERE sid = ", "");
const INBOX: &str = erased!("DELETE FROM inbox WHERE sid = ", "");
/// Nothing can be made of a bad one any more.
const DELIVERIES: &str = concat!(
    "UPDATE deliveries SET body = x'', note = 'erased', state = iif(state = 'bad', 'done', state) \
     WHERE seq IN (SELECT seq FROM deliveries WHERE session = ",
    erased_id!("", ""),
    " UNION ALL SELECT delivery FROM delivery_refs WHERE session = ",
    erased_id!("", ""),
    ")"
);
const DELIVERY_REFS: &str = erased_id!("DELETE FROM delivery_refs WHERE session = ", "");
/// A group may be with several sessions: what another one was told stays.
const MARKS: &str = concat!(
    erased_id!(
        "DELETE FROM marks WHERE grp IN (SELECT grp FROM delivery_groups WHERE plan IS NULL AND session = ",
        ")"
    ),
    erased_id!(" AND (session IS NULL OR session = ", ")")
);
const MARK_REFS: &str = erased_id!("UPDATE marks SET session = NULL WHERE session = ", "");
const GROUPS: &str = erased_id!(
    "DELETE FROM delivery_groups WHERE plan IS NULL AND NOT EXISTS (SELECT 1 FROM marks WHERE marks.grp = delivery_groups.grp) \
       AND session = ",
    ""
);
/// The group goes on with the last of its other sessions.
const GROUPS_LEFT: &str = erased_id!(
    "UPDATE delivery_groups SET session = (SELECT max(marks.session) FROM marks WHERE marks.grp = delivery_groups.grp) \
     WHERE plan IS NULL AND session = ",
    ""
);
const ATTENTION: &str = erased!("DELETE FROM attention WHERE sid = ", "");
const OUTBOX: &str = erased_id!("DELETE FROM outbox WHERE session = ", "");
/// Answers that speak of the session. The note that a request was made stays: it is then decided again, for the same
/// session.
const REQUESTS: &str =
    concat!(forgotten!(), "WHERE key IN (SELECT key FROM request_refs WHERE request_refs.sid = ", erased!("", ")"));
/// Answers of which it is not known whether they do.
const UNLINKED: &str =
    concat!(forgotten!(), "WHERE unlinked = 1 AND EXISTS (SELECT 1 FROM sessions WHERE id = ?1 AND head_hash = ?2)");
const REQUEST_REFS: &str = erased!("DELETE FROM request_refs WHERE sid = ", "");
const MARK: &str = "INSERT INTO scrub (one, since) SELECT 1, ?3 FROM sessions WHERE id = ?1 AND head_hash = ?2 \
     ON CONFLICT (one) DO UPDATE SET rewritten = 0";
const PAYLOADS: &str =
    erased!("UPDATE appends SET payload = NULL, salt = NULL WHERE payload IS NOT NULL AND hash <> ?2 AND sid = ", "");
const OUTCOME: &str = "SELECT head_hash = ?2, erased_at IS NOT NULL, \
       (SELECT count(*) FROM appends WHERE appends.sid = sessions.sid AND payload IS NULL), \
       (SELECT count(*) FROM outbox WHERE outbox.session = ?1 AND outbox.state = 'waiting') \
     FROM sessions WHERE id = ?1";
const EXPIRED: &str = "SELECT progress_at, id FROM sessions \
     WHERE ended = 1 AND owner IS NULL AND erased_at IS NULL AND progress_at < ?1 AND (progress_at, id) > (?2, ?3) \
     ORDER BY progress_at, id LIMIT ?4";
const SCRUB_DUE: &str = "SELECT rewritten FROM scrub WHERE one = 1";
const REWRITTEN: &str = "UPDATE scrub SET rewritten = 1 WHERE one = 1";
const SCRUBBED: &str = "DELETE FROM scrub WHERE one = 1";
const VACUUM: &str = "VACUUM";

/// Every statement but [`WIPES`], for the test that prepares them.
#[cfg(test)]
pub(super) const OTHERS: [&str; 8] = [SEAL, TOMBSTONE, MARK, OUTCOME, EXPIRED, SCRUB_DUE, REWRITTEN, SCRUBBED];

/// What follows the row and the tombstone; each names the session and the tombstone's hash first.
pub(super) const WIPES: [&str; 18] = [
    REQUESTS,
    UNLINKED,
    REQUEST_REFS,
    CONTENTS,
    REFS,
    SNAPSHOTS,
    APPROVALS,
    CLAIMS,
    INBOX,
    DELIVERIES,
    DELIVERY_REFS,
    MARKS,
    MARK_REFS,
    GROUPS,
    GROUPS_LEFT,
    OUTBOX,
    ATTENTION,
    PAYLOADS,
];

/// The statements of one erasure, in their order.
pub(super) fn erase(erase: &Erase) -> Vec<Statement> {
    let (id, tombstone) = (key(&erase.session), &erase.tombstone);
    let (header, hash) = (&tombstone.header, tombstone.hash);
    let about = |sql| Statement::new(sql).bytes(&id).bytes(hash.as_bytes());
    let (last, at) = (signed(header.last_seq.0), erase.at.micros());
    let seal = about(SEAL).number(last).number(signed(header.fence.0)).number(at);
    let seal = seal.number(signed(erase.fence.0)).number(signed(erase.head.0.0)).bytes(erase.head.1.as_bytes());
    let record = about(TOMBSTONE).number(signed(header.first_seq.0)).number(last).number(signed(header.fence.0));
    let record = record.text(header.cmd_id.as_str()).number(header.at.micros()).text(&header.kinds);
    let record = record.maybe_bytes(tombstone.payload.clone()).maybe_bytes(tombstone.salt.map(Vec::from));
    let record = record.bytes(tombstone.digest.as_bytes()).bytes(tombstone.prev.as_bytes());
    let mut statements = vec![seal, record, about(MARK).number(at)];
    statements.extend(WIPES.map(about));
    statements
}

/// What the row says once the transaction is durable.
pub(super) async fn outcome(pool: &SqlitePool, erase: &Erase) -> Result<Erased, StoreError> {
    let query = sqlx::query(OUTCOME).bind(key(&erase.session)).bind(erase.tombstone.hash.as_bytes().to_vec());
    let row = query.fetch_optional(pool).await.map_err(|error| failed(&error))?;
    let row = row.ok_or_else(|| missing(erase.session))?;
    let mut columns = Columns::of("sessions", &row);
    let (done, before): (bool, bool) = (columns.get()?, columns.get()?);
    let (records, messages) = (columns.count()?, columns.count()?);
    match (done, before) {
        (true, _) => Ok(Erased::Done { records }),
        (false, true) => Err(StoreError::Erased { session: erase.session }),
        (false, false) if messages > 0 => Ok(Erased::Unsent { messages }),
        (false, false) => Err(StoreError::Stale),
    }
}

pub(super) async fn expired(
    pool: &SqlitePool,
    before: Timestamp,
    after: Option<Quiet>,
    limit: u32,
) -> Result<Vec<Quiet>, StoreError> {
    let start = (i64::MIN, Vec::new());
    let (since, session) =
        after.map_or(start, |after| (after.since.micros(), after.session.uuid().into_bytes().to_vec()));
    let query = sqlx::query(EXPIRED).bind(before.micros()).bind(since).bind(session).bind(i64::from(limit));
    let rows = query.fetch_all(pool).await.map_err(|error| failed(&error))?;
    let quiet = |row| {
        let mut columns = Columns::of("sessions", row);
        Ok(Quiet { since: columns.time()?, session: columns.session()? })
    };
    rows.iter().map(quiet).collect()
}

/// Why the files still hold what was erased.
#[derive(Debug)]
pub(super) struct NotScrubbed {
    pub(super) error: StoreError,
    /// Whether the handle must not be used again.
    pub(super) fatal: bool,
}

impl From<sqlx::Error> for NotScrubbed {
    fn from(error: sqlx::Error) -> Self {
        // A full disk ends the rewriting before anything of the database was changed.
        Self { fatal: fault(&error) == Fault::Fatal && !is_full(&error), error: failed(&error) }
    }
}

impl NotScrubbed {
    /// What rewriting itself says. It works in a temporary file first: without one, nothing of the database was changed.
    fn rewriting(error: sqlx::Error) -> Self {
        if !lacks_temp(&error) {
            return error.into();
        }
        let next = "rewriting the store needs a temporary folder with room for a copy of it: name one in SQLITE_TMPDIR and \
             start again";
        Self { error: StoreError::Failed { detail: format!("{error}; {next}") }, fatal: false }
    }
}

/// Rewrites the database and empties its write-ahead log, if an erasure left anything. Outside of any transaction.
///
/// The log is emptied first: behind a reader that keeps it from that, it would take in a copy of the whole database. What
/// was rewritten is noted, so that a reader that comes in between costs the next try no second copy.
pub(super) async fn scrub(connection: &mut SqliteConnection) -> Result<(), NotScrubbed> {
    let due = sqlx::query(SCRUB_DUE).fetch_optional(&mut *connection).await?;
    let Some(due) = due else { return Ok(()) };
    empty_log(connection).await?;
    if !due.try_get::<bool, _>(0)? {
        sqlx::query(VACUUM).execute(&mut *connection).await.map_err(NotScrubbed::rewriting)?;
        sqlx::query(REWRITTEN).execute(&mut *connection).await?;
        empty_log(connection).await?;
    }
    sqlx::query(SCRUBBED).execute(&mut *connection).await?;
    Ok(())
}

async fn empty_log(connection: &mut SqliteConnection) -> Result<(), NotScrubbed> {
    let busy: i64 = sqlx::query(CHECKPOINT).fetch_one(connection).await?.try_get(0)?;
    if busy == 0 {
        return Ok(());
    }
    let detail = "a reader holds on to the write-ahead log, where bytes of erased sessions may still be; end what reads \
         the store, for example a backup, and erase again or wait for the next try";
    Err(NotScrubbed { error: StoreError::Failed { detail: detail.to_owned() }, fatal: false })
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::error::Error;

    use sqlx::error::{DatabaseError, ErrorKind};

    use super::*;

    /// What SQLite answers with an extended code.
    #[derive(Debug, thiserror::Error)]
    #[error("code {0}")]
    struct Coded(i32);

    impl DatabaseError for Coded {
        fn message(&self) -> &'static str {
            "coded"
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.to_string().into())
        }

        fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    #[test]
    fn no_room_to_rewrite_in_leaves_the_store_usable_and_a_failing_disk_does_not() {
        let rewriting = |code| NotScrubbed::rewriting(sqlx::Error::Database(Box::new(Coded(code))));
        // SQLITE_CANTOPEN, SQLITE_IOERR_GETTEMPPATH.
        for code in [14, 6_410] {
            let NotScrubbed { error, fatal } = rewriting(code);
            assert!(!fatal && error.to_string().contains("SQLITE_TMPDIR"), "{code}: {error}");
        }
        // SQLITE_FULL, SQLITE_BUSY; SQLITE_IOERR, SQLITE_IOERR_WRITE, SQLITE_CORRUPT.
        assert_eq!([13, 5, 10, 778, 11].map(|code| rewriting(code).fatal), [false, false, true, true, true]);
    }
}
