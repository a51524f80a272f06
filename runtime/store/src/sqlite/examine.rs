//! Looks at every session of a store in turn, each as one moment saw it, also beside a process that writes. What cannot be
//! read is reported and does not hide what comes after it.

use std::collections::BTreeMap;

use provost_domain::ids::{Seq, SessionId};
use provost_domain::invariant::{Audit, Fault, Head, Problem, Stored};
use provost_domain::log::AppendRecord;
use provost_domain::port::{SessionRow, StoreError};
use sqlx::{Sqlite, SqlitePool, Transaction};

use super::error::failed;
use super::reads::{self, SqliteReads, record};
use super::rows::{Columns, Sid, key, missing};
use super::{approvals, contents, sessions, snapshots};

pub(super) const NEXT_ROW: &str = "SELECT min(sid) FROM sessions WHERE sid > ?1";
pub(super) const NEXT_LOG: &str = "SELECT min(sid) FROM appends WHERE sid > ?1";
pub(super) const COUNT: &str = "SELECT count(*) FROM sessions";
pub(super) const SID: &str = "SELECT sid FROM sessions WHERE id = ?1";
pub(super) const UNREAD: &str = "SELECT count(*) FROM inbox WHERE sid = ?1 AND outcome IS NULL";
/// What SQLite itself finds wrong with the file, a few lines at most.
const PAGES: &str = "PRAGMA quick_check(10)";
/// Appends read at once: few enough that nothing large waits in memory.
pub(super) const PAGE: u32 = 50;

/// Where logs stood once, as an earlier export says.
pub type Heads = BTreeMap<SessionId, Head>;

/// What a look at one session found.
#[derive(Debug)]
pub struct Examined {
    /// Where it stands, for what has no id: the row of its table.
    pub place: String,
    /// The session, as far as that could be read.
    pub row: Option<SessionRow>,
    /// How many records its log has.
    pub records: u64,
    /// What does not hold.
    pub problems: Vec<Problem>,
}

/// A walk through a store's sessions in the order they came in.
#[derive(Debug)]
pub struct Examination {
    pool: SqlitePool,
    after: Sid,
    /// The tables that say which sessions there are, as long as they can be read.
    sources: Vec<&'static str>,
}

impl SqliteReads {
    /// How many sessions there are.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn count_sessions(&self) -> Result<u64, StoreError> {
        let row = sqlx::query(COUNT).fetch_one(self.pool()).await.map_err(|error| failed(&error))?;
        Columns::of("sessions", &row).count()
    }

    /// What SQLite itself finds wrong with the file's pages; nothing when all is well. Reads the whole file.
    pub async fn damaged_pages(&self) -> Vec<String> {
        match sqlx::query_scalar::<_, String>(PAGES).fetch_all(self.pool()).await {
            Ok(lines) => lines.into_iter().filter(|line| line != "ok").collect(),
            Err(error) => vec![detail(failed(&error))],
        }
    }

    /// A walk through all sessions.
    pub fn examination(&self) -> Examination {
        Examination { pool: self.pool().clone(), after: 0, sources: vec![NEXT_ROW, NEXT_LOG] }
    }

    /// Looks at one session; its log must once have stood at `expected`.
    ///
    /// # Errors
    /// There is no such session, or the file cannot be read.
    pub async fn examine(&self, id: SessionId, expected: Option<Head>) -> Result<Examined, StoreError> {
        let row = sqlx::query(SID).bind(key(&id)).fetch_optional(self.pool()).await.map_err(|error| failed(&error))?;
        let row = row.ok_or_else(|| missing(id))?;
        let sid = Columns::of("sessions", &row).get()?;
        Ok(examine(self.pool(), sid, |_| expected).await)
    }
}

impl Examination {
    /// Looks at the next session, whose log must once have stood where `heads` says; it is then no longer in `heads`.
    /// `None` after the last one.
    pub async fn next(&mut self, heads: &mut Heads) -> Option<Examined> {
        let mut next: Option<Sid> = None;
        for source in self.sources.clone() {
            match sqlx::query_scalar::<_, Option<Sid>>(source).bind(self.after).fetch_one(&self.pool).await {
                Ok(found) => next = next.into_iter().chain(found).min(),
                Err(error) => {
                    self.sources.retain(|kept| *kept != source);
                    let place = format!("the row after {} of what `{source}` reads", self.after);
                    return Some(Examined {
                        place,
                        row: None,
                        records: 0,
                        problems: vec![unreadable(&failed(&error))],
                    });
                }
            }
        }
        self.after = next?;
        Some(examine(&self.pool, self.after, |id| heads.remove(&id)).await)
    }
}

