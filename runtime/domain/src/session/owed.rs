//! What is owed: a function of the folded state and the fence. The one path for live work and for recovery.

use std::collections::BTreeSet;

use super::{Call, CallState, Session};
use crate::ids::{ApprovalId, AssignmentId, CallId, Fence};
use crate::pack::RoleKind;
use crate::time::Timestamp;

/// One thing the world must be asked for.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "what is owed must be performed"]
pub enum Owed<'a> {
    /// Ask the model this round's question. A model call is a read: owed under any fence.
    AskModel {
        /// The assignment.
        assignment: AssignmentId,
        /// The round.
        round: u32,
    },
    /// Make this call, intended under the present fence.
    Run(&'a Call),
    /// This call was intended under an older fence: nobody here saw it end.
    InDoubt(&'a Call),
    /// Ask the tool whether this call happened. That is a read: owed under any fence.
    Probe(&'a Call),
    /// A watcher must poll again at this time.
    Poll {
        /// The assignment.
        assignment: AssignmentId,
        /// When.
        at: Timestamp,
    },
}

/// One thing a session waits for from outside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wait {
    /// An approval.
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
    let mut owed = Vec::new();
    let effect = session.claim().and_then(|claim| claim.effect.as_ref());
    let calls = session.turn().map(|turn| turn.calls.as_slice()).unwrap_or_default();
    for call in calls.iter().chain(effect) {
        if let Some(intent) = call.intent() {
            owed.push(if intent.fence == fence { Owed::Run(call) } else { Owed::InDoubt(call) });
        } else if call.probing().is_some() {
            owed.push(Owed::Probe(call));
        }
    }
    let Some(turn) = session.turn() else { return owed };
    if turn.asked {
        owed.push(Owed::AskModel { assignment: turn.assignment, round: turn.round });
    }
    if turn.role == RoleKind::Watcher
        && turn.all_settled()
        && let Some(at) = turn.watch.next_at
    {
        owed.push(Owed::Poll { assignment: turn.assignment, at });
    }
    owed
}

impl Session {
    /// All that it waits for.
    pub fn waits(&self) -> BTreeSet<Wait> {
        let approvals = self.approvals().keys().cloned().map(Wait::Approval);
        let operator = self.operator().map(|_| Wait::Operator);
        let outcomes = self.unknown().keys().cloned().map(Wait::Outcome);
        approvals.chain(operator).chain(outcomes).collect()
    }

    /// The next instant at which time itself changes something, for an owner that holds the session since `since`.
    pub fn next_timer(&self, fence: Fence, since: Timestamp) -> Option<Timestamp> {
        if self.status().is_end() {
            return None;
        }
        let expiries = self.approvals().values().map(|pending| pending.asked.expires_at);
        let working = !owed(self, fence).is_empty();
        let turn = self.turn().filter(|_| working && self.claim().is_none());
        let quiet = turn.map(|turn| turn.silent_at(since));
        let poll = turn.filter(|turn| turn.all_settled()).and_then(|turn| turn.watch.due_at(fence, since));
        expiries.chain(quiet).chain(poll).min()
    }

    /// The call of this id, wherever it stands.
    pub fn call(&self, id: &CallId) -> Option<&Call> {
        let effect = self.claim().and_then(|claim| claim.effect.as_ref());
        self.turn().into_iter().flat_map(|turn| &turn.calls).chain(effect).find(|call| call.id == *id)
    }

    /// The calls whose intent has no outcome yet.
    pub(crate) fn running(&self) -> Vec<CallId> {
        let effect = self.claim().and_then(|claim| claim.effect.as_ref());
        let calls = self.turn().into_iter().flat_map(|turn| &turn.calls).chain(effect);
        let open = |call: &&Call| matches!(call.state, CallState::Intended(_) | CallState::Probing(_));
        calls.filter(open).map(|call| call.id.clone()).collect()
    }
}
