//! What a store holds of a session besides its log.

use crate::projection::{ApprovalRow, ClaimRow, SessionRow};

/// What a store derived from a session's log, and what it knows besides.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The session's row.
    pub row: SessionRow,
    /// Every approval row that the store holds for the session.
    pub approvals: Vec<ApprovalRow>,
    /// Every claim row that the store holds for the session.
    pub claims: Vec<ClaimRow>,
    /// How many commands in its inbox nobody has settled.
    pub unread: u64,
    /// Whether its row says that some are.
    pub is_unread: bool,
}
