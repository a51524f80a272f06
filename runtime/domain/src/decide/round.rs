//! The next question to a model, if the limits allow it.

use std::time::Duration;

use super::draft::{Draft, runtime};
use crate::event::{Limit, LimitReached, ModelRequested};
use crate::ids::AssignmentId;
use crate::request;
use crate::status::Status;
use crate::terminal::FrameworkStatus;
use crate::work::{Turn, Work};

/// Asks the model once more. What it may use is reserved before the call.
pub(super) fn next(draft: &mut Draft<'_>, assignment: AssignmentId) {
    let Some(work) = draft.session.works().get(&assignment) else { return };
    let Some(turn) = work.turn() else { return };
    let reserved = request::reservation(work, turn);
    if let Some((limit, bound)) = limit(draft, work, turn, reserved) {
        return limit_reached(draft, Some(assignment), limit, bound);
    }
    let round = turn.round + 1;
    draft.push(ModelRequested { assignment, round, reserved });
}

/// The limit that one more question would break, with its bound.
fn limit(draft: &Draft<'_>, work: &Work, turn: &Turn, reserved: u64) -> Option<(Limit, u64)> {
    let (session, limits) = (&draft.session, draft.facts.pack.limits);
    // A wait that ends with this very decision is not in the work's account yet.
    let waits = *session.status() == Status::AwaitingInput;
    let waited = if waits { draft.facts.now.since(session.status_at()) } else { Duration::ZERO };
    let wall = draft.facts.now.since(work.issued_at).saturating_sub(work.waited).saturating_sub(waited);
    let tokens = session.usage().tokens().saturating_add(reserved);
    let cost = session.usage().cost_micro_usd.unwrap_or(0);
    let wall_ms = u64::try_from(limits.turn_wall.as_millis()).unwrap_or(u64::MAX);
    let repeats = turn.repeats(session.calls_of(work));
    let broken = [
        (turn.round >= limits.model_calls_per_turn, Limit::ModelCalls, u64::from(limits.model_calls_per_turn)),
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
