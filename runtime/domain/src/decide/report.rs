//! What the session's own side reports.

use super::draft::{Draft, Recorder, runtime};
use super::{answer, call, flow, stop, watch};
use crate::event::{
    AssignmentRedispatched, CallProbed, CallReissued, ModelFailed, ModelReplied, OutcomeUnknown, ProbeFinding,
    ProbeRequested, ToolReturned,
};
use crate::failure::{AgentFailure, ModelFailure};
use crate::ids::{AssignmentId, CallId};
use crate::model::ModelReply;
use crate::pack::RoleKind;
use crate::recovery::{Plan, plan};
use crate::session::{CallState, Intent, Owed, Turn, owed};
use crate::terminal::FrameworkStatus;
use crate::tool::{Happened, ProbeAnswer, RecordedOutcome, ToolOutcome};

/// Plans every call that was intended under an older fence.
pub(super) fn taken_over(draft: &mut Draft<'_>) {
    let in_doubt: Vec<_> = owed(&draft.session, draft.facts.fence)
        .into_iter()
        .filter_map(|owed| match owed {
            Owed::InDoubt(call) => call.intent().map(|intent| (call.id.clone(), planned(intent))),
            Owed::AskModel { .. } | Owed::Run(_) | Owed::Probe(_) | Owed::Poll { .. } => None,
        })
        .collect();
    for (call, plan) in in_doubt {
        doubt(draft, call, plan, "the process ended while this call was being made");
    }
    tick(draft);
}

fn planned(intent: &Intent) -> Plan {
    plan(intent.effect, intent.probes)
}

/// One call whose end nobody saw: again, its tool, or a person.
fn doubt(draft: &mut Draft<'_>, call: CallId, plan: Plan, cause: &str) {
    let cause = cause.to_owned();
    match plan {
        Plan::RunAgain => draft.push(CallReissued { call }),
        Plan::Probe => draft.push(ProbeRequested { call, cause }),
        Plan::AskPerson => draft.push(OutcomeUnknown { call, cause }),
    }
}

pub(super) fn replied(
    draft: &mut Draft<'_>,
    assignment: AssignmentId,
    round: u32,
    result: Result<ModelReply, ModelFailure>,
) {
    let expected = draft.session.turn().is_some_and(|t| t.assignment == assignment && t.round == round && t.asked);
    if !expected {
        return;
    }
    match result {
        Ok(reply) => {
            draft.push(ModelReplied { assignment, round, reply: reply.bounded() });
            call::propose_all(draft);
        }
        Err(failure) => {
            draft.push(ModelFailed { assignment, round, failure: failure.clone() });
            flow::agent_failed(draft, AgentFailure::Model { failure });
        }
    }
}

pub(super) fn returned(draft: &mut Draft<'_>, id: &CallId, outcome: &ToolOutcome) {
    let in_doubt = draft.session.unknown().contains_key(id);
    let intent = draft.session.call(id).and_then(|call| match &call.state {
        CallState::Intended(intent) | CallState::Probing(intent) | CallState::Unknown(intent) => Some(intent.clone()),
        CallState::Proposed | CallState::Waiting(_) | CallState::Approved(_) | CallState::Settled(_) => None,
    });
    if intent.is_none() && !in_doubt {
        return;
    }
    let plan = intent.as_ref().map_or(Plan::AskPerson, planned);
    if let Some(cause) = lost(outcome).filter(|_| plan != Plan::RunAgain) {
        // What is asked about already, of the tool or of a person, stays so.
        if draft.session.call(id).is_some_and(|call| call.intent().is_some()) {
            doubt(draft, id.clone(), plan, cause);
        }
        return;
    }
    record(draft, id, outcome);
}

/// Records what came of a call.
fn record(draft: &mut Draft<'_>, id: &CallId, outcome: &ToolOutcome) {
    let lost = draft.session.call(id).and_then(|call| call.intent()).is_some_and(|intent| intent.lost);
    let known = if lost { outcome.clone().after_a_lost_attempt() } else { outcome.clone() };
    let (recorded, content) = RecordedOutcome::of(known);
    draft.keep(content);
    draft.push(ToolReturned { call: id.clone(), outcome: recorded });
    let polled = |turn: &Turn| turn.role == RoleKind::Watcher && turn.calls.iter().any(|call| call.id == *id);
    if draft.session.turn().is_some_and(polled) {
        watch::measure(draft, outcome);
    }
}

