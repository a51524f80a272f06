//! What is owed: a function of the folded state and the fence. The one path for live work and for recovery.

use std::collections::BTreeSet;

use super::header::Session;
use crate::call::{Call, CallOwner};
use crate::ids::{ApprovalId, AssignmentId, CallId, Fence};
use crate::time::Timestamp;
use crate::work::{Work, WorkKind};

/// One thing the world must be asked for.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "what is owed must be performed"]
pub enum Owed<'a> {
    /// Ask the model this round's question. A model call is a read: owed under any fence.
    AskModel {
        /// The assignment whose turn asks.
        assignment: AssignmentId,
        /// The model call within its turn, counted from 1.
        round: u32,
    },
    /// Make this call, intended under the present fence.
    Run(&'a Call),
    /// This call was intended under an older fence: nobody here saw it end.
    InDoubt(&'a Call),
    /// This call pauses until its tool may answer again: nothing of it is under way, under any fence.
    Paused(&'a Call),
    /// Ask the tool whether this call happened. That is a read: owed under any fence.
    Probe(&'a Call),
    /// A measurement is to be taken again at this time.
    Poll {
        /// The assignment that measures.
        assignment: AssignmentId,
        /// When.
        at: Timestamp,
    },
}

/// One thing a session waits for from outside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wait {
    /// A person's answer to this approval.
    Approval(ApprovalId),
    /// An operator's words.
    Operator,
    /// The settling of an unknown outcome.
    Outcome(CallId),
}

/// All that is owed by a session held under a fence.
pub fn owed(session: &Session, fence: Fence) -> Vec<Owed<'_>> {
    if session.status().is_end() {
        return Vec::new();
    }
    let mut owed: Vec<_> = session.open_calls().filter_map(|call| owed_of(call, fence)).collect();
    for work in session.works().values() {
        let assignment = work.assignment;
        match &work.kind {
            WorkKind::Asking(turn) if turn.is_asked() => owed.push(Owed::AskModel { assignment, round: turn.round }),
            WorkKind::Watching(watch) if session.all_settled(work) => {
                owed.extend(watch.next_at.map(|at| Owed::Poll { assignment, at }));
            }
            WorkKind::Asking(_) | WorkKind::Watching(_) => {}
        }
    }
    owed
}

fn owed_of(call: &Call, fence: Fence) -> Option<Owed<'_>> {
    if call.pausing().is_some() {
        return Some(Owed::Paused(call));
    }
    if let Some(intent) = call.intent() {
        return Some(if intent.fence == fence { Owed::Run(call) } else { Owed::InDoubt(call) });
    }
    call.probing().map(|_| Owed::Probe(call))
}

impl Session {
    /// Everything that must come from outside before the session goes on.
    pub fn waits(&self) -> BTreeSet<Wait> {
        let approvals = self.approvals().keys().cloned().map(Wait::Approval);
        let operator = self.operator().map(|_| Wait::Operator);
        let outcomes = self.unknown().keys().cloned().map(Wait::Outcome);
        approvals.chain(operator).chain(outcomes).collect()
    }

    /// A work's open calls, in their order.
    pub fn calls_of<'a>(&'a self, work: &'a Work) -> impl Iterator<Item = &'a Call> + Clone {
        work.calls.iter().filter_map(|id| self.calls.get(id))
    }

    /// Every open call: those of the works in their order, then the effect of an open claim.
    pub fn open_calls(&self) -> impl Iterator<Item = &Call> {
        let effect = self.calls.values().filter(|call| call.owner == CallOwner::Claim);
        self.works().values().flat_map(|work| self.calls_of(work)).chain(effect)
    }

    /// The effect of the open claim, once it is intended.
    pub fn effect(&self) -> Option<&Call> {
        self.calls.get(&self.claim()?.call.effect())
    }

    /// Whether every open call of a work has its result.
    pub fn all_settled(&self, work: &Work) -> bool {
        self.calls_of(work).all(|call| call.settled().is_some())
    }

    /// The calls whose intent has no outcome yet.
    pub(crate) fn running(&self) -> Vec<CallId> {
        self.open_calls().filter(|call| call.is_running()).map(|call| call.id.clone()).collect()
    }
}