/// One session in one moment.
async fn examine(pool: &SqlitePool, sid: Sid, expected: impl FnOnce(SessionId) -> Option<Head>) -> Examined {
    let mut examined =
        Examined { place: format!("row {sid} of table sessions"), row: None, records: 0, problems: vec![] };
    if let Err(error) = in_one_moment(pool, sid, expected, &mut examined).await {
        examined.problems.push(unreadable(&error));
    }
    examined
}

async fn in_one_moment(
    pool: &SqlitePool,
    sid: Sid,
    expected: impl FnOnce(SessionId) -> Option<Head>,
    examined: &mut Examined,
) -> Result<(), StoreError> {
    let mut moment = pool.begin().await.map_err(|error| failed(&error))?;
    let found = sqlx::query(sessions::BY_SID).bind(sid).fetch_optional(&mut *moment).await;
    let Some(found) = found.map_err(|error| failed(&error))? else {
        let what = format!("table appends has records of row {sid}, which table sessions does not have");
        examined.problems.push(Problem { record: None, fault: Fault::Log, what });
        return Ok(());
    };
    let sessions::Stored { row, unread: is_unread, .. } = sessions::decode(&found)?;
    let expected = expected(row.id);
    examined.row = Some(row.clone());
    let snapshot = snapshots::read(&mut moment, sid).await;
    let mut audit = Audit::new(snapshot.as_ref().ok().cloned().flatten(), expected);
    if let Err(error) = snapshot {
        audit.problem(None, Fault::Projection, detail(error));
    }
    examined.records = log(&mut moment, sid, row.id, &mut audit).await;
    let approvals = approvals::of(&mut moment, sid).await;
    let unread: Result<i64, _> = sqlx::query_scalar(UNREAD).bind(sid).fetch_one(&mut *moment).await;
    let problems = match (approvals, unread) {
        (Ok(approvals), Ok(unread)) => {
            let unread = u64::try_from(unread).unwrap_or_default();
            audit.finish_session(&Stored { row, approvals, unread, is_unread })
        }
        (approvals, unread) => {
            let errors = [approvals.err(), unread.err().map(|error| failed(&error))];
            errors.into_iter().flatten().for_each(|error| audit.problem(None, Fault::Projection, detail(error)));
            audit.finish(Head { seq: row.head_seq, hash: row.head_hash })
        }
    };
    examined.problems.extend(problems);
    Ok(())
}

/// Reads a log from page to page, up to the first record that cannot be judged.
async fn log(moment: &mut Transaction<'_, Sqlite>, sid: Sid, id: SessionId, audit: &mut Audit) -> u64 {
    let (mut after, mut count, mut page) = (Seq(0), 0, PAGE);
    loop {
        let records = match records(moment, sid, id, after, page).await {
            Ok(records) => records,
            // One at a time, to find out which.
            Err(_) if page > 1 => {
                page = 1;
                continue;
            }
            Err(error) => {
                audit.unreadable(detail(error));
                return count;
            }
        };
        let Some(last) = records.last() else { return count };
        after = last.header.first_seq;
        for record in &records {
            count += 1;
            for digest in audit.record(record) {
                if let Err(error) = contents::read(&mut **moment, digest).await {
                    audit.problem(Some(record.header.first_seq), Fault::Content, detail(error));
                }
            }
            if audit.is_broken() {
                return count;
            }
        }
    }
}

pub(super) async fn records(
    moment: &mut Transaction<'_, Sqlite>,
    sid: Sid,
    id: SessionId,
    after: Seq,
    limit: u32,
) -> Result<Vec<AppendRecord>, StoreError> {
    let query = sqlx::query(reads::RECORDS_AFTER).bind(sid).bind(reads::signed(after)).bind(i64::from(limit));
    let rows = query.fetch_all(&mut **moment).await.map_err(|error| failed(&error))?;
    rows.iter().map(|row| record(id, row)).collect()
}

fn unreadable(error: &StoreError) -> Problem {
    Problem { record: None, fault: Fault::Log, what: format!("it cannot be read: {}", detail(error.clone())) }
}

/// What is wrong, without what to do, which the problem's kind says.
fn detail(error: StoreError) -> String {
    match error {
        StoreError::Damaged { detail } => format!("the store is damaged: {detail}"),
        StoreError::Failed { detail } | StoreError::Held { detail } => detail,
        error @ (StoreError::Fenced | StoreError::Stale | StoreError::Erased { .. }) => error.to_string(),
        StoreError::Missing { what, id } => format!("{what} {id} is missing"),
    }
}

impl Examined {
    /// The session's name for people.
    pub fn name(&self) -> String {
        self.row.as_ref().map_or_else(|| self.place.clone(), |row| row.handle.to_string())
    }
}
