//! Servers that fail for a while are waited for: durably, for as long as the budget lasts, and never by trying an effect again
//! that may have happened.

use super::draft::Draft;
use super::{fail, round};
use crate::call::{Call, CallOwner};
use crate::event::{ApprovalExtended, CallReissued, ModelDeferred, ModelFailed, ToolDeferred};
use crate::failure::{AgentFailure, FailureKind, ModelFailure};
use crate::fallback::ModelChoice;
use crate::ids::{AssignmentId, CallId};
use crate::outage::{Deferral, FailedAttempt, Pause, pause};
use crate::recovery::Plan;
use crate::time::Timestamp;
use crate::tool::{Happened, ToolFailure, ToolOutcome};

/// What a failed call comes to.
#[derive(Debug)]
#[must_use = "an outcome that is not waited for must be recorded"]
pub(super) enum OutageAnswer {
    /// It is made again later.
    Waits,
    /// This is its outcome.
    Over(ToolOutcome),
}

/// A model gave no reply to a question: it or its fallback is asked later, or the agent has failed.
pub(super) fn of_model(draft: &mut Draft<'_>, assignment: AssignmentId, round: u32, failure: ModelFailure) {
    let Some(work) = draft.session.works().get(&assignment) else { return };
    let facts = draft.facts;
    let model = facts.pack.agents.get(&work.agent).map(|agent| agent.model.as_str()).unwrap_or_default();
    let budget = facts.outages.of_model(model);
    let cause = if failure.kind() != FailureKind::Transient || budget.is_zero() {
        AgentFailure::Model { failure: failure.clone() }
    } else {
        let before = work.turn().and_then(|turn| turn.deferral.as_deref());
        let who = format!("{}/{assignment}", draft.session.id());
        let failed = work.turn().and_then(|turn| turn.request.as_ref());
        let failed = failed.map(|request| ModelChoice::Failed(request.origin.clone()));
        let instead = failed.filter(|failed| failed.of(facts.models, model).is_some());
        // What one server asks for is nothing to another.
        let asked = failure.retry_after().filter(|_| instead.is_none());
        let attempted = FailedAttempt { before, budget, asked, who: &who };
        if let Some(next) = pause(&attempted, draft.facts.now) {
            let Pause { attempt, waiting_since, next_at, budget_ends_at } = next;
            draft.push(ModelDeferred { assignment, round, failure, attempt, waiting_since, next_at, budget_ends_at });
            if let Some(instead) = instead {
                round::put_outstanding(draft, assignment, &instead);
            }
            return;
        }
        let (attempts, waited_ms) = spent(before, draft.facts.now);
        AgentFailure::Outage { failure: failure.clone(), attempts, waited_ms }
    };
    draft.push(ModelFailed { assignment, round, failure });
    fail::agent(draft, assignment, cause);
}

/// A call came back. Where it failed in a way that may pass it is made again later: only if it surely did not happen, or its
/// class lets it be repeated. A measurement does not wait: it measures again by itself.
pub(super) fn of_tool(draft: &mut Draft<'_>, id: &CallId, plan: Plan, known: ToolOutcome) -> OutageAnswer {
    let ToolOutcome::Failed { failure } = known else { return OutageAnswer::Over(known) };
    let Some(intent) = draft.session.call(id).filter(|call| !measures(draft, call)).and_then(Call::intent) else {
        return OutageAnswer::Over(ToolOutcome::Failed { failure });
    };
    let budget = draft.facts.outages.of_tool(&intent.tool);
    let repeats = failure.happened == Happened::No || plan == Plan::RunAgain;
    if failure.kind != FailureKind::Transient || budget.is_zero() || !repeats {
        return OutageAnswer::Over(ToolOutcome::Failed { failure });
    }
    let before = intent.deferred.as_deref().map(|deferred| &deferred.deferral);
    let who = id.key(draft.session.id());
    let attempted = FailedAttempt { before, budget, asked: None, who: &who };
    if let Some(next) = pause(&attempted, draft.facts.now) {
        let (call, Pause { attempt, waiting_since, next_at, budget_ends_at }) = (id.clone(), next);
        draft.push(ToolDeferred { call, failure, attempt, waiting_since, next_at, budget_ends_at });
        return OutageAnswer::Waits;
    }
    let (attempts, waited_ms) = spent(before, draft.facts.now);
    let detail = format!("{} (made {attempts} times, waited {} s for it)", failure.detail, waited_ms / 1000);
    OutageAnswer::Over(ToolOutcome::Failed { failure: ToolFailure { detail, ..failure } })
}

/// How often a call was tried, and for how long it waited, in milliseconds.
fn spent(before: Option<&Deferral>, now: Timestamp) -> (u32, u64) {
    let attempts = before.map_or(0, |before| before.attempt).saturating_add(1);
    let waited = before.map(|before| now.since(before.waiting_since)).unwrap_or_default();
    (attempts, u64::try_from(waited.as_millis()).unwrap_or(u64::MAX))
}

fn measures(draft: &Draft<'_>, call: &Call) -> bool {
    match call.owner {
        CallOwner::Work(assignment) => {
            draft.session.works().get(&assignment).is_some_and(|work| work.watch().is_some())
        }
        CallOwner::Claim => false,
    }
}

/// Makes the calls again whose pause is over.
pub(super) fn make_due(draft: &mut Draft<'_>) {
    let (fence, since, now) = (draft.facts.fence, draft.facts.since, draft.facts.now);
    let due = |call: &&Call| call.pausing().is_some_and(|paused| now >= paused.deferral.due_at(fence, since));
    let due: Vec<_> = draft.session.open_calls().filter(due).map(|call| call.id.clone()).collect();
    for call in due {
        draft.push(CallReissued { call });
    }
}

/// What the session waited for a server does not count for the approvals that waited meanwhile: they expire that much later.
pub(super) fn extend_approvals(draft: &mut Draft<'_>, waited: Option<Timestamp>) {
    let Some(began) = waited.filter(|_| draft.session.outage_since().is_none()) else { return };
    let now = draft.facts.now;
    let later = |(at, expires_at): (Timestamp, Timestamp)| expires_at.plus(now.since(began.max(at)));
    let waiting = draft.session.approvals().values();
    let extended: Vec<_> = waiting
        .map(|pending| ApprovalExtended {
            approval: pending.asked.approval.clone(),
            call: pending.asked.call.clone(),
            expires_at: later((pending.at, pending.asked.expires_at)),
        })
        .collect();
    for extended in extended {
        draft.push(extended);
    }
}
