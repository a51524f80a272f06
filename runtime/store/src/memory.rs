//! The store in memory: the same promises but durability. For tests, simulation and the engine's own speed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use provost_domain::command::Command;
use provost_domain::ids::{ApprovalId, CmdId, Digest, Fence, Handle, Owner, Seq, SessionId};
use provost_domain::log::AppendRecord;
use provost_domain::port::{
    Append, Appended, ApprovalChange, ApprovalFilter, ApprovalRow, Claimed, CommandLog, CommandOutcome, InboxEntry,
    NewSession, Park, Parked, Reads, SessionFilter, SessionRow, SessionStore, Snapshot, StoreError, Submitted,
    TakenOver,
};
use provost_domain::time::Timestamp;

/// Longest list one call returns.
const LIST_MAX: u32 = 500;

/// A store that forgets everything with its process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sessions: BTreeMap<SessionId, Stored>,
    handles: HashMap<Handle, SessionId>,
    counters: HashMap<(String, String), u64>,
    contents: HashMap<Digest, Vec<u8>>,
    approvals: BTreeMap<ApprovalId, ApprovalRow>,
}

#[derive(Debug)]
struct Stored {
    row: SessionRow,
    snapshot: Option<Snapshot>,
    records: Vec<AppendRecord>,
    inbox: Vec<(InboxEntry, Option<CommandOutcome>)>,
}

impl Stored {
    fn unread(&self) -> Vec<InboxEntry> {
        self.inbox.iter().filter(|(_, outcome)| outcome.is_none()).map(|(entry, _)| entry.clone()).collect()
    }

    fn holds(&self, fence: Fence, owner: &Owner) -> bool {
        self.row.fence == fence && self.row.owner.as_ref() == Some(owner)
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        // A panic elsewhere cannot leave a half-done write: each write is checked first and then done in one go.
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn on<T>(&self, id: SessionId, work: impl FnOnce(&mut Stored) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.with(|state| work(state.sessions.get_mut(&id).ok_or_else(|| missing("session", &id.to_string()))?))
    }
}

fn missing(what: &'static str, id: &str) -> StoreError {
    StoreError::Missing { what, id: id.to_owned() }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn create(&self, new: NewSession) -> Result<Handle, StoreError> {
        self.with(|state| {
            if state.sessions.contains_key(&new.id) {
                return Err(StoreError::Damaged { detail: format!("session {} exists already", new.id) });
            }
            let number = state.counters.entry((new.handle_prefix.clone(), new.day.clone())).or_default();
            *number += 1;
            let handle = Handle::new(format!("{}-{}-{number:04}", new.handle_prefix, new.day));
            let row = SessionRow {
                id: new.id,
                handle: handle.clone(),
                pack: new.pack,
                pack_digest: new.pack_digest,
                status: "new".to_owned(),
                ended: false,
                title: new.title,
                head_seq: Seq(0),
                head_hash: Digest::default(),
                fence: Fence(0),
                owner: None,
                wake_seq: 0,
                next_run_at: None,
                progress_at: new.at,
                takeovers: 0,
                created_at: new.at,
            };
            state.handles.insert(handle.clone(), new.id);
            let stored = Stored { row, snapshot: None, records: Vec::new(), inbox: Vec::new() };
            state.sessions.insert(new.id, stored);
            Ok(handle)
        })
    }

    async fn take_over(&self, session: SessionId, owner: &Owner) -> Result<TakenOver, StoreError> {
        self.on(session, |stored| {
            stored.row.fence = stored.row.fence.next();
            stored.row.owner = Some(owner.clone());
            stored.row.takeovers += 1;
            let after = stored.snapshot.as_ref().map_or(Seq(0), |snapshot| snapshot.seq);
            Ok(TakenOver {
                row: stored.row.clone(),
                snapshot: stored.snapshot.clone(),
                records: stored.records.iter().filter(|r| r.header.first_seq > after).cloned().collect(),
                inbox: stored.unread(),
            })
        })
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        self.with(|state| {
            let stored = state.sessions.get_mut(&append.session);
            let stored = stored.ok_or_else(|| missing("session", &append.session.to_string()))?;
            let prev = append.record.as_ref().map_or(stored.row.head_hash, |record| record.prev);
            let held = stored.holds(append.fence, &append.owner);
            if !held || stored.row.head_seq != append.expected_seq || stored.row.head_hash != prev {
                let same = |record: &AppendRecord| stored.records.iter().rev().any(|r| r.hash == record.hash);
                return match &append.record {
                    Some(record) if same(record) => Ok(Appended { head_seq: record.header.last_seq }),
                    Some(_) | None if held => Err(StoreError::Stale),
                    Some(_) | None => Err(StoreError::Fenced),
                };
            }
            stored.apply(&append);
            for content in append.contents {
                state.contents.entry(content.digest).or_insert(content.bytes);
            }
            for change in append.approvals {
                state.approval(change);
            }
            let stored = state.sessions.get_mut(&append.session);
            let stored = stored.ok_or_else(|| missing("session", &append.session.to_string()))?;
            stored.records.extend(append.record);
            Ok(Appended { head_seq: stored.row.head_seq })
        })
    }

    async fn park(&self, park: Park) -> Result<Parked, StoreError> {
        self.on(park.session, |stored| {
            if !stored.holds(park.fence, &park.owner) {
                return Err(StoreError::Fenced);
            }
            if stored.row.wake_seq != park.wake_seq {
                return Ok(Parked::Woken { inbox: stored.unread(), wake_seq: stored.row.wake_seq });
            }
            stored.row.owner = None;
            stored.row.next_run_at = park.next_run_at;
            Ok(Parked::Parked)
        })
    }
}

impl State {
    fn approval(&mut self, change: ApprovalChange) {
        match change {
            ApprovalChange::Asked(row) => drop(self.approvals.entry(row.id.clone()).or_insert(*row)),
            ApprovalChange::Decided { id, state, by, edited, at } => {
                let Some(row) = self.approvals.get_mut(&id).filter(|row| row.state == "pending") else { return };
                state.clone_into(&mut row.state);
                row.decided_by = by;
                row.decided_at = Some(at);
                if let Some((args, hash)) = edited {
                    row.args = args;
                    row.args_hash = hash;
                }
            }
        }
    }
}

impl Stored {
    fn apply(&mut self, append: &Append) {
        if let Some(record) = &append.record {
            self.row.head_seq = record.header.last_seq;
            self.row.head_hash = record.hash;
        }
        self.row.status.clone_from(&append.status);
        self.row.ended = append.ended;
        self.row.progress_at = append.at;
        self.row.takeovers = 0;
        self.row.next_run_at = None;
        if append.ended {
            self.row.owner = None;
        }
        if let Some(snapshot) = &append.snapshot {
            self.snapshot = Some(snapshot.clone());
        }
        for ack in &append.acks {
            let entry = self.inbox.iter_mut().find(|(entry, outcome)| entry.cmd_id == ack.cmd_id && outcome.is_none());
            if let Some((_, outcome)) = entry {
                *outcome = Some(ack.outcome.clone());
            }
        }
    }
}

#[async_trait]
impl CommandLog for MemoryStore {
    async fn submit(&self, cmd_id: &CmdId, session: SessionId, command: &Command) -> Result<Submitted, StoreError> {
        self.on(session, |stored| {
            if let Some((_, outcome)) = stored.inbox.iter().find(|(entry, _)| entry.cmd_id == *cmd_id) {
                return Ok(Submitted::Known(outcome.clone()));
            }
            stored.inbox.push((InboxEntry { cmd_id: cmd_id.clone(), command: command.clone() }, None));
            stored.row.wake_seq += 1;
            Ok(Submitted::Stored)
        })
    }

