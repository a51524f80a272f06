//! Retry: a new try after an end that a person can leave.

use super::draft::{Draft, runtime};
use super::inputs;
use super::refuse::{NOT_LOADED, pack_changed};
use crate::event::RetryStarted;
use crate::failure::AgentFailure;
use crate::pack::Pack;
use crate::principal::Principal;
use crate::refusal::Refusal;
use crate::retry::{RetryDecision, RetryReason, should_retry};
use crate::session::Session;
use crate::status::Status;
use crate::terminal::FrameworkStatus;

/// What the policy of the loaded pack of that name says to a retry now, without doing it.
///
/// # Errors
/// What would refuse it, whatever the policy says: its status, an unknown outcome, another pack than the pinned one.
pub fn preview(session: &Session, loaded: Option<&Pack>) -> Result<RetryDecision, Refusal> {
    check(session)?;
    match loaded {
        Some(pack) if pack.digest == session.pack_digest() => Ok(asked(session, pack)),
        Some(pack) => Err(pack_changed(session, &pack.digest.hex())),
        None => Err(pack_changed(session, NOT_LOADED)),
    }
}

/// Refuses a retry that no policy could allow.
fn check(session: &Session) -> Result<(), Refusal> {
    match session.status() {
        Status::NeedsReview | Status::Error => {}
        status @ (Status::New | Status::InProgress | Status::AwaitingInput | Status::Outcome(_) | Status::Stopped) => {
            return Err(Refusal::RetryRejected { status: status.clone(), reason: None });
        }
    }
    if session.unknown().is_empty() {
        Ok(())
    } else {
        Err(Refusal::OutcomeUnsettled { calls: session.unknown().keys().cloned().collect() })
    }
}

/// Whether the last agent failed because its model was not to be had.
fn in_outage(session: &Session) -> bool {
    matches!(session.last_failure(), Some(AgentFailure::Outage { .. }))
}

/// What the policy says to whoever asks. An outage is nobody's fault and uses nothing up: whoever asks is let.
fn asked(session: &Session, pack: &Pack) -> RetryDecision {
    if in_outage(session) {
        return RetryDecision { retry: true, reason: RetryReason::AutoRetry };
    }
    policy(session, pack)
}

fn policy(session: &Session, pack: &Pack) -> RetryDecision {
    match session.last_failure() {
        Some(failure) => should_retry(session.retries(), failure, session.confidence(), &pack.retry),
        None if session.retries() >= pack.retry.max => {
            RetryDecision { retry: false, reason: RetryReason::MaxRetriesExceeded }
        }
        None => RetryDecision { retry: true, reason: RetryReason::AutoRetry },
    }
}

pub(super) fn decide(draft: &mut Draft<'_>, by: &Principal, force: bool) -> Result<(), Refusal> {
    check(&draft.session)?;
    let decision = asked(&draft.session, draft.facts.pack);
    if !decision.retry && !force {
        let status = draft.session.status().clone();
        return Err(Refusal::RetryRejected { status, reason: Some(decision.reason) });
    }
    begin(draft, by, decision.reason);
    Ok(())
}

/// Begins a new try; the agent that worked last is given work next.
fn begin(draft: &mut Draft<'_>, by: &Principal, reason: RetryReason) {
    inputs::note(draft);
    let count = draft.session.retries() + 1;
    draft.push(RetryStarted { by: by.clone(), count, reason, cmd_id: None });
    draft.set_status(FrameworkStatus::InProgress, format!("retry {count}"), by);
}

/// After an agent's failure: tried again if the policy says so, else the session is in `error` with the cause. After an outage
/// it needs review instead: nothing of the session itself is wrong.
pub(super) fn recover(draft: &mut Draft<'_>) {
    let cause = draft.session.last_failure().map(ToString::to_string).unwrap_or_default();
    let decision = policy(&draft.session, draft.facts.pack);
    if decision.retry {
        begin(draft, &runtime(), decision.reason);
    } else if in_outage(&draft.session) {
        draft.set_status(FrameworkStatus::NeedsReview, "outage", &runtime());
    } else {
        draft.set_status(FrameworkStatus::Error, cause, &runtime());
    }
}
