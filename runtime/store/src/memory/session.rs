//! One session of the store in memory, and the rules of its row.

use provost_domain::command::Command;
use provost_domain::ids::{CmdId, Digest, Fence, Owner, Seq};
use provost_domain::log::AppendRecord;
use provost_domain::port::{
    Append, Appended, CommandOutcome, Erase, InboxEntry, NewSession, Park, Parked, SessionRow, Snapshot, StoreError,
    Submitted, TakenOver,
};
use provost_domain::status::Status;
use provost_domain::time::Timestamp;

use crate::check::head_after;
use crate::guards::Guards;

/// What of a session waits outside of its log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits {
    /// Messages that are not sent yet.
    pub(super) messages: u64,
    /// Whether its deliveries are being worked on.
    pub(super) deliveries: bool,
}

#[derive(Debug)]
pub(super) struct Stored {
    pub(super) row: SessionRow,
    pub(super) snapshot: Option<Snapshot>,
    pub(super) records: Vec<AppendRecord>,
    inbox: Vec<(InboxEntry, Option<CommandOutcome>)>,
    /// The `wake_seq` up to which unread commands wake nobody: 0 where every guard is in place.
    seen: u64,
}

impl Stored {
    pub(super) fn new(new: NewSession, first: Option<&Append>) -> Self {
        let row = SessionRow {
            id: new.id,
            handle: new.handle,
            pack: new.pack,
            pack_digest: new.pack_digest,
            status: Status::New,
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

    /// One at rest, with its whole log.
    pub(super) fn imported(row: SessionRow, snapshot: Snapshot, records: Vec<AppendRecord>) -> Self {
        Self { row, snapshot: Some(snapshot), records, inbox: Vec::new(), seen: 0 }
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
        row.owner.is_none() && row.next_run_at.is_none() && !row.ended && row.status == Status::InProgress
    }

    pub(super) fn may_wake(&self) -> bool {
        self.row.owner.is_some() || self.row.next_run_at.is_some() || self.has_unread() || self.is_dropped()
    }

    pub(super) fn is_runnable(&self, owner: &Owner, now: Timestamp) -> bool {
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

    /// Whether an append would be written.
    pub(super) fn takes(&self, append: &Append, guards: Guards) -> bool {
        let prev = append.record.as_ref().map_or(self.row.head_hash, |record| record.prev);
        let held = self.holds(append.fence, &append.owner) || !guards.fence();
        held && self.row.head_seq == append.expected_seq && self.row.head_hash == prev
    }

    /// Also says whether it was written now, rather than before.
    pub(super) fn append(&mut self, append: Append, guards: Guards) -> Result<(Appended, bool), StoreError> {
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
        self.inbox.push((InboxEntry { cmd_id: cmd_id.clone(), command: Ok(command.clone()) }, None));
        self.row.wake_seq += 1;
        Ok(Submitted::Stored)
    }

    pub(super) fn outcome(&self, cmd_id: &CmdId) -> Result<Option<CommandOutcome>, StoreError> {
        self.unerased()?;
        let entry = self.inbox.iter().find(|(entry, _)| entry.cmd_id == *cmd_id);
        Ok(entry.and_then(|(_, outcome)| outcome.clone()))
    }

    /// Returns how many records lost their payload; `None`: none did, because of what waits elsewhere.
    pub(super) fn erase(&mut self, erase: Erase, waits: Waits, guards: Guards) -> Result<Option<u64>, StoreError> {
        if self.row.head_hash == erase.tombstone.hash {
            return Ok(Some(self.records.len().saturating_sub(1) as u64));
        }
        self.unerased()?;
        if waits.messages > 0 {
            return Ok(None);
        }
        let row = &mut self.row;
        let seen = row.fence == erase.fence && (row.head_seq, row.head_hash) == erase.head;
        let rests = row.ended
            && row.owner.is_none()
            && !waits.deliveries
            && self.inbox.iter().all(|(_, outcome)| outcome.is_some());
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
