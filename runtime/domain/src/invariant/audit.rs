//! The examination of one session, record by record.

use super::calls::{self, Calls};
use super::erasure::Payloads;
use super::fault::{Fault, Problem};
use super::projection::{Approvals, LogSummary};
use super::stored::Stored;
use crate::event::{DecodeError, Event};
use crate::ids::{Digest, Fence, Seq};
use crate::log::{AppendRecord, ChainError, Tombstone};
use crate::projection::Snapshot;
use crate::session::Session;

/// Where a log stood once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its last event.
    pub seq: Seq,
    /// The hash of its last record.
    pub hash: Digest,
}

/// A session under examination.
#[derive(Debug)]
pub struct Audit {
    expected: Option<Head>,
    snapshot: Option<Snapshot>,
    at: Head,
    fence: Fence,
    session: Option<Session>,
    calls: Calls,
    approvals: Approvals,
    /// Up to where the chain can be followed and the events folded.
    reach: Reach,
    met_expected: bool,
    payloads: Payloads,
    problems: Vec<Problem>,
}

/// How far an examination got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Every event was folded so far.
    Folded,
    /// The chain holds, but the events cannot be folded: some were erased, or one cannot be.
    Chained,
    /// The chain is broken: what follows says nothing.
    Broken,
}

impl Audit {
    /// Before the first record, of a session that has this snapshot. Its log must once have stood at `expected`.
    pub fn new(snapshot: Option<Snapshot>, expected: Option<Head>) -> Self {
        Self {
            met_expected: expected.is_none_or(|head| head.seq == Seq(0)),
            expected,
            payloads: Payloads { snapshot: snapshot.is_some(), ..Payloads::default() },
            snapshot,
            at: Head { seq: Seq(0), hash: Digest::default() },
            fence: Fence(0),
            session: None,
            calls: Calls::default(),
            approvals: Approvals::default(),
            reach: Reach::Folded,
            problems: Vec::new(),
        }
    }

    /// Whether the chain is broken, so that no further record can be judged.
    pub fn is_broken(&self) -> bool {
        self.reach == Reach::Broken
    }

