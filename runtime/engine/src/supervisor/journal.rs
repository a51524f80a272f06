//! What the process's log says of a session, once it is durable: one line for each change of its status, each answer of a person and
//! each failure. The whole story is the session's own log. Words from outside are quoted, with their control characters escaped.

use provost_domain::event::EventBody;
use provost_domain::session::Session;
use provost_domain::tool::RecordedOutcome;

/// Tells what an append brought.
pub(super) fn tell(session: &Session, events: &[EventBody]) {
    let handle = session.handle();
    for event in events {
        match event {
            EventBody::StatusChanged(changed) => {
                let (from, to) = (changed.from_status().as_str(), changed.to_status().as_str());
                tracing::info!(%handle, from, to, by = %changed.by(), reason = changed.reason(), "the status changed");
            }
            EventBody::ApprovalAnswered(answered) => {
                tracing::info!(%handle, approval = %answered.approval, by = %answered.by, "an approval was answered");
            }
            EventBody::ApprovalDecided(decided) => {
                let decision = decided.decision.state().as_str();
                tracing::info!(%handle, approval = %decided.approval, by = %decided.by, decision, "an approval was decided");
            }
            EventBody::ApprovalExpired(expired) => {
                tracing::info!(%handle, approval = %expired.approval, "an approval expired");
            }
            EventBody::OperatorSpoke(spoke) => tracing::info!(%handle, by = %spoke.by, "a person spoke"),
            EventBody::OutcomeSettled(settled) => {
                tracing::info!(%handle, call = %settled.call, by = %settled.by, "an unknown outcome was settled");
            }
            EventBody::ModelFailed(failed) => {
                let failure = failed.failure.to_string();
                tracing::info!(%handle, assignment = %failed.assignment, failure, "a model failed");
            }
            EventBody::ToolReturned(returned) => {
                if let RecordedOutcome::Failed { failure } = &returned.outcome {
                    tracing::info!(%handle, call = %returned.call, failure = failure.detail, "a call failed");
                }
            }
            EventBody::OutcomeUnknown(unknown) => {
                tracing::info!(%handle, call = %unknown.call, cause = unknown.cause, "nobody knows whether a call happened");
            }
            EventBody::AgentFailed(failed) => {
                let failure = failed.failure.to_string();
                tracing::info!(%handle, agent = %failed.agent, failure, "an agent failed");
            }
            EventBody::LimitReached(reached) => {
                tracing::info!(%handle, limit = ?reached.limit, bound = reached.bound, "a limit was reached");
            }
            // Everything else is the session's own business, or follows from what is told.
            _ => {}
        }
    }
}
