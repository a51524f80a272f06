//! What the memory store holds, and its rules. Each write is checked first and then done in one go.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use provost_domain::command::Command;
use provost_domain::ids::{ApprovalId, CmdId, Digest, Fence, Handle, Owner, Seq, SessionId};
use provost_domain::log::AppendRecord;
use provost_domain::port::{
    Append, Appended, ApprovalRow, CommandOutcome, Erase, Erased, InboxEntry, Message, MessageRow, MessageState,
    NewMessage, NewSession, Park, Parked, Quiet, SessionRow, Snapshot, StoreError, Submitted, TakenOver, Then, Tried,
};
use provost_domain::status::Status;
use provost_domain::time::Timestamp;

use super::outbox::Messages;
use crate::check::head_after;
use crate::guards::Guards;
use crate::numbers::Numbers;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) guards: Guards,
    pub(super) sessions: BTreeMap<SessionId, Stored>,
    /// The sessions that something may wake: looking for work reads only these.
    awake: BTreeSet<SessionId>,
    pub(super) handles: HashMap<Handle, SessionId>,
    numbers: Numbers,
    pub(super) contents: HashMap<Digest, Vec<u8>>,
    /// Who refers to them.
    refs: BTreeSet<(Digest, SessionId)>,
    pub(super) approvals: BTreeMap<ApprovalId, ApprovalRow>,
    pub(super) messages: Messages,
}

pub(super) fn missing(what: &'static str, id: &dyn ToString) -> StoreError {
    StoreError::Missing { what, id: id.to_string() }
}

impl State {
    pub(super) fn allot(&mut self, prefix: &str, day: &str) -> Handle {
        let Self { numbers, handles, .. } = self;
        numbers.next(prefix, day, || {
            let start = format!("{prefix}-{day}-");
            let number = |handle: &Handle| handle.as_str().strip_prefix(&start)?.parse().ok();
            handles.keys().filter_map(number).max().unwrap_or(0)
        })
    }

    pub(super) fn create(&mut self, mut new: NewSession) -> Result<(), StoreError> {
        if self.sessions.contains_key(&new.id) || self.handles.contains_key(&new.handle) {
            let detail = format!("session {} or {} exists already; use an id that is not taken", new.id, new.handle);
            return Err(StoreError::Failed { detail });
        }
        let first = new.first.take();
        self.handles.insert(new.handle.clone(), new.id);
        self.sessions.insert(new.id, Stored::new(new, first.as_deref()));
        // A new row held by the append's own owner takes the append.
        first.map_or(Ok(()), |first| self.append(*first).map(drop))
    }

    pub(super) fn session(&self, id: SessionId) -> Result<&Stored, StoreError> {
        self.sessions.get(&id).ok_or_else(|| missing("session", &id))
    }

    /// Changes one session and keeps [`Self::awake`] right.
    pub(super) fn change<T>(
        &mut self,
        id: SessionId,
        work: impl FnOnce(&mut Stored) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let stored = self.sessions.get_mut(&id).ok_or_else(|| missing("session", &id))?;
        let result = work(stored);
        if stored.may_wake() {
            self.awake.insert(id);
        } else {
            self.awake.remove(&id);
        }
        result
    }

    pub(super) fn append(&mut self, append: Append) -> Result<Appended, StoreError> {
        let (session, contents, approvals) = (append.session, append.contents, append.approvals);
        let append = Append { contents: Vec::new(), approvals: Vec::new(), ..append };
        let guards = self.guards;
        let (appended, written) = self.change(session, |stored| stored.append(append, guards))?;
        if written {
            for content in contents {
                self.refs.insert((content.digest, session));
                self.contents.entry(content.digest).or_insert(content.bytes);
            }
            for change in approvals {
                change.apply(session, &mut self.approvals);
            }
        }
        Ok(appended)
    }

    pub(super) fn erase(&mut self, erase: Erase) -> Result<Erased, StoreError> {
        let id = erase.session;
        let (unsent, guards) = (self.messages.waiting(id), self.guards);
        let Some(records) = self.change(id, |stored| stored.erase(erase, unsent > 0, guards))? else {
            return Ok(Erased::Unsent { messages: unsent });
        };
        self.messages.remove(usize::MAX, |row| row.session == id);
        let mine: Vec<Digest> = self.refs.iter().filter(|(_, by)| *by == id).map(|(digest, _)| *digest).collect();
        self.refs.retain(|(_, by)| *by != id);
        for digest in mine {
            if !self.refs.iter().any(|(of, _)| *of == digest) {
                self.contents.remove(&digest);
            }
        }
        for row in self.approvals.values_mut().filter(|row| row.session == id) {
            row.args = serde_json::Value::Null;
            row.args_hash = Digest::default();
        }
        Ok(Erased::Done { records })
    }

    /// Whether it was stored now.
    pub(super) fn enqueue(&mut self, message: NewMessage) -> bool {
        let erased = self.sessions.get(&message.call.session).is_some_and(|stored| stored.row.erased_at.is_some());
        !erased && self.messages.enqueue(message)
    }

