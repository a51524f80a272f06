//! The next question to a model, if the limits allow it.

use super::draft::{Draft, runtime};
use super::fail;
use crate::event::{Limit, LimitReached, ModelFailed, ModelRequested};
use crate::failure::AgentFailure;
use crate::fallback::ModelChoice;
use crate::ids::AssignmentId;
use crate::request;
use crate::terminal::FrameworkStatus;
use crate::work::{Turn, Work};

/// Asks the model once more. What it may use is reserved before the call.
pub(super) fn next(draft: &mut Draft<'_>, assignment: AssignmentId) {
    let Some(work) = draft.session.works().get(&assignment) else { return };
    let Some(turn) = work.turn() else { return };
    let reserved = request::reservation(work, turn);
    let Some(to_ask) = draft.session.turn_to_ask(work) else { return };
    if let Some((limit, bound)) = limit(draft, work, &to_ask, reserved) {
        return limit_reached(draft, Some(assignment), limit, bound);
    }
    put(draft, to_ask, assignment, reserved, &ModelChoice::First);
}

/// Puts a question again whose reply is outstanding: nobody saw it leave, or its answer is lost. It is recorded again only
/// where another request leaves, because a server, a model or a tool changed meanwhile.
pub(super) fn again(draft: &mut Draft<'_>, assignment: AssignmentId) {
    let turn = draft.session.works().get(&assignment).and_then(Work::turn);
    let waits = turn.filter(|turn| turn.deferral.is_some()).and_then(|turn| turn.request.as_ref());
    let choice = waits.map_or(ModelChoice::First, |request| ModelChoice::Waiting(request.origin.clone()));
    put_outstanding(draft, assignment, &choice);
}

/// Puts a question whose reply is outstanding to the model that is chosen.
pub(super) fn put_outstanding(draft: &mut Draft<'_>, assignment: AssignmentId, choice: &ModelChoice) {
    let Some(work) = draft.session.works().get(&assignment) else { return };
    let Some(turn) = work.turn().filter(|turn| turn.is_asked()) else { return };
    let (to_ask, reserved) = (turn.clone(), request::reservation(work, turn));
    put(draft, to_ask, assignment, reserved, choice);
}

/// Records the request before it leaves. One that cannot leave has failed.
fn put(draft: &mut Draft<'_>, turn: Turn, assignment: AssignmentId, reserved: u64, choice: &ModelChoice) {
    let Some(work) = draft.session.works().get(&assignment) else { return };
    let outstanding = turn.is_asked();
    let (round, before) = (turn.round, turn.request.clone());
    let asked = ModelRequested { assignment, round, reserved, server: None, model: None, body_sha256: None };
    match draft.question(work, turn, choice) {
        Ok(question) => {
            let pin = question.pin.clone();
            if !outstanding || before.as_ref() != Some(&pin) {
                let (server, model) = (Some(pin.origin.server), Some(pin.origin.model));
                draft.push(ModelRequested { server, model, body_sha256: Some(pin.body_sha256), ..asked });
            }
            draft.ask(question);
        }
        Err(failure) => {
            if !outstanding {
                draft.push(asked);
            }
            draft.push(ModelFailed { assignment, round, failure: failure.clone() });
            fail::agent(draft, assignment, AgentFailure::Model { failure });
        }
    }
}

/// The limit that the question of a turn would break, with its bound.
fn limit(draft: &Draft<'_>, work: &Work, to_ask: &Turn, reserved: u64) -> Option<(Limit, u64)> {
    let (session, limits) = (&draft.session, draft.facts.pack.limits);
    let wall = session.elapsed(work, draft.facts.fence, (draft.facts.since, draft.facts.now));
    let tokens = session.usage().tokens().saturating_add(reserved);
    // What has no price does not take away what the rest cost.
    let cost = session.priced_micro_usd();
    let wall_ms = u64::try_from(limits.turn_wall.as_millis()).unwrap_or(u64::MAX);
    let repeats = if work.calls.is_empty() { 1 } else { to_ask.repeat.1 };
    let asked = to_ask.round.saturating_sub(1);
    let broken = [
        (asked >= limits.model_calls_per_turn, Limit::ModelCalls, u64::from(limits.model_calls_per_turn)),
        (repeats >= limits.no_progress, Limit::NoProgress, u64::from(limits.no_progress)),
        (wall > limits.turn_wall, Limit::TurnWall, wall_ms),
        (tokens > limits.session_tokens, Limit::SessionTokens, limits.session_tokens),
        (cost > limits.session_cost_micro_usd, Limit::SessionCost, limits.session_cost_micro_usd),
    ];
    broken.into_iter().find(|(broken, _, _)| *broken).map(|(_, limit, bound)| (limit, bound))
}

/// Ends the run with its partial work kept: a person looks.
pub(super) fn limit_reached(draft: &mut Draft<'_>, assignment: Option<AssignmentId>, limit: Limit, bound: u64) {
    draft.push(LimitReached { limit, bound, assignment });
    draft.set_status(FrameworkStatus::NeedsReview, format!("limit `{limit}` ({bound}) reached"), &runtime());
}
