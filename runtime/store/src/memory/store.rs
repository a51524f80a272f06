//! The sessions' ports.

use async_trait::async_trait;
use provost_domain::claims::ClaimKey;
use provost_domain::command::Command;
use provost_domain::event::ApprovalState;
use provost_domain::ids::{ApprovalId, CmdId, Digest, Handle, Owner, Seq, SessionId};
use provost_domain::log::AppendRecord;
use provost_domain::port::{
    Append, Appended, ApprovalFilter, ApprovalOrder, ApprovalRow, ClaimRow, Claimed, CommandLog, CommandOutcome, Erase,
    Erased, Erasure, InboxEntry, NewSession, Park, Parked, Prunable, Quiet, Reads, SessionFilter, SessionRow,
    SessionStore, Snapshot, StoreError, Submitted, TakenOver,
};
use provost_domain::time::Timestamp;

use super::state::State;
use crate::bounds::LIST_MAX;
use crate::check;
use crate::sync::{Mutex, PoisonError};

/// A store that forgets everything with its process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store that does without one guard.
    #[cfg(feature = "controls")]
    pub fn without(removed: crate::Removed) -> Self {
        let store = Self::default();
        store.with(|state| state.guards.removed = Some(removed));
        store
    }

    pub(super) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        // A panic elsewhere cannot leave a half-done write.
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(super) fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn allot(&self, prefix: &str, day: &str) -> Result<Handle, StoreError> {
        Ok(self.with(|state| state.allot(prefix, day)))
    }

    async fn create(&self, new: NewSession) -> Result<(), StoreError> {
        check::new(&new)?;
        self.with(|state| state.create(new))
    }

    async fn take_over(&self, session: SessionId, owner: &Owner) -> Result<TakenOver, StoreError> {
        self.with(|state| state.change(session, |stored| stored.take_over(owner)))
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        check::append(&append)?;
        self.with(|state| state.append(append))
    }

    async fn park(&self, park: Park) -> Result<Parked, StoreError> {
        self.with(|state| {
            let guards = state.guards;
            state.change(park.session, |stored| stored.park(&park, guards))
        })
    }
}

#[async_trait]
impl CommandLog for MemoryStore {
    async fn submit(&self, cmd_id: &CmdId, session: SessionId, command: &Command) -> Result<Submitted, StoreError> {
        self.with(|state| state.change(session, |stored| stored.submit(cmd_id, command)))
    }

    async fn outcome(&self, cmd_id: &CmdId, session: SessionId) -> Result<Option<CommandOutcome>, StoreError> {
        self.with(|state| state.session(session).and_then(|stored| stored.outcome(cmd_id)))
    }

    async fn inbox(&self, session: SessionId) -> Result<(Vec<InboxEntry>, u64), StoreError> {
        self.with(|state| state.session(session).map(|stored| (stored.unread(), stored.row.wake_seq)))
    }

    async fn runnable(&self, owner: &Owner, now: Timestamp, limit: u32) -> Result<Vec<Claimed>, StoreError> {
        self.with(|state| {
            let found = state.runnable(owner, now).take(count(limit));
            Ok(found.map(|session| Claimed { session }).collect())
        })
    }
}

#[async_trait]
impl Erasure for MemoryStore {
    async fn erase(&self, erase: Erase) -> Result<Erased, StoreError> {
        check::tombstone(&erase)?;
        self.with(|state| state.erase(erase))
    }

    async fn expired(&self, before: Timestamp, after: Option<Quiet>, limit: u32) -> Result<Vec<Quiet>, StoreError> {
        let mut expired = self.with(|state| state.expired(before, after));
        expired.truncate(count(limit));
        Ok(expired)
    }

    async fn prune(&self, what: Prunable, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        match what {
            Prunable::Outbox => Ok(self.with(|state| state.prune_messages(before, count(limit)))),
            Prunable::Deliveries => Ok(self.with(|state| state.prune_deliveries(before, count(limit)))),
            Prunable::Requests => Ok(self.with(|state| state.requests.forget(before, count(limit)))),
        }
    }

    /// It has no file.
    async fn scrub(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl Reads for MemoryStore {
    async fn session(&self, id: SessionId) -> Result<SessionRow, StoreError> {
        self.with(|state| state.session(id).map(|stored| stored.row.clone()))
    }

    async fn by_handle(&self, handle: &Handle) -> Result<SessionId, StoreError> {
        self.with(|state| state.handles.get(handle).copied()).ok_or_else(|| StoreError::missing("session", handle))
    }

    async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<SessionRow>, StoreError> {
        let fits = |row: &&SessionRow| {
            filter.status.as_ref().is_none_or(|status| row.status == *status)
                && filter.pack.as_ref().is_none_or(|pack| row.pack == *pack)
                && filter.before.is_none_or(|before| row.id < before)
        };
        self.with(|state| {
            let newest = state.sessions.values().rev().map(|stored| &stored.row);
            Ok(newest.filter(fits).take(count(filter.limit.min(LIST_MAX))).cloned().collect())
        })
    }

    async fn records(&self, id: SessionId, after: Seq, limit: u32) -> Result<Vec<AppendRecord>, StoreError> {
        self.with(|state| state.session(id).map(|stored| stored.records(after, count(limit))))
    }

    async fn snapshot(&self, id: SessionId) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.with(|state| state.session(id).ok().and_then(|stored| stored.snapshot.clone())))
    }

    async fn content(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        self.with(|state| state.contents.get(&digest).cloned()).ok_or_else(|| StoreError::missing("content", &digest))
    }

    async fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<ApprovalRow>, StoreError> {
        let fits = |row: &&ApprovalRow| {
            filter.session.is_none_or(|session| row.session == session)
                && (!filter.pending_only || row.state == ApprovalState::Pending)
        };
        let mut rows: Vec<_> = self.with(|state| state.approvals.values().filter(fits).cloned().collect());
        rows.sort_by(|a, b| (a.requested_at, &a.id).cmp(&(b.requested_at, &b.id)));
        match (filter.session, filter.order) {
            (Some(_), _) | (None, ApprovalOrder::NewestFirst) => rows.reverse(),
            (None, ApprovalOrder::OldestFirst) => {}
        }
        rows.truncate(count(filter.limit.min(LIST_MAX)));
        Ok(rows)
    }

    async fn holder(&self, key: &ClaimKey) -> Result<Option<ClaimRow>, StoreError> {
        Ok(self.with(|state| state.claims.holder(key)))
    }

    async fn approval(&self, id: &ApprovalId) -> Result<ApprovalRow, StoreError> {
        self.with(|state| state.approvals.get(id).cloned()).ok_or_else(|| StoreError::missing("approval", id))
    }
}