    pub(super) fn due(&mut self, target: &str, now: Timestamp, limit: usize) -> Vec<Message> {
        let due = self.messages.due(target, now, limit);
        if !self.guards.noting() {
            for Message { id, .. } in &due {
                self.messages.tried(&Tried { id: id.clone(), at: now, then: Then::Sent, note: String::new() });
            }
        }
        due
    }

    /// What an open session sent tells it that it need not be sent again.
    pub(super) fn prune_messages(&mut self, before: Timestamp, limit: usize) -> u64 {
        let sessions = &self.sessions;
        let is_open = |id| sessions.get(&id).is_some_and(|stored| !stored.row.ended);
        let is_old = |row: &MessageRow| row.state != MessageState::Waiting && row.at < before;
        self.messages.remove(limit, |row| is_old(row) && !is_open(row.session))
    }

    pub(super) fn expired(&self, before: Timestamp, after: Option<Quiet>) -> Vec<Quiet> {
        let ended = |row: &&SessionRow| row.ended && row.owner.is_none() && row.erased_at.is_none();
        let rows = self.sessions.values().map(|stored| &stored.row).filter(ended);
        let quiet = rows.map(|row| Quiet { since: row.progress_at, session: row.id });
        let mut quiet: Vec<_> = quiet.filter(|quiet| quiet.since < before && Some(*quiet) > after).collect();
        quiet.sort_unstable();
        quiet
    }

    pub(super) fn runnable(&self, owner: &Owner, now: Timestamp) -> impl Iterator<Item = SessionId> {
        let wanted = move |id: &&SessionId| self.sessions.get(id).is_some_and(|stored| stored.is_runnable(owner, now));
        self.awake.iter().filter(wanted).copied()
    }
}

#[derive(Debug)]
pub(super) struct Stored {
    pub(super) row: SessionRow,
    snapshot: Option<Snapshot>,
    records: Vec<AppendRecord>,
    inbox: Vec<(InboxEntry, Option<CommandOutcome>)>,
    /// The `wake_seq` up to which unread commands wake nobody: 0 where every guard is in place.
    seen: u64,
}

impl Stored {
    fn new(new: NewSession, first: Option<&Append>) -> Self {
        let row = SessionRow {
            id: new.id,
            handle: new.handle,
            pack: new.pack,
            pack_digest: new.pack_digest,
            status: Status::New.to_string(),
            ended: false,
            title: new.title,
            head_seq: Seq(0),
            head_hash: Digest::default(),
            fence: first.map_or(Fence(0), |first| first.fence),
            owner: first.map(|first| first.owner.clone()),
            wake_seq: 0,
            next_run_at: None,
            progress_at: new.at,
            takeovers: 0,
            created_at: new.at,
            erased_at: None,
        };
        Self { row, snapshot: None, records: Vec::new(), inbox: Vec::new(), seen: 0 }
    }

    fn has_unread(&self) -> bool {
        self.row.wake_seq > self.seen && self.inbox.iter().any(|(_, outcome)| outcome.is_none())
    }

    pub(super) fn unread(&self) -> Vec<InboxEntry> {
        self.inbox.iter().filter(|(_, outcome)| outcome.is_none()).map(|(entry, _)| entry.clone()).collect()
    }

    fn holds(&self, fence: Fence, owner: &Owner) -> bool {
        self.row.fence == fence && self.row.owner.as_ref() == Some(owner)
    }

    /// In progress, but nobody holds it and no timer would wake it.
    fn is_dropped(&self) -> bool {
        let row = &self.row;
        row.owner.is_none() && row.next_run_at.is_none() && !row.ended && row.status == Status::InProgress.as_str()
    }

    fn may_wake(&self) -> bool {
        self.row.owner.is_some() || self.row.next_run_at.is_some() || self.has_unread() || self.is_dropped()
    }

    fn is_runnable(&self, owner: &Owner, now: Timestamp) -> bool {
        match &self.row.owner {
            Some(held_by) => held_by != owner,
            None => self.has_unread() || self.row.next_run_at.is_some_and(|at| at <= now) || self.is_dropped(),
        }
    }

    fn unerased(&self) -> Result<(), StoreError> {
        let session = self.row.id;
        self.row.erased_at.map_or(Ok(()), |_| Err(StoreError::Erased { session }))
    }

    pub(super) fn take_over(&mut self, owner: &Owner) -> Result<TakenOver, StoreError> {
        self.unerased()?;
        let row = &mut self.row;
        row.fence = row.fence.next();
        if row.owner.replace(owner.clone()).is_some_and(|held_by| held_by != *owner) {
            row.takeovers = row.takeovers.saturating_add(1);
        }
        row.next_run_at = None;
        let after = self.snapshot.as_ref().map_or(Seq(0), |snapshot| snapshot.seq);
        let following = self.records.partition_point(|record| record.header.first_seq <= after);
        Ok(TakenOver {
            row: row.clone(),
            snapshot: self.snapshot.clone(),
            records: self.records.iter().skip(following).cloned().collect(),
            inbox: self.unread(),
        })
    }

