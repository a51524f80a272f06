//! What the session's own side reports.

use super::draft::{Draft, Recorder, runtime};
use super::{answer, call, flow, stop, watch};
use crate::event::{AssignmentRedispatched, CallReissued, ModelFailed, ModelReplied, OutcomeUnknown, ToolReturned};
use crate::failure::{AgentFailure, ModelFailure};
use crate::ids::{AssignmentId, CallId};
use crate::model::ModelReply;
use crate::pack::RoleKind;
use crate::recovery::{Plan, plan};
use crate::session::{CallState, Intent, Owed, Turn, owed};
use crate::terminal::FrameworkStatus;
use crate::tool::{EffectClass, Happened, RecordedOutcome, ToolOutcome};

/// Plans every call that was intended under an older fence.
pub(super) fn taken_over(draft: &mut Draft<'_>) {
    let in_doubt: Vec<_> = owed(&draft.session, draft.facts.fence)
        .into_iter()
        .filter_map(|owed| match owed {
            Owed::InDoubt(call) => call.intent().map(|intent| (call.id.clone(), intent.effect)),
            Owed::AskModel { .. } | Owed::Run(_) | Owed::Poll { .. } => None,
        })
        .collect();
    for (call, effect) in in_doubt {
        doubt(draft, call, effect, "the process ended while this call was being made");
    }
    tick(draft);
}

/// One call whose end nobody saw: again, or a person.
fn doubt(draft: &mut Draft<'_>, call: CallId, effect: EffectClass, cause: &str) {
    match plan(effect) {
        Plan::RunAgain => draft.push(CallReissued { call }),
        Plan::AskPerson => draft.push(OutcomeUnknown { call, cause: cause.to_owned() }),
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
        CallState::Intended(intent) | CallState::Unknown(intent) => Some(intent.clone()),
        CallState::Proposed | CallState::Waiting(_) | CallState::Approved(_) | CallState::Settled(_) => None,
    });
    if intent.is_none() && !in_doubt {
        return;
    }
    if let Some(cause) = unknowable(intent.as_ref(), outcome) {
        if !in_doubt {
            draft.push(OutcomeUnknown { call: id.clone(), cause });
        }
        return;
    }
    let (recorded, content) = RecordedOutcome::of(outcome.clone());
    draft.keep(content);
    draft.push(ToolReturned { call: id.clone(), outcome: recorded });
    let polled = |turn: &Turn| turn.role == RoleKind::Watcher && turn.calls.iter().any(|call| call.id == *id);
    if draft.session.turn().is_some_and(polled) {
        watch::measure(draft, outcome);
    }
}

/// A failure after which nobody knows whether the effect happened, of a call that must not be repeated.
fn unknowable(intent: Option<&Intent>, outcome: &ToolOutcome) -> Option<String> {
    let repeatable = intent.is_some_and(|intent| plan(intent.effect) == Plan::RunAgain);
    match outcome {
        ToolOutcome::Failed { failure } if failure.happened == Happened::Maybe && !repeatable => {
            Some(failure.detail.clone())
        }
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
    if draft.session.turn().is_some_and(|turn| turn.assignment == assignment) {
        redispatch(draft, cause, AgentFailure::WorkerLost { detail: cause.to_owned() });
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
    for id in draft.session.running() {
        let Some(effect) = draft.session.call(&id).and_then(|call| call.intent()).map(|i| i.effect) else { continue };
        doubt(draft, id, effect, cause);
    }
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
