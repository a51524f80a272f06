//! Messages to the outside, in memory.

use std::collections::{BTreeMap, HashMap};

use provost_domain::attention::AttentionNotice;
use provost_domain::ids::{MessageId, SessionId};
use provost_domain::port::{
    Message, MessageFilter, MessageRow, MessageState, NewMessage, PAUSE_MAX, Queued, StoreError, Then, Tried,
};
use provost_domain::time::Timestamp;
use provost_domain::tool::ToolCall;

/// All messages, in the order of storing.
#[derive(Debug, Default)]
pub(super) struct Messages {
    kept: BTreeMap<u64, Kept>,
    places: HashMap<MessageId, u64>,
    last: u64,
}

#[derive(Debug)]
struct Kept {
    row: MessageRow,
    call: ToolCall,
    since: Timestamp,
}

impl Messages {
    pub(super) fn enqueue(&mut self, new: NewMessage) -> bool {
        let id = new.id();
        if self.places.contains_key(&id) {
            return false;
        }
        self.last += 1;
        self.places.insert(id.clone(), self.last);
        let NewMessage { call, at } = new;
        let row = MessageRow {
            seq: self.last,
            id,
            target: call.tool.to_string(),
            session: call.session,
            key: call.key.clone(),
            state: MessageState::Waiting,
            note: String::new(),
            tries: 0,
            at,
            tried_at: None,
            next_at: Some(at),
        };
        self.kept.insert(self.last, Kept { row, call, since: at });
        true
    }

    fn change(&mut self, id: &MessageId, wanted: impl Fn(MessageState) -> bool, work: impl FnOnce(&mut Kept)) -> bool {
        let kept = self.places.get(id).and_then(|place| self.kept.get_mut(place));
        let Some(kept) = kept.filter(|kept| wanted(kept.row.state)) else { return false };
        work(kept);
        true
    }

    pub(super) fn tried(&mut self, tried: &Tried) -> bool {
        self.change(
            &tried.id,
            |state| state == MessageState::Waiting,
            |Kept { row, .. }| {
                (row.state, row.next_at) = match tried.then {
                    Then::Sent => (MessageState::Sent, None),
                    Then::Again { at } => (MessageState::Waiting, Some(at)),
                    Then::Failed => (MessageState::Failed, None),
                };
                row.tries += 1;
                row.tried_at = Some(tried.at);
                row.note.clone_from(&tried.note);
            },
        )
    }

    pub(super) fn again(&mut self, id: &MessageId, at: Timestamp) -> bool {
        self.change(
            id,
            |state| state != MessageState::Sent,
            |Kept { row, since, .. }| (row.state, row.next_at, *since) = (MessageState::Waiting, Some(at), at),
        )
    }

    pub(super) fn queued(&self) -> Vec<Queued> {
        let mut targets: BTreeMap<&str, Queued> = BTreeMap::new();
        for row in self.kept.values().map(|kept| &kept.row) {
            let Some(next_at) = row.next_at else { continue };
            let none = || Queued { target: row.target.clone(), count: 0, next_at, last_at: next_at };
            let queued = targets.entry(&row.target).or_insert_with(none);
            queued.count += 1;
            if !self.is_behind(row) {
                queued.next_at = next_at.min(queued.next_at);
                queued.last_at = next_at.max(queued.last_at);
            }
        }
        targets.into_values().collect()
    }

    pub(super) fn due(&self, target: &str, now: Timestamp, limit: usize) -> Vec<Message> {
        let farthest = now.plus(PAUSE_MAX);
        let has_come = |at: Timestamp| at <= now || at > farthest;
        let is_due = |kept: &&Kept| {
            kept.row.target == target && kept.row.next_at.is_some_and(has_come) && !self.is_behind(&kept.row)
        };
        let mut due: Vec<&Kept> = self.kept.values().filter(is_due).collect();
        due.sort_by_key(|kept| (kept.row.next_at, kept.row.seq));
        let message = |Kept { row, call, since }: &Kept| Message {
            id: row.id.clone(),
            call: call.clone(),
            tries: row.tries,
            since: *since,
        };
        due.into_iter().take(limit).map(message).collect()
    }

    /// Whether a message waits for an earlier one: those of the runtime itself about one session reach a target in their order.
    fn is_behind(&self, row: &MessageRow) -> bool {
        let ours = |seq: &u64| self.kept.get(seq).is_some_and(|kept| AttentionNotice::is_one(&kept.call));
        let mut before = self.kept.range(..row.seq).map(|(_, kept)| kept);
        ours(&row.seq)
            && before.any(|kept| {
                let other = &kept.row;
                let beside = other.session == row.session && other.target == row.target;
                beside && other.state == MessageState::Waiting && AttentionNotice::is_one(&kept.call)
            })
    }

    pub(super) fn message(&self, id: &MessageId) -> Result<MessageRow, StoreError> {
        let kept = self.places.get(id).and_then(|place| self.kept.get(place));
        kept.map(|kept| kept.row.clone()).ok_or_else(|| StoreError::missing("message", id))
    }

    pub(super) fn list(&self, filter: &MessageFilter, limit: usize) -> Vec<MessageRow> {
        let before = self.kept.range(..filter.before.unwrap_or(u64::MAX)).rev().map(|(_, kept)| &kept.row);
        let fits = |row: &&MessageRow| {
            filter.state.is_none_or(|state| row.state == state)
                && filter.session.is_none_or(|session| row.session == session)
        };
        before.filter(fits).take(limit).cloned().collect()
    }

    /// How many of a session's messages wait.
    pub(super) fn waiting(&self, session: SessionId) -> u64 {
        let waits = |kept: &&Kept| kept.row.session == session && kept.row.state == MessageState::Waiting;
        self.kept.values().filter(waits).count() as u64
    }

    /// Removes the oldest that are like this. Returns how many.
    pub(super) fn remove(&mut self, limit: usize, wanted: impl Fn(&MessageRow) -> bool) -> u64 {
        let mut gone: Vec<_> = self.kept.values().map(|kept| &kept.row).filter(|row| wanted(row)).collect();
        gone.sort_by_key(|row| row.at);
        let gone: Vec<_> = gone.into_iter().take(limit).map(|row| (row.seq, row.id.clone())).collect();
        for (seq, id) in &gone {
            self.kept.remove(seq);
            self.places.remove(id);
        }
        gone.len() as u64
    }
}