    /// Also says whether it was written now, rather than before.
    fn append(&mut self, append: Append, guards: Guards) -> Result<(Appended, bool), StoreError> {
        let head_seq = head_after(&append);
        let prev = append.record.as_ref().map_or(self.row.head_hash, |record| record.prev);
        let held = self.holds(append.fence, &append.owner) || !guards.fence();
        if !held || self.row.head_seq != append.expected_seq || self.row.head_hash != prev {
            return match append.record {
                Some(record) if self.has(&record) => Ok((Appended { head_seq }, false)),
                Some(_) | None if held => Err(StoreError::Stale),
                Some(_) | None => Err(StoreError::Fenced),
            };
        }
        let row = &mut self.row;
        if let Some(record) = append.record {
            row.head_seq = head_seq;
            row.head_hash = record.hash;
            row.progress_at = append.at;
            self.records.push(record);
        }
        if append.progress {
            row.takeovers = 0;
        }
        row.status = append.status;
        row.ended = append.ended;
        if append.release {
            row.owner = None;
        }
        self.snapshot = append.snapshot.or(self.snapshot.take());
        for ack in append.acks {
            let entry = self.inbox.iter_mut().find(|(entry, outcome)| entry.cmd_id == ack.cmd_id && outcome.is_none());
            if let Some((_, outcome)) = entry {
                *outcome = Some(ack.outcome);
            }
        }
        Ok((Appended { head_seq }, true))
    }

    fn has(&self, record: &AppendRecord) -> bool {
        self.records.iter().rev().any(|known| known.header.cmd_id == record.header.cmd_id && known.hash == record.hash)
    }

    pub(super) fn park(&mut self, park: &Park, guards: Guards) -> Result<Parked, StoreError> {
        if !self.holds(park.fence, &park.owner) && guards.fence() {
            return Err(StoreError::Fenced);
        }
        if !guards.wake_seq() {
            self.seen = self.row.wake_seq;
        } else if self.row.wake_seq != park.wake_seq {
            return Ok(Parked::Woken { inbox: self.unread(), wake_seq: self.row.wake_seq });
        }
        self.row.owner = None;
        self.row.next_run_at = park.next_run_at;
        self.row.takeovers = 0;
        Ok(Parked::Parked)
    }

    pub(super) fn submit(&mut self, cmd_id: &CmdId, command: &Command) -> Result<Submitted, StoreError> {
        self.unerased()?;
        if let Some((_, outcome)) = self.inbox.iter().find(|(entry, _)| entry.cmd_id == *cmd_id) {
            return Ok(Submitted::Known(outcome.clone()));
        }
        self.inbox.push((InboxEntry { cmd_id: cmd_id.clone(), command: command.clone() }, None));
        self.row.wake_seq += 1;
        Ok(Submitted::Stored)
    }

    pub(super) fn outcome(&self, cmd_id: &CmdId) -> Result<Option<CommandOutcome>, StoreError> {
        self.unerased()?;
        let entry = self.inbox.iter().find(|(entry, _)| entry.cmd_id == *cmd_id);
        Ok(entry.and_then(|(_, outcome)| outcome.clone()))
    }

    /// Returns how many records lost their payload; `None`: none did, because of messages that are unsent.
    fn erase(&mut self, erase: Erase, unsent: bool, guards: Guards) -> Result<Option<u64>, StoreError> {
        if self.row.head_hash == erase.tombstone.hash {
            return Ok(Some(self.records.len().saturating_sub(1) as u64));
        }
        self.unerased()?;
        if unsent {
            return Ok(None);
        }
        let row = &mut self.row;
        let seen = row.fence == erase.fence && (row.head_seq, row.head_hash) == erase.head;
        let rests = row.ended && row.owner.is_none() && self.inbox.iter().all(|(_, outcome)| outcome.is_some());
        if guards.at_rest() && !(seen && rests) {
            return Err(StoreError::Stale);
        }
        let header = &erase.tombstone.header;
        (row.fence, row.head_seq, row.head_hash) = (header.fence, header.last_seq, erase.tombstone.hash);
        (row.erased_at, row.progress_at, row.next_run_at) = (Some(erase.at), erase.at, None);
        "erased".clone_into(&mut row.title);
        for record in &mut self.records {
            (record.payload, record.salt) = (None, None);
        }
        let records = self.records.len() as u64;
        self.records.push(erase.tombstone);
        self.snapshot = None;
        self.inbox.clear();
        Ok(Some(records))
    }

    /// From the record that holds the event after `after`.
    pub(super) fn records(&self, after: Seq, limit: usize) -> Vec<AppendRecord> {
        let read = self.records.partition_point(|record| record.header.last_seq <= after);
        self.records.iter().skip(read).take(limit).cloned().collect()
    }
}
