//! The seam to a store that is examined from the outside, also beside a process that writes to it.

use async_trait::async_trait;

use super::error::StoreError;
use crate::ids::{Digest, Seq, SessionId};
use crate::log::AppendRecord;
use crate::projection::{ApprovalRow, ClaimRow, SessionRow, Snapshot};

/// A store under examination.
#[async_trait]
pub trait Examine: Send + Sync + std::fmt::Debug {
    /// How many sessions there are.
    async fn count(&self) -> Result<u64, StoreError>;

    /// What the storage itself finds wrong with its files, one line each; nothing when all is well. May read all of them.
    async fn damage(&self) -> Vec<String>;

    /// The rows of the tables beside the logs that cannot be read as what they are, one line each.
    async fn unreadable_rows(&self) -> Vec<String>;

    /// The targets that more than one call acts on at once, one line each: over all sessions there may be none.
    async fn shared_targets(&self) -> Vec<String>;

    /// A walk through all sessions.
    fn walk(&self) -> Box<dyn SessionWalk>;

    /// One session as this moment sees it.
    async fn moment(&self, id: SessionId) -> Result<Box<dyn SessionMoment>, StoreError>;
}

/// A walk through the sessions of a store, in the order they came in.
#[async_trait]
pub trait SessionWalk: Send + std::fmt::Debug {
    /// The next stop; `None` after the last one. What cannot be read is a stop of its own and hides nothing behind it.
    async fn next(&mut self) -> Option<WalkStop>;
}

/// Where a walk came to a log that it cannot read.
#[derive(Debug)]
pub struct WalkStop {
    /// Where it is, for what has no id: the storage's own words.
    pub place: String,
    /// What is there.
    pub found: WalkFound,
}

/// What stands at a stop of a walk.
#[derive(Debug)]
pub enum WalkFound {
    /// A session, as this moment sees it.
    Session(Box<dyn SessionMoment>),
    /// Records of a session that has no row.
    Orphan {
        /// What is there, and what is not.
        what: String,
    },
    /// Something that cannot be read.
    Unreadable(StoreError),
}

/// One session as one moment saw it: nothing that is written meanwhile shows in any of its answers.
#[async_trait]
pub trait SessionMoment: Send + std::fmt::Debug {
    /// The row as it is stored at this moment.
    fn row(&self) -> &SessionRow;

    /// Its snapshot, if it has one.
    async fn snapshot(&mut self) -> Result<Option<Snapshot>, StoreError>;

    /// The appends that begin after `after`, in order, at most `limit`.
    async fn records(&mut self, after: Seq, limit: u32) -> Result<Vec<AppendRecord>, StoreError>;

    /// A large result's bytes, verified against the digest.
    async fn content(&mut self, digest: Digest) -> Result<Vec<u8>, StoreError>;

    /// Every approval row of the session, decided ones included.
    async fn approvals(&mut self) -> Result<Vec<ApprovalRow>, StoreError>;

    /// Every claim row of the session, released ones included.
    async fn claims(&mut self) -> Result<Vec<ClaimRow>, StoreError>;

    /// The commands in its inbox that nobody has settled.
    async fn unread(&mut self) -> Result<Unread, StoreError>;
}

/// Commands in an inbox that nobody has settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unread {
    /// How many.
    pub count: u64,
    /// Whether the session's row says that there are some, so that they are looked for.
    pub is_marked: bool,
}

/// Copies of a whole store.
#[async_trait]
pub trait Backup: Send + Sync + std::fmt::Debug {
    /// Copies the store, as one moment of it was, into the empty file `to`, without keeping anybody from writing to it. Once
    /// it returns, the copy is whole; nothing is said of whether it survives a power loss.
    async fn back_up(&self, to: &std::path::Path) -> Result<(), StoreError>;
}