    /// The session as folded so far; `None` before its first event, or once an event could not be folded.
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref().filter(|_| self.reach == Reach::Folded)
    }

    /// The first thing found that does not hold, so far.
    pub fn first_problem(&self) -> Option<&Problem> {
        self.problems.first()
    }

    /// Takes the next record and returns the large values it names.
    pub fn record(&mut self, record: &AppendRecord) -> Vec<Digest> {
        if self.is_broken() {
            return Vec::new();
        }
        let first = record.header.first_seq;
        let events = match record.open(self.at.seq, self.at.hash) {
            Ok(events) => events,
            Err(ChainError::Erased { .. }) => {
                self.payloads.erased += 1;
                self.reach = Reach::Chained;
                Vec::new()
            }
            Err(error) => {
                self.problem(Some(first), fault(&error), error.to_string());
                self.reach = Reach::Broken;
                return Vec::new();
            }
        };
        self.payloads.buried = Tombstone::of(record).is_some();
        self.payloads.whole += u64::from(record.payload.is_some() && !self.payloads.buried);
        if record.header.fence < self.fence {
            self.problem(Some(first), Fault::Log, format!("the fence decreases at event {first}"));
        }
        self.at = Head { seq: record.header.last_seq, hash: record.hash };
        self.fence = record.header.fence;
        self.passes_expected(first);
        for event in &events {
            self.event(event, first);
        }
        self.passes_snapshot(first);
        events.iter().flat_map(|event| calls::contents(&event.body)).collect()
    }

    /// The problem with something the examined session names, or with reading it.
    pub fn problem(&mut self, record: Option<Seq>, fault: Fault, what: String) {
        self.problems.push(Problem { record, fault, what });
    }

    /// A record that cannot be read at all.
    pub fn unreadable(&mut self, what: String) {
        self.problem(Some(self.at.seq.next()), Fault::Log, what);
        self.reach = Reach::Broken;
    }

    /// All that does not hold of a log that ends here, whose row says `head`.
    pub fn finish(mut self, head: Head) -> Vec<Problem> {
        self.end(head);
        self.problems
    }

    /// All that does not hold of a session whose log ends here.
    pub fn finish_session(mut self, stored: &Stored) -> Vec<Problem> {
        self.end(Head { seq: stored.row.head_seq, hash: stored.row.head_hash });
        if !self.is_broken() {
            self.compare(stored);
        }
        self.problems
    }

    /// Compares what is stored beside the log with it, as far as the log could be read.
    fn compare(&mut self, stored: &Stored) {
        let log = LogSummary {
            fence: self.fence,
            snapshot: self.snapshot.as_ref().map(|snapshot| snapshot.seq),
            payloads: &self.payloads,
            session: self.session.take().filter(|_| self.reach == Reach::Folded),
            approvals: std::mem::take(&mut self.approvals),
        };
        for (fault, what) in log.differences(stored) {
            self.problem(None, fault, what);
        }
    }

    fn end(&mut self, head: Head) {
        if self.is_broken() {
            return;
        }
        if self.at != head {
            let (at, head) = (self.at.seq, head.seq);
            let what = format!("the log ends at event {at}, the session's row says {head}: records are missing");
            self.problem(Some(at.next()), Fault::Log, what);
        }
        if let Some(what) = self.payloads.unaccounted() {
            self.problem(None, Fault::Log, what);
        }
        if let Some(expected) = self.expected.filter(|_| !self.met_expected) {
            let at = self.at.seq;
            let what = format!("the log ends at event {at} and once ended at {}: it was cut", expected.seq);
            self.problem(Some(at.next()), Fault::Log, what);
        }
        if self.at != head {
            // What is derived from the missing records proves nothing more.
            self.reach = Reach::Broken;
        }
    }

    fn event(&mut self, event: &Event, record: Seq) {
        if self.reach != Reach::Folded {
            return;
        }
        let calls = self.calls.take(event);
        self.problems.extend(calls.map(|what| Problem { record: Some(record), fault: Fault::Log, what }));
        let folded = Session::advance(&mut self.session, event);
        if let Some(session) = &self.session {
            self.approvals.take(event, session.id());
        }
        if let Err(error) = folded {
            self.problem(Some(record), Fault::Log, error.to_string());
            self.reach = Reach::Chained;
        }
    }

    fn passes_expected(&mut self, record: Seq) {
        let Some(expected) = self.expected.filter(|expected| !self.met_expected && expected.seq <= self.at.seq) else {
            return;
        };
        self.met_expected = true;
        if expected != self.at {
            let what = format!("at event {} the log is another than it once was: it was rewritten", expected.seq);
            self.problem(Some(record), Fault::Log, what);
        }
    }

    /// A snapshot of another version's form is not one of this program's: the log is read instead of it.
    fn passes_snapshot(&mut self, record: Seq) {
        let Some(snapshot) = self.snapshot.take_if(|snapshot| snapshot.seq <= self.at.seq) else { return };
        let held = Session::from_snapshot(&snapshot.header).ok();
        let same = self.reach != Reach::Folded || held.is_none() || held == self.session;
        if !same || (Head { seq: snapshot.seq, hash: snapshot.hash }) != self.at {
            let what = format!("the snapshot of event {} is not what the log says", snapshot.seq);
            self.problem(Some(record), Fault::Projection, what);
        }
    }
}

fn fault(error: &ChainError) -> Fault {
    match error {
        ChainError::Unreadable { source: DecodeError::Newer { .. }, .. } => Fault::Newer,
        ChainError::Unreadable { .. }
        | ChainError::Gap { .. }
        | ChainError::Tampered { .. }
        | ChainError::Erased { .. } => Fault::Log,
    }
}

/// Everything that does not hold of a log whose row says `head` and `hash`; empty when all does.
pub fn check(records: &[AppendRecord], head: Seq, hash: Digest) -> Vec<String> {
    let mut audit = Audit::new(None, None);
    for record in records {
        audit.record(record);
    }
    audit.finish(Head { seq: head, hash }).iter().map(ToString::to_string).collect()
}
