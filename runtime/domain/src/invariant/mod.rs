//! What must hold of every session, checked from the outside, record by record: the memory it takes does not grow with
//! what the records hold.
//!
//! | file | what is checked |
//! |---|---|
//! | `mod` | the chain: gapless, unchanged, the fence never decreasing, the head where the row and an older export say; that what
//!   was erased was erased as a whole, and the log's last record accounts for it |
//! | `calls` | intents, outcomes, approvals used |
//! | `projection` | what is derived from the log, against the log; that a session at rest can be woken |

mod calls;
mod projection;

use crate::event::{DecodeError, Event};
use crate::ids::{Digest, Fence, Seq};
use crate::log::{AppendRecord, ChainError, Tombstone};
use crate::port::Snapshot;
use crate::session::Session;

use calls::Calls;
use projection::Approvals;
pub use projection::Stored;

/// What kind of thing does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The log itself.
    Log,
    /// Nothing: it was written by a newer version.
    Newer,
    /// Something derived from the log.
    Projection,
    /// A large result that an event names.
    Content,
    /// Nothing would ever wake the session.
    Asleep,
}

impl Fault {
    /// What to do about it.
    pub const fn next(self) -> &'static str {
        match self {
            Self::Log => "keep the file, and take the session from a backup made before",
            Self::Newer => "upgrade this program, then verify again",
            Self::Projection => {
                "the log is whole: keep the file, `provost sessions export` the session and import it into another store"
            }
            Self::Content => "keep the file, and take the session from a backup made before; its events can be read",
            Self::Asleep => "start it, stop it or say something to it: any command wakes it",
        }
    }
}

/// One thing that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Problem {
    /// The first event of the record it was seen at, if at one.
    pub record: Option<Seq>,
    /// What kind of thing it is.
    pub fault: Fault,
    /// What is wrong.
    pub what: String,
}

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
    kept: Kept,
    problems: Vec<Problem>,
}

/// What the records still hold.
#[derive(Debug, Default)]
struct Kept {
    /// Records without a payload.
    erased: u64,
    /// Records with one, the tombstone not counted.
    whole: u64,
    /// Whether the last record is a tombstone.
    buried: bool,
    /// Whether there is a snapshot beside them.
    snapshot: bool,
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
            kept: Kept { snapshot: snapshot.is_some(), ..Kept::default() },
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

    /// Takes the next record and returns the large results it names.
    pub fn record(&mut self, record: &AppendRecord) -> Vec<Digest> {
        if self.is_broken() {
            return Vec::new();
        }
        let first = record.header.first_seq;
        let events = match record.open(self.at.seq, self.at.hash) {
            Ok(events) => events,
            Err(ChainError::Erased { .. }) => {
                self.kept.erased += 1;
                self.reach = Reach::Chained;
                Vec::new()
            }
            Err(error) => {
                self.problem(Some(first), fault(&error), error.to_string());
                self.reach = Reach::Broken;
                return Vec::new();
            }
        };
        self.kept.buried = Tombstone::of(record).is_some();
        self.kept.whole += u64::from(record.payload.is_some() && !self.kept.buried);
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
        events.iter().filter_map(|event| calls::content(&event.body)).collect()
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

    fn end(&mut self, head: Head) {
        if self.is_broken() {
            return;
        }
        if self.at != head {
            let (at, head) = (self.at.seq, head.seq);
            let what = format!("the log ends at event {at}, the session's row says {head}: records are missing");
            self.problem(Some(at.next()), Fault::Log, what);
        }
        if let Some(what) = self.kept.unaccounted() {
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

impl Kept {
    /// What is wrong with an erasure, at the log's end.
    fn unaccounted(&self) -> Option<String> {
        let Self { erased, whole, buried, snapshot: _ } = self;
        if !buried {
            return (*erased > 0).then(|| {
                format!("{erased} records were erased, and no tombstone ends the log: nobody accounts for it")
            });
        }
        (*whole > 0)
            .then(|| format!("the log ends in a tombstone, and {whole} records before it still hold their payload"))
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

#[cfg(test)]
mod tests;
