//! Sessions as one moment saw them, in memory.

use std::collections::{HashMap, VecDeque};

use async_trait::async_trait;
use provost_domain::ids::{Digest, Seq};
use provost_domain::log::AppendRecord;
use provost_domain::port::{
    ApprovalRow, ClaimRow, SessionMoment, SessionRow, SessionWalk, Snapshot, StoreError, Unread, WalkFound, WalkStop,
};

/// A copy of one session.
#[derive(Debug)]
pub(super) struct MemoryMoment {
    pub(super) row: SessionRow,
    pub(super) snapshot: Option<Snapshot>,
    pub(super) records: Vec<AppendRecord>,
    pub(super) contents: HashMap<Digest, Vec<u8>>,
    pub(super) approvals: Vec<ApprovalRow>,
    pub(super) claims: Vec<ClaimRow>,
    pub(super) unread: u64,
}

/// A walk through copies of all sessions.
#[derive(Debug)]
pub(super) struct MemoryWalk(pub(super) VecDeque<MemoryMoment>);

#[async_trait]
impl SessionWalk for MemoryWalk {
    async fn next(&mut self) -> Option<WalkStop> {
        let moment = self.0.pop_front()?;
        Some(WalkStop { place: moment.row.id.to_string(), found: WalkFound::Session(Box::new(moment)) })
    }
}

#[async_trait]
impl SessionMoment for MemoryMoment {
    fn row(&self) -> &SessionRow {
        &self.row
    }

    async fn snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.snapshot.clone())
    }

    async fn records(&mut self, after: Seq, limit: u32) -> Result<Vec<AppendRecord>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let later = self.records.iter().filter(|record| record.header.first_seq > after);
        Ok(later.take(limit).cloned().collect())
    }

    async fn content(&mut self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        self.contents.get(&digest).cloned().ok_or_else(|| StoreError::missing("content", &digest))
    }

    async fn approvals(&mut self) -> Result<Vec<ApprovalRow>, StoreError> {
        Ok(self.approvals.clone())
    }

    async fn claims(&mut self) -> Result<Vec<ClaimRow>, StoreError> {
        Ok(self.claims.clone())
    }

    async fn unread(&mut self) -> Result<Unread, StoreError> {
        Ok(Unread { count: self.unread, is_marked: self.unread > 0 })
    }
}
