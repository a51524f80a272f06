//! Sessions as one moment saw them: one read transaction each.

use async_trait::async_trait;
use provost_domain::ids::{Digest, Seq, SessionId};
use provost_domain::log::AppendRecord;
use provost_domain::port::{
    ApprovalRow, ClaimRow, Examine, SessionMoment, SessionRow, SessionWalk, Snapshot, StoreError, Unread, WalkFound,
    WalkStop,
};
use sqlx::{Sqlite, SqlitePool, Transaction};

use super::error::{damaged, failed};
use super::reads::SqliteReads;
use super::records::{RECORDS_AFTER, record, signed};
use super::rows::{Columns, Sid, key, missing};
use super::session_row::{BY_ID, BY_SID, Stored, decode};
use super::{approvals, claims, contents, snapshots, tables};

pub(super) const NEXT_ROW: &str = "SELECT min(sid) FROM sessions WHERE sid > ?1";
pub(super) const NEXT_LOG: &str = "SELECT min(sid) FROM appends WHERE sid > ?1";
pub(super) const COUNT: &str = "SELECT count(*) FROM sessions";
pub(super) const UNREAD: &str = "SELECT count(*) FROM inbox WHERE sid = ?1 AND outcome IS NULL";
/// What SQLite itself finds wrong with the file, a few lines at most.
const PAGES: &str = "PRAGMA quick_check(10)";

#[async_trait]
impl Examine for SqliteReads {
    async fn count(&self) -> Result<u64, StoreError> {
        let row = sqlx::query(COUNT).fetch_one(self.pool()).await.map_err(|error| failed(&error))?;
        Columns::of("sessions", &row).count()
    }

    /// Reads the whole file.
    async fn damage(&self) -> Vec<String> {
        match sqlx::query_scalar::<_, String>(PAGES).fetch_all(self.pool()).await {
            Ok(lines) => lines.into_iter().filter(|line| line != "ok").collect(),
            Err(error) => vec![match failed(&error) {
                StoreError::Damaged { detail } => format!("the store is damaged: {detail}"),
                StoreError::Failed { detail } => detail,
                other => other.to_string(),
            }],
        }
    }

    /// Reads every row, large bodies left out.
    async fn unreadable_rows(&self) -> Vec<String> {
        tables::unreadable(self.pool()).await
    }

    async fn shared_targets(&self) -> Vec<String> {
        claims::shared(self.pool()).await.unwrap_or_else(|error| vec![error.to_string()])
    }

    fn walk(&self) -> Box<dyn SessionWalk> {
        Box::new(Walk { pool: self.pool().clone(), after: 0, sources: vec![NEXT_ROW, NEXT_LOG] })
    }

    async fn moment(&self, id: SessionId) -> Result<Box<dyn SessionMoment>, StoreError> {
        let mut transaction = self.pool().begin().await.map_err(|error| failed(&error))?;
        let found = sqlx::query(BY_ID).bind(key(&id)).fetch_optional(&mut *transaction).await;
        let stored = decode(&found.map_err(|error| failed(&error))?.ok_or_else(|| missing(id))?)?;
        Ok(Box::new(Moment { transaction, stored }))
    }
}

/// A walk by the sessions' numbers.
#[derive(Debug)]
struct Walk {
    pool: SqlitePool,
    after: Sid,
    /// What says which sessions there are, as long as it can be read.
    sources: Vec<&'static str>,
}

#[async_trait]
impl SessionWalk for Walk {
    async fn next(&mut self) -> Option<WalkStop> {
        let mut next: Option<Sid> = None;
        for source in self.sources.clone() {
            match sqlx::query_scalar::<_, Option<Sid>>(source).bind(self.after).fetch_one(&self.pool).await {
                Ok(found) => next = next.into_iter().chain(found).min(),
                Err(error) => {
                    self.sources.retain(|kept| *kept != source);
                    let place = format!("the row after {} of what `{source}` reads", self.after);
                    return Some(WalkStop { place, found: WalkFound::Unreadable(failed(&error)) });
                }
            }
        }
        self.after = next?;
        let place = format!("row {} of table sessions", self.after);
        let found = self.stop(self.after).await.unwrap_or_else(WalkFound::Unreadable);
        Some(WalkStop { place, found })
    }
}

impl Walk {
    async fn stop(&self, sid: Sid) -> Result<WalkFound, StoreError> {
        let mut transaction = self.pool.begin().await.map_err(|error| failed(&error))?;
        let found = sqlx::query(BY_SID).bind(sid).fetch_optional(&mut *transaction).await;
        let Some(row) = found.map_err(|error| failed(&error))? else {
            let what = format!("table appends has records of row {sid}, which table sessions does not have");
            return Ok(WalkFound::Orphan { what });
        };
        let stored = decode(&row)?;
        Ok(WalkFound::Session(Box::new(Moment { transaction, stored })))
    }
}

/// A read transaction that began with the session's row.
#[derive(Debug)]
struct Moment {
    transaction: Transaction<'static, Sqlite>,
    stored: Stored,
}

#[async_trait]
impl SessionMoment for Moment {
    fn row(&self) -> &SessionRow {
        &self.stored.row
    }

    async fn snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        snapshots::read(&mut self.transaction, self.stored.sid).await
    }

    async fn records(&mut self, after: Seq, limit: u32) -> Result<Vec<AppendRecord>, StoreError> {
        let query = sqlx::query(RECORDS_AFTER).bind(self.stored.sid).bind(signed(after)).bind(i64::from(limit));
        let rows = query.fetch_all(&mut *self.transaction).await.map_err(|error| failed(&error))?;
        rows.iter().map(|row| record(self.stored.row.id, row)).collect()
    }

    async fn content(&mut self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        contents::read(&mut *self.transaction, digest).await
    }

    async fn approvals(&mut self) -> Result<Vec<ApprovalRow>, StoreError> {
        approvals::of(&mut self.transaction, self.stored.sid).await
    }

    async fn claims(&mut self) -> Result<Vec<ClaimRow>, StoreError> {
        claims::of(&mut self.transaction, self.stored.sid).await
    }

    async fn unread(&mut self) -> Result<Unread, StoreError> {
        let count = sqlx::query_scalar::<_, i64>(UNREAD).bind(self.stored.sid).fetch_one(&mut *self.transaction).await;
        let count = u64::try_from(count.map_err(|error| failed(&error))?)
            .map_err(|error| damaged(format!("table inbox: {error}")))?;
        Ok(Unread { count, is_marked: self.stored.unread })
    }
}
