//! Retry: a new try after an end that a person can leave.

use super::draft::Draft;
use super::flow;
use crate::event::RetryStarted;
use crate::ids::Principal;
use crate::pack::Pack;
use crate::refusal::Refusal;
use crate::retry::{RetryDecision, RetryReason, should_retry};
use crate::session::Session;
use crate::status::Status;
use crate::terminal::FrameworkStatus;

/// What a retry would be answered, without doing it.
pub fn preview(session: &Session, pack: &Pack) -> RetryDecision {
    match session.last_failure() {
        Some(failure) => should_retry(session.retries(), failure, session.confidence(), &pack.retry),
        None if session.retries() >= pack.retry.max => {
            RetryDecision { retry: false, reason: RetryReason::MaxRetriesExceeded }
        }
        None => RetryDecision { retry: true, reason: RetryReason::AutoRetry },
    }
}

pub(super) fn decide(draft: &mut Draft<'_>, by: &Principal, force: bool) -> Result<(), Refusal> {
    let status = draft.session.status();
    let rejected = |reason| Refusal::RetryRejected { status: status.to_string(), reason };
    match status {
        Status::NeedsReview | Status::Error => {}
        Status::New | Status::InProgress | Status::AwaitingInput | Status::Outcome(_) | Status::Stopped => {
            return Err(rejected(None));
        }
    }
    if !draft.session.unknown().is_empty() {
        return Err(Refusal::OutcomeUnsettled { calls: draft.session.unknown().keys().cloned().collect() });
    }
    let decision = preview(&draft.session, draft.facts.pack);
    if !decision.retry && !force {
        return Err(rejected(Some(decision.reason)));
    }
    begin(draft, by, decision.reason);
    Ok(())
}

/// Begins the new try with the agent that worked last.
pub(super) fn begin(draft: &mut Draft<'_>, by: &Principal, reason: RetryReason) {
    let count = draft.session.retries() + 1;
    draft.push(RetryStarted { by: by.clone(), count, reason, cmd_id: None });
    draft.set_status(FrameworkStatus::InProgress, format!("retry {count}"), by);
    let agent = draft.session.last_agent().unwrap_or(&draft.facts.pack.entry).clone();
    flow::assign(draft, &agent);
}
