//! What every decision ends in: the turn moves on as far as it can, and the status says what is owed or waited for.

use super::draft::{Draft, runtime};
use super::{Facts, claim, finish, retry, stop, watch};
use crate::envelope::FINISH_TOOL;
use crate::event::{AgentFailed, AssignmentIssued, Limit, LimitReached, ModelRequested};
use crate::failure::AgentFailure;
use crate::ids::{AgentName, CallId};
use crate::pack::RoleKind;
use crate::request;
use crate::retry::should_retry;
use crate::session::{CallState, owed};
use crate::status::Status;
use crate::terminal::FrameworkStatus;

/// Moves the session on as far as it goes without the world, then derives its status.
pub(super) fn advance(draft: &mut Draft<'_>) {
    if draft.session.claim().is_some() {
        claim::conclude_if_settled(draft);
    } else {
        advance_turn(draft);
    }
    derive_status(draft);
}

/// The next step of a model's turn, once all calls of its last reply have settled; the claim, then the envelope, last.
fn advance_turn(draft: &mut Draft<'_>) {
    let Some(turn) = draft.session.turn() else { return };
    if turn.asked || turn.role == RoleKind::Watcher || turn.round == 0 {
        return;
    }
    let mut last: Option<CallId> = None;
    for call in &turn.calls {
        match &call.state {
            CallState::Settled(_) => {}
            CallState::Waiting(_) | CallState::Intended(_) | CallState::Probing(_) | CallState::Unknown(_) => return,
            CallState::Proposed | CallState::Approved(_) => {
                let closes_first = call.wire != FINISH_TOOL || last.is_none();
                last = if closes_first { Some(call.id.clone()) } else { last };
            }
        }
    }
    match last {
        None if turn.calls.is_empty() => finish::by_text(draft),
        None => next_round(draft),
        Some(id) if is_finish(draft, &id) => finish::by_tool(draft, &id),
        Some(id) => claim::by_agent(draft, &id),
    }
}

fn is_finish(draft: &Draft<'_>, id: &CallId) -> bool {
    draft.session.call(id).is_some_and(|call| call.wire == FINISH_TOOL)
}

/// Gives an agent work.
pub(super) fn assign(draft: &mut Draft<'_>, name: &AgentName) {
    let Facts { pack, roles, now, .. } = *draft.facts;
    let Some(agent) = pack.agents.get(name) else {
        let reason = format!("the pack has no agent `{name}`");
        draft.set_status(FrameworkStatus::NeedsReview, reason, &runtime());
        return;
    };
    let bound = pack.limits.assignments_per_session;
    if draft.session.assignments().0 >= u64::from(bound) {
        return limit_reached(draft, Limit::Assignments, u64::from(bound));
    }
    let briefing = roles.brief(&draft.session, agent, pack);
    let assignment = draft.session.assignments().next();
    draft.push(AssignmentIssued {
        assignment,
        agent: name.clone(),
        role: agent.role,
        briefing: briefing.into(),
        deadline_at: now.plus(agent.deadline),
    });
    if agent.role == RoleKind::Watcher { watch::poll(draft) } else { next_round(draft) }
}

/// Asks the model once more, if the limits allow it. Reserved before the call.
pub(super) fn next_round(draft: &mut Draft<'_>) {
    let limits = draft.facts.pack.limits;
    let Some(turn) = draft.session.turn() else { return };
    let (assignment, round) = (turn.assignment, turn.round + 1);
    let reserved = request::reservation(turn);
    let wall = draft.facts.now.since(turn.issued_at).saturating_sub(turn.waited);
    let tokens = draft.session.usage().tokens().saturating_add(reserved);
    let cost = draft.session.usage().cost_micro_usd.unwrap_or(0);
    let wall_ms = u64::try_from(limits.turn_wall.as_millis()).unwrap_or(u64::MAX);
    let broken = [
        (turn.round >= limits.model_calls_per_turn, Limit::ModelCalls, u64::from(limits.model_calls_per_turn)),
        (turn.repeats() >= limits.no_progress, Limit::NoProgress, u64::from(limits.no_progress)),
        (wall > limits.turn_wall, Limit::TurnWall, wall_ms),
        (tokens > limits.session_tokens, Limit::SessionTokens, limits.session_tokens),
        (cost > limits.session_cost_micro_usd, Limit::SessionCost, limits.session_cost_micro_usd),
    ];
    if let Some((_, limit, bound)) = broken.into_iter().find(|(broken, _, _)| *broken) {
        return limit_reached(draft, limit, bound);
    }
    draft.push(ModelRequested { assignment, round, reserved });
}

/// Ends the run with its partial work kept: a person looks.
fn limit_reached(draft: &mut Draft<'_>, limit: Limit, bound: u64) {
    draft.push(LimitReached { limit, bound });
    draft.set_status(FrameworkStatus::NeedsReview, format!("limit `{limit}` ({bound}) reached"), &runtime());
}

/// An agent ended without a report: tried again if the policy says so, else the session is in `error` with the cause.
pub(super) fn agent_failed(draft: &mut Draft<'_>, failure: AgentFailure) {
    let Some(turn) = draft.session.turn() else { return };
    let (assignment, agent) = (turn.assignment, turn.agent.clone());
    let decision = should_retry(draft.session.retries(), &failure, draft.session.confidence(), &draft.facts.pack.retry);
    let reason = failure.to_string();
    // A silent worker may leave approvals pending and calls under way; neither may outlive the turn.
    stop::abandon(draft, &runtime(), "the agent failed while this call was being made");
    draft.push(AgentFailed { assignment, agent, failure });
    if !draft.session.unknown().is_empty() {
        // Nothing is tried again on top of what may have happened: `derive_status` asks for a person.
        return;
    }
    if decision.retry {
        retry::begin(draft, &runtime(), decision.reason);
    } else {
        draft.set_status(FrameworkStatus::Error, reason, &runtime());
    }
}

/// `in_progress` exactly while something is owed, `awaiting_input` exactly while only waits remain.
fn derive_status(draft: &mut Draft<'_>) {
    if draft.session.status().is_end() || *draft.session.status() == Status::New {
        return;
    }
    let (to, reason) = if !owed(&draft.session, draft.facts.fence).is_empty() {
        (FrameworkStatus::InProgress, "work goes on")
    } else if !draft.session.unknown().is_empty() {
        (FrameworkStatus::AwaitingInput, "outcome_unknown")
    } else if !draft.session.approvals().is_empty() {
        (FrameworkStatus::AwaitingInput, "approval")
    } else if draft.session.operator().is_some() {
        (FrameworkStatus::AwaitingInput, "operator_input")
    } else {
        (FrameworkStatus::NeedsReview, "no agent is at work; retry, or claim an outcome")
    };
    draft.set_status(to, reason, &runtime());
}
