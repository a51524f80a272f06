//! Requests by their idempotency keys, in memory.

use std::collections::{BTreeSet, HashMap};

use provost_domain::ids::{Digest, SessionId};
use provost_domain::port::{KeptAnswer, KnownRequest};
use provost_domain::time::Timestamp;

/// Old notes that one claim forgets, as on disk.
const FORGOTTEN: usize = 16;

/// What is stored for each idempotency key.
#[derive(Debug, Default)]
pub(super) struct RequestTable(HashMap<Digest, Note>);

#[derive(Debug)]
struct Note {
    known: KnownRequest,
    /// The sessions that its answer speaks of.
    about: BTreeSet<SessionId>,
    /// Whether its answer may speak of any session.
    unlinked: bool,
}

impl RequestTable {
    pub(super) fn claim(&mut self, key: Digest, fingerprint: Digest, at: Timestamp, forget: Timestamp) -> KnownRequest {
        if self.0.get(&key).is_some_and(|note| note.known.at < forget) {
            self.0.remove(&key);
        }
        self.forget(forget, FORGOTTEN);
        let new =
            || Note { known: KnownRequest { fingerprint, at, answer: None }, about: BTreeSet::new(), unlinked: false };
        self.0.entry(key).or_insert_with(new).known.clone()
    }

    /// Removes the oldest of what is older. Returns how many.
    pub(super) fn forget(&mut self, before: Timestamp, limit: usize) -> u64 {
        let old = self.0.iter().filter(|(_, note)| note.known.at < before);
        let mut old: Vec<_> = old.map(|(key, note)| (note.known.at, *key)).collect();
        old.sort_unstable();
        old.truncate(limit);
        for (_, key) in &old {
            self.0.remove(key);
        }
        old.len() as u64
    }

    /// Keeps an answer that speaks of these sessions, or of whichever.
    pub(super) fn answer(&mut self, key: Digest, answer: &KeptAnswer, about: BTreeSet<SessionId>, unlinked: bool) {
        let Some(note) = self.0.get_mut(&key) else { return };
        note.about.extend(about);
        if note.known.answer.is_none() {
            note.known.answer = Some(answer.clone());
            note.unlinked = unlinked;
        }
    }

    /// Drops the answers that speak of a session or may do so. The notes stay.
    pub(super) fn erase(&mut self, session: SessionId) {
        for note in self.0.values_mut() {
            if note.about.remove(&session) || note.unlinked {
                note.known.answer = None;
                note.unlinked = false;
            }
        }
    }
}