    async fn outcome(&self, cmd_id: &CmdId, session: SessionId) -> Result<Option<CommandOutcome>, StoreError> {
        self.on(session, |stored| {
            Ok(stored.inbox.iter().find(|(entry, _)| entry.cmd_id == *cmd_id).and_then(|(_, outcome)| outcome.clone()))
        })
    }

    async fn inbox(&self, session: SessionId) -> Result<(Vec<InboxEntry>, u64), StoreError> {
        self.on(session, |stored| Ok((stored.unread(), stored.row.wake_seq)))
    }

    async fn runnable(&self, owner: &Owner, now: Timestamp, limit: u32) -> Result<Vec<Claimed>, StoreError> {
        let wanted = |stored: &&Stored| match &stored.row.owner {
            Some(held_by) => held_by != owner,
            None => !stored.unread().is_empty() || stored.row.next_run_at.is_some_and(|at| at <= now),
        };
        self.with(|state| {
            let found = state.sessions.values().filter(wanted).map(|stored| Claimed { session: stored.row.id });
            Ok(found.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
        })
    }
}

#[async_trait]
impl Reads for MemoryStore {
    async fn session(&self, id: SessionId) -> Result<SessionRow, StoreError> {
        self.on(id, |stored| Ok(stored.row.clone()))
    }

    async fn by_handle(&self, handle: &Handle) -> Result<SessionId, StoreError> {
        self.with(|state| state.handles.get(handle).copied()).ok_or_else(|| missing("session", handle.as_str()))
    }

    async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<SessionRow>, StoreError> {
        let limit = usize::try_from(filter.limit.min(LIST_MAX)).unwrap_or(usize::MAX);
        let fits = |row: &&SessionRow| {
            filter.status.as_ref().is_none_or(|status| row.status == *status)
                && filter.pack.as_ref().is_none_or(|pack| row.pack == *pack)
                && filter.before.is_none_or(|before| row.id < before)
        };
        let newest = |state: &mut State| {
            state.sessions.values().rev().map(|stored| &stored.row).filter(fits).take(limit).cloned().collect()
        };
        Ok(self.with(newest))
    }

    async fn records(&self, id: SessionId, after: Seq, limit: u32) -> Result<Vec<AppendRecord>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.on(id, |stored| {
            Ok(stored.records.iter().filter(|r| r.header.last_seq > after).take(limit).cloned().collect())
        })
    }

    async fn content(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        self.with(|state| state.contents.get(&digest).cloned()).ok_or_else(|| missing("content", &digest.hex()))
    }

    async fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<ApprovalRow>, StoreError> {
        let fits = |row: &&ApprovalRow| {
            filter.session.is_none_or(|session| row.session == session)
                && (!filter.pending_only || row.state == "pending")
        };
        let mut rows: Vec<_> = self.with(|state| state.approvals.values().filter(fits).cloned().collect());
        rows.sort_by_key(|row| std::cmp::Reverse(row.requested_at));
        rows.truncate(usize::try_from(filter.limit.min(LIST_MAX)).unwrap_or(usize::MAX));
        Ok(rows)
    }

    async fn approval(&self, id: &ApprovalId) -> Result<ApprovalRow, StoreError> {
        self.with(|state| state.approvals.get(id).cloned()).ok_or_else(|| missing("approval", id.as_str()))
    }
}
