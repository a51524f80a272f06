//! What the daemon acknowledged: every answer, every event.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use provost_domain::ids::{Digest, SessionId};
use serde_json::Value;

/// A command that was answered with yes: the log must hold what it made, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Promise {
    pub(super) session: SessionId,
    /// The event's kind, and a field of it that names what it is about.
    pub(super) kind: &'static str,
    pub(super) field: &'static str,
    pub(super) value: String,
}

/// Everything acknowledged.
#[derive(Debug, Clone, Default)]
pub(super) struct Acknowledged {
    /// Sessions that were opened, by case.
    pub(super) opened: BTreeMap<u64, SessionId>,
    /// Digests of events that were sent, by position.
    pub(super) seen: BTreeMap<SessionId, BTreeMap<u64, Digest>>,
    pub(super) promises: Vec<Promise>,
    /// Keys of commands that were sent and have no answer yet.
    pub(super) unanswered: BTreeSet<String>,
    /// Requests answered with yes.
    pub(super) answers: u64,
    /// Refusals, by code.
    pub(super) refusals: BTreeMap<String, u64>,
    /// What broke a rule already, by rule.
    pub(super) complaints: Vec<(&'static str, String)>,
}

/// Filled in by all cases.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<Acknowledged>);

/// An event as it is remembered.
pub(super) fn digest(event: &Value) -> Digest {
    Digest::of(event.to_string().as_bytes())
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, Acknowledged> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn opened(&self, case: u64, session: SessionId) {
        let mut ledger = self.lock();
        ledger.answers += 1;
        ledger.opened.insert(case, session);
    }

    /// An event was sent. The same position must always hold the same event.
    pub(super) fn saw(&self, session: SessionId, seq: u64, event: &Value) {
        let mut ledger = self.lock();
        let before = ledger.seen.entry(session).or_default().insert(seq, digest(event));
        if before.is_some_and(|before| before != digest(event)) {
            ledger.complaints.push(("acknowledged_lost", format!("{session}: event {seq} was another one before")));
        }
    }

    /// A command is sent, again and again, until it is answered.
    pub(super) fn sent(&self, key: &str) {
        self.lock().unanswered.insert(key.to_owned());
    }

    pub(super) fn answered(&self, key: &str) {
        self.lock().unanswered.remove(key);
    }

    pub(super) fn promised(&self, promise: Promise) {
        let mut ledger = self.lock();
        ledger.answers += 1;
        ledger.promises.push(promise);
    }

    pub(super) fn refused(&self, code: &str) {
        *self.lock().refusals.entry(code.to_owned()).or_default() += 1;
    }

    pub(super) fn complain(&self, rule: &'static str, what: String) {
        self.lock().complaints.push((rule, what));
    }

    /// How many sessions were opened and how many events seen.
    pub(super) fn sizes(&self) -> (usize, usize) {
        let ledger = self.lock();
        (ledger.opened.len(), ledger.seen.values().map(BTreeMap::len).sum())
    }

    pub(super) fn all(&self) -> Acknowledged {
        self.lock().clone()
    }
}
