//! The seam to sessions that another store wrote.

use async_trait::async_trait;

use super::error::StoreError;
use crate::log::AppendRecord;
use crate::projection::{ApprovalChange, ClaimRow, SessionRow, Snapshot};
use crate::tool::Content;

/// A session with its whole log and what is derived from it. It is at rest: it has no owner, no unread command and no time at
/// which it must be woken.
#[derive(Debug, Clone)]
pub struct ImportedSession {
    /// Its row, as it is to be stored. Its head is the last append's.
    pub row: SessionRow,
    /// The header at its head.
    pub snapshot: Snapshot,
    /// Its log, in order.
    pub appends: Vec<ImportedAppend>,
    /// The claims that outcomes nobody knows keep. One whose target is held here already is not taken.
    pub claims: Vec<ClaimRow>,
}

/// One append of an imported session.
#[derive(Debug, Clone)]
pub struct ImportedAppend {
    /// The events, as they were sealed.
    pub record: AppendRecord,
    /// The large results that they name and no append before them did.
    pub contents: Vec<Content>,
    /// What they change of the approvals.
    pub approvals: Vec<ApprovalChange>,
}

/// What importing a session came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportAnswer {
    /// Everything of the session is durable.
    Stored,
    /// A session of its id is there: nothing was written.
    SessionExists,
    /// Another session has its handle: nothing was written.
    HandleTaken,
}

/// Takes in sessions.
#[async_trait]
pub trait Imports: Send + Sync + std::fmt::Debug {
    /// Stores the session with its whole log, or nothing of it. Once it returns [`ImportAnswer::Stored`], all of it is
    /// durable.
    async fn import(&self, session: ImportedSession) -> Result<ImportAnswer, StoreError>;
}
