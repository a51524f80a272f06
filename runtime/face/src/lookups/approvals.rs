//! Approvals: rows, and the queue of those that wait.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use provost_domain::access::Permission;
use provost_domain::event::ApprovalState;
use provost_domain::ids::{ApprovalId, SessionId};
use provost_domain::port::ApprovalFilter;
use provost_domain::projection::ApprovalRow;
use provost_domain::session::Session;

use super::api::Lookups;
use super::sessions::SessionState;
use crate::caller::Caller;
use crate::error::OperationError;
use crate::view::{ApprovalView, Page};

/// Most sessions whose approvals are shown at once.
const SESSIONS_MAX: usize = 50;
/// Most rows looked at.
const ROWS_MAX: u32 = 100;
/// Decided ones shown.
const DECIDED_MAX: usize = 20;

/// What waits for people across sessions, and what was decided last.
#[derive(Debug, Clone)]
pub struct ApprovalQueue {
    /// Those that wait, the newest first; also of sessions that are not among [`Self::sessions`].
    pub pending: Vec<ApprovalRow>,
    /// The sessions of most of them. Of each session only what waits for people is certain to be current.
    pub sessions: Vec<SessionState>,
    /// The last ones that were decided, the newest first.
    pub decided: Vec<ApprovalRow>,
}

impl Lookups {
    /// Approvals, newest first.
    ///
    /// # Errors
    /// See [`Self::session_named`].
    pub async fn approvals(
        &self,
        caller: &Caller,
        filter: &ApprovalFilter,
    ) -> Result<Page<ApprovalView>, OperationError> {
        caller.require(Permission::Look)?;
        let rows = self.reads().approvals(filter).await?;
        let mut handles = BTreeMap::new();
        let mut views = Vec::new();
        for row in &rows {
            let handle = match handles.entry(row.session) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown.insert(self.reads().session(row.session).await?.handle),
            };
            views.push(ApprovalView::new(row, handle));
        }
        Ok(Page::only(views))
    }

    /// How many approvals wait, counted up to a bound.
    ///
    /// # Errors
    /// See [`Self::session_named`].
    pub async fn waiting(&self, caller: &Caller, bound: u32) -> Result<usize, OperationError> {
        caller.require(Permission::Look)?;
        let filter = ApprovalFilter { session: None, pending_only: true, limit: bound, ..ApprovalFilter::default() };
        Ok(self.reads().approvals(&filter).await?.len())
    }

    /// One approval's session.
    ///
    /// # Errors
    /// No approval has that id; or see [`Self::session_named`].
    pub async fn session_of(&self, caller: &Caller, approval: &ApprovalId) -> Result<SessionId, OperationError> {
        caller.require(Permission::Look)?;
        Ok(self.reads().approval(approval).await?.session)
    }

    /// What waits, and what was decided last.
    ///
    /// # Errors
    /// See [`Self::session_named`].
    pub async fn approval_queue(&self, caller: &Caller) -> Result<ApprovalQueue, OperationError> {
        caller.require(Permission::Look)?;
        let filter =
            |pending_only| ApprovalFilter { session: None, pending_only, limit: ROWS_MAX, ..ApprovalFilter::default() };
        let pending = self.reads().approvals(&filter(true)).await?;
        let mut ids: Vec<SessionId> = pending.iter().map(|row| row.session).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut sessions = Vec::new();
        for id in ids.into_iter().take(SESSIONS_MAX) {
            let waiting: Vec<_> = pending.iter().filter(|row| row.session == id).map(|row| &row.id).collect();
            sessions.push(self.session_holding(caller, id, &waiting).await?);
        }
        let decided = self.reads().approvals(&filter(false)).await?;
        let decided = decided.into_iter().filter(|row| row.state != ApprovalState::Pending).take(DECIDED_MAX).collect();
        Ok(ApprovalQueue { pending, sessions, decided })
    }

    /// A session as its snapshot has it, where that holds these approvals: one is written whenever a person is asked, and
    /// whenever one of several has answered. Else the session as it stands.
    async fn session_holding(
        &self,
        caller: &Caller,
        id: SessionId,
        approvals: &[&ApprovalId],
    ) -> Result<SessionState, OperationError> {
        let snapshot = self.reads().snapshot(id).await?;
        let session = snapshot.and_then(|snapshot| Session::from_snapshot(&snapshot.header).ok());
        match session.filter(|session| approvals.iter().all(|id| session.approvals().contains_key(*id))) {
            Some(session) => Ok(SessionState { row: self.reads().session(id).await?, session }),
            None => self.session(caller, id).await,
        }
    }
}