/// What a tool said of a call that is asked about: its outcome, once more, or a person.
pub(super) fn probed(draft: &mut Draft<'_>, id: &CallId, answer: ProbeAnswer) {
    if draft.session.call(id).is_none_or(|call| call.probing().is_none()) {
        return;
    }
    let call = id.clone();
    match known(answer) {
        ProbeAnswer::Happened { outcome } => {
            draft.push(CallProbed { call, finding: ProbeFinding::Happened });
            record(draft, id, &outcome);
        }
        ProbeAnswer::DidNotHappen => {
            draft.push(CallProbed { call: call.clone(), finding: ProbeFinding::DidNotHappen });
            draft.push(CallReissued { call });
        }
        ProbeAnswer::CannotTell { detail } => {
            let finding = ProbeFinding::CannotTell { detail: detail.clone() };
            draft.push(CallProbed { call: call.clone(), finding });
            draft.push(OutcomeUnknown { call, cause: detail });
        }
    }
}

/// An answer that itself leaves open whether the call happened is none.
fn known(answer: ProbeAnswer) -> ProbeAnswer {
    match &answer {
        ProbeAnswer::Happened { outcome } => {
            lost(outcome).map(|detail| ProbeAnswer::CannotTell { detail: detail.to_owned() }).unwrap_or(answer)
        }
        ProbeAnswer::DidNotHappen | ProbeAnswer::CannotTell { .. } => answer,
    }
}

/// A failure after which nobody knows whether the effect happened, in words.
fn lost(outcome: &ToolOutcome) -> Option<&str> {
    match outcome {
        ToolOutcome::Failed { failure } if failure.happened == Happened::Maybe => Some(&failure.detail),
        ToolOutcome::Failed { .. }
        | ToolOutcome::Ok { .. }
        | ToolOutcome::Empty { .. }
        | ToolOutcome::Truncated { .. } => None,
    }
}

/// Expiries, polls and silence.
pub(super) fn tick(draft: &mut Draft<'_>) {
    answer::expire(draft);
    if draft.session.claim().is_some() {
        return;
    }
    watch::tick(draft);
    let Some(turn) = draft.session.turn() else { return };
    let working = !owed(&draft.session, draft.facts.fence).is_empty();
    if turn.role == RoleKind::Watcher || !working || draft.facts.now < turn.silent_at(draft.facts.since) {
        return;
    }
    let deadline_ms = u64::try_from(turn.patience.as_millis()).unwrap_or(u64::MAX);
    let failure = AgentFailure::Silent { deadline_ms };
    redispatch(draft, &format!("nothing was recorded within {deadline_ms} ms"), failure);
}

pub(super) fn worker_lost(draft: &mut Draft<'_>, assignment: AssignmentId, cause: &str) {
    match draft.session.turn() {
        Some(turn) if turn.assignment == assignment => {
            redispatch(draft, cause, AgentFailure::WorkerLost { detail: cause.to_owned() });
        }
        Some(_) => {}
        // It made the call of a person's claim.
        None => doubt_all(draft, cause),
    }
}

/// The calls under way are in doubt as after a crash. A tool that was to be asked is simply asked again.
fn doubt_all(draft: &mut Draft<'_>, cause: &str) {
    for id in draft.session.running() {
        let Some(plan) = draft.session.call(&id).and_then(|call| call.intent()).map(planned) else { continue };
        doubt(draft, id, plan, cause);
    }
}

/// Gives the assignment out again, byte for byte, once. Calls under way are in doubt as after a crash.
fn redispatch(draft: &mut Draft<'_>, cause: &str, failure: AgentFailure) {
    let Some(turn) = draft.session.turn() else { return };
    let (assignment, again) = (turn.assignment, turn.redispatched);
    let deadline_at = draft.facts.now.plus(turn.patience);
    if again {
        return flow::agent_failed(draft, failure);
    }
    doubt_all(draft, cause);
    draft.push(AssignmentRedispatched { assignment, cause: cause.to_owned(), deadline_at });
}

/// Ends the run as `error`: nothing of it is tried again before a person has looked.
pub(super) fn given_up(recorder: &mut Recorder, cause: &str) {
    if recorder.session.status().is_end() {
        return;
    }
    stop::abandon(recorder, &runtime(), "the session was given up while this call was being made");
    recorder.set_status(FrameworkStatus::Error, cause, &runtime());
}
