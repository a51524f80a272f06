//! The rows of approvals, and what a session's events change in them.

use std::collections::BTreeMap;

use crate::event::{ApprovalDecision, ApprovalState, EventBody};
use crate::ids::{ApprovalId, CallId, Digest, SessionId, ToolName};
use crate::principal::Principal;
use crate::time::Timestamp;

/// A row of the approvals projection.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalRow {
    /// What a person answers by.
    pub id: ApprovalId,
    /// The session that waits, or waited, for the answer.
    pub session: SessionId,
    /// The call it would let run.
    pub call: CallId,
    /// The full name of the tool that is to be called.
    pub tool: ToolName,
    /// The final arguments.
    pub args: serde_json::Value,
    /// Hash of the canonical arguments.
    pub args_hash: Digest,
    /// Digest of the gate policy it was asked under.
    pub policy_digest: Digest,
    /// Why the gate asked, as its wire word.
    pub reason: String,
    /// Where it stands.
    pub state: ApprovalState,
    /// Who decided.
    pub decided_by: Option<Principal>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
}

/// A change of the approvals projection.
#[derive(Debug, Clone, PartialEq)]
pub enum ApprovalChange {
    /// A new row, pending.
    Asked(Box<ApprovalRow>),
    /// A pending row expires later.
    Extended {
        /// The approval whose row changes.
        id: ApprovalId,
        /// When it expires now.
        expires_at: Timestamp,
    },
    /// A pending row is decided; one that is not pending any more never changes.
    Decided {
        /// The approval whose row changes.
        id: ApprovalId,
        /// The state it ends in.
        state: ApprovalState,
        /// Who decided; `None` when its time was up.
        by: Option<Principal>,
        /// The arguments an edit put in place of the first ones, and their hash.
        edited: Option<(serde_json::Value, Digest)>,
        /// When.
        at: Timestamp,
    },
}

impl ApprovalChange {
    /// What a session's events, recorded at `at`, change.
    pub fn of(session: SessionId, at: Timestamp, events: &[EventBody]) -> Vec<Self> {
        events.iter().filter_map(|event| Self::of_one(session, at, event)).collect()
    }

    /// Applies it to a session's rows: a pending row may change, a decided one never does.
    pub fn apply(self, session: SessionId, rows: &mut BTreeMap<ApprovalId, ApprovalRow>) {
        match self {
            Self::Asked(row) => {
                rows.entry(row.id.clone()).or_insert(*row);
            }
            Self::Extended { id, expires_at } => {
                let pending = |row: &&mut ApprovalRow| row.state == ApprovalState::Pending && row.session == session;
                if let Some(row) = rows.get_mut(&id).filter(pending) {
                    row.expires_at = expires_at;
                }
            }
            Self::Decided { id, state, by, edited, at } => {
                let pending = |row: &&mut ApprovalRow| row.state == ApprovalState::Pending && row.session == session;
                let Some(row) = rows.get_mut(&id).filter(pending) else { return };
                row.state = state;
                row.decided_by = by;
                row.decided_at = Some(at);
                if let Some((args, hash)) = edited {
                    row.args = args;
                    row.args_hash = hash;
                }
            }
        }
    }

    fn of_one(session: SessionId, at: Timestamp, event: &EventBody) -> Option<Self> {
        if let EventBody::ApprovalRequested(asked) = event {
            return Some(Self::Asked(Box::new(ApprovalRow {
                id: asked.approval.clone(),
                session,
                call: asked.call.clone(),
                tool: asked.tool.clone(),
                args: (*asked.args).clone(),
                args_hash: asked.args_hash,
                policy_digest: asked.policy_digest,
                reason: asked.reason.to_string(),
                state: ApprovalState::Pending,
                decided_by: None,
                requested_at: at,
                expires_at: asked.expires_at,
                decided_at: None,
            })));
        }
        if let EventBody::ApprovalExtended(extended) = event {
            return Some(Self::Extended { id: extended.approval.clone(), expires_at: extended.expires_at });
        }
        if let EventBody::ApprovalExpired(expired) = event {
            let (id, state) = (expired.approval.clone(), ApprovalState::Expired);
            return Some(Self::Decided { id, state, by: None, edited: None, at });
        }
        if let EventBody::ApprovalStale(stale) = event {
            let (id, state, by) = (stale.approval.clone(), ApprovalState::Stale, Some(stale.by.clone()));
            return Some(Self::Decided { id, state, by, edited: None, at });
        }
        let EventBody::ApprovalDecided(decided) = event else { return None };
        let edited = match &decided.decision {
            ApprovalDecision::Edited { args, args_hash } => Some(((**args).clone(), *args_hash)),
            ApprovalDecision::Approved
            | ApprovalDecision::Rejected { .. }
            | ApprovalDecision::Responded { .. }
            | ApprovalDecision::Cancelled => None,
        };
        let (id, state, by) = (decided.approval.clone(), decided.decision.state(), Some(decided.by.clone()));
        Some(Self::Decided { id, state, by, edited, at })
    }
}
