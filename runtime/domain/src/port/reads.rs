//! The seam to what is read of sessions: rows, logs, large results, approvals.

use async_trait::async_trait;

use super::error::StoreError;
use crate::claims::ClaimKey;
use crate::ids::{ApprovalId, Digest, Handle, PackName, Seq, SessionId};
use crate::log::AppendRecord;
use crate::projection::{ApprovalRow, ClaimRow, SessionRow, Snapshot};
use crate::status::Status;

/// Reads, which never wait for writes.
#[async_trait]
pub trait Reads: Send + Sync + std::fmt::Debug {
    /// A session's row, by id.
    async fn session(&self, id: SessionId) -> Result<SessionRow, StoreError>;

    /// A session's id by its handle.
    async fn by_handle(&self, handle: &Handle) -> Result<SessionId, StoreError>;

    /// Sessions, newest first.
    async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<SessionRow>, StoreError>;

    /// The appends that hold events after `after`, in order, at most `limit` appends.
    async fn records(&self, id: SessionId, after: Seq, limit: u32) -> Result<Vec<AppendRecord>, StoreError>;

    /// A session's last snapshot; `None` where it has none, or where no session has that id. It may be older than the log's
    /// head, never newer.
    async fn snapshot(&self, id: SessionId) -> Result<Option<Snapshot>, StoreError>;

    /// A large result's bytes, verified against the digest.
    async fn content(&self, digest: Digest) -> Result<Vec<u8>, StoreError>;

    /// Approvals.
    async fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<ApprovalRow>, StoreError>;

    /// Who holds a target, if anybody does.
    async fn holder(&self, key: &ClaimKey) -> Result<Option<ClaimRow>, StoreError>;

    /// One approval.
    async fn approval(&self, id: &ApprovalId) -> Result<ApprovalRow, StoreError>;
}

/// Which sessions to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Only this status.
    pub status: Option<Status>,
    /// Only this pack.
    pub pack: Option<PackName>,
    /// Only sessions created before this one (newest first): the cursor.
    pub before: Option<SessionId>,
    /// At most this many; the store caps it at 500.
    pub limit: u32,
}

/// Which approvals to list, in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApprovalFilter {
    /// Only this session's.
    pub session: Option<SessionId>,
    /// Only pending ones.
    pub pending_only: bool,
    /// Which come first; of one session's always the newest.
    pub order: ApprovalOrder,
    /// At most this many; the store caps it at 500.
    pub limit: u32,
}

/// Which approvals a list begins with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ApprovalOrder {
    /// What was asked last.
    #[default]
    NewestFirst,
    /// What was asked first.
    OldestFirst,
}
