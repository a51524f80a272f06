//! The next step of a session, as far as it goes without the world. A pure function of the session and the facts: the same
//! step follows whoever asks, when, and after whichever crash.

use std::collections::BTreeSet;

use crate::call::{Call, CallState};
use crate::envelope::FINISH_TOOL;
use crate::ids::{AssignmentId, CallId, Fence};
use crate::session::{Handover, Session, owed};
use crate::status::Status;
use crate::terminal::FrameworkStatus;
use crate::work::{Exchange, Work, WorkKind};

/// One step. Each records at least one event.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a step that is not taken is lost"]
pub(super) enum Step {
    /// The open claim's effect has its result: verify the claim, or refuse it.
    ConcludeClaim,
    /// The target of this call is free of other calls of the session.
    GoOn(CallId),
    /// A terminal claim's turn has come: all other calls of its message have settled.
    RaiseClaim(CallId),
    /// The turn's end is asked for by its tool.
    FinishByTool(CallId),
    /// A reply without calls is the turn's end, or is sent back.
    FinishByText(AssignmentId),
    /// Ask the model once more.
    NextRound(AssignmentId),
    /// Take the first measurement.
    Poll(AssignmentId),
    /// Report what was measured.
    EndWatch(AssignmentId),
    /// No work stands in the way: go on as the log says.
    HandOver(Handover),
    /// The status says what is owed or waited for.
    MoveStatus(FrameworkStatus, &'static str),
    /// Nothing: the world's turn, or the session's end.
    Rest,
}

/// The next step of a session that is held under a fence. Some of its calls wait for their targets; one of them may be ready.
pub(super) fn next_step(session: &Session, fence: Fence, waiting: &BTreeSet<CallId>, ready: Option<CallId>) -> Step {
    if session.status().is_end() || *session.status() == Status::New {
        return Step::Rest;
    }
    if let Some(call) = ready {
        return Step::GoOn(call);
    }
    // A claim that is under way decides first: it may close the session.
    let step = if session.claim().is_some() {
        session.effect().and_then(Call::settled).map(|_| Step::ConcludeClaim)
    } else {
        let of_works = session.works().values().find_map(|work| step_of(session, work, waiting));
        of_works.or_else(|| session.handover().cloned().map(Step::HandOver))
    };
    step.unwrap_or_else(|| status_step(session, fence))
}

fn step_of(session: &Session, work: &Work, waiting: &BTreeSet<CallId>) -> Option<Step> {
    match &work.kind {
        WorkKind::Asking(turn) => match turn.exchange {
            Exchange::Ready => Some(Step::NextRound(work.assignment)),
            Exchange::Asked => None,
            Exchange::Replied => step_of_reply(session, work, waiting),
        },
        WorkKind::Watching(_) if !session.all_settled(work) => None,
        WorkKind::Watching(watch) if watch.is_over() => Some(Step::EndWatch(work.assignment)),
        WorkKind::Watching(watch) if watch.is_new() && work.calls.is_empty() => Some(Step::Poll(work.assignment)),
        WorkKind::Watching(_) => None,
    }
}

/// Once all calls of a reply have settled; the terminal claim, then the turn's end, last.
fn step_of_reply(session: &Session, work: &Work, waiting: &BTreeSet<CallId>) -> Option<Step> {
    let mut last: Option<&Call> = None;
    for call in session.calls_of(work) {
        match &call.state {
            CallState::Settled(_) => {}
            CallState::Waiting(_) | CallState::Intended(_) | CallState::Probing(_) | CallState::Unknown(_) => {
                return None;
            }
            CallState::Proposed | CallState::Approved(_) if waiting.contains(&call.id) => return None,
            CallState::Proposed | CallState::Approved(_) => {
                let closes_first = call.wire != FINISH_TOOL || last.is_none();
                last = if closes_first { Some(call) } else { last };
            }
        }
    }
    Some(match last {
        None if work.calls.is_empty() => Step::FinishByText(work.assignment),
        None => Step::NextRound(work.assignment),
        Some(call) if call.wire == FINISH_TOOL => Step::FinishByTool(call.id.clone()),
        Some(call) => Step::RaiseClaim(call.id.clone()),
    })
}

/// `in_progress` exactly while something is owed, `awaiting_input` exactly while only waits remain.
fn status_step(session: &Session, fence: Fence) -> Step {
    let (to, reason) = if !owed(session, fence).is_empty() {
        (FrameworkStatus::InProgress, "work goes on")
    } else if !session.unknown().is_empty() {
        (FrameworkStatus::AwaitingInput, "outcome_unknown")
    } else if !session.approvals().is_empty() {
        (FrameworkStatus::AwaitingInput, "approval")
    } else if session.operator().is_some() {
        (FrameworkStatus::AwaitingInput, "operator_input")
    } else {
        (FrameworkStatus::NeedsReview, "no agent is at work; retry, or claim an outcome")
    };
    if *session.status() == to.status() { Step::Rest } else { Step::MoveStatus(to, reason) }
}
