//! Stop: cancels what runs, says who, and is never shown as somebody's refusal.

use super::draft::Draft;
use super::ended;
use crate::event::{ApprovalDecided, ApprovalDecision, OutcomeUnknown, StopRequested};
use crate::ids::Principal;
use crate::refusal::Refusal;
use crate::session::CallState;
use crate::terminal::FrameworkStatus;
use crate::tool::EffectClass;

pub(super) fn decide(draft: &mut Draft<'_>, by: &Principal, reason: &str) -> Result<(), Refusal> {
    if draft.session.status().is_final() {
        return Err(ended(draft.session.status()));
    }
    draft.push(StopRequested { by: by.clone(), reason: reason.to_owned() });
    abandon(draft, by, "the session was stopped while this call was being made");
    draft.set_status(FrameworkStatus::Stopped, reason, by);
    Ok(())
}

/// Takes back all pending approvals, and records what may have happened of the calls under way.
pub(super) fn abandon(draft: &mut Draft<'_>, by: &Principal, cause: &str) {
    let pending: Vec<_> =
        draft.session.approvals().values().map(|p| (p.asked.approval.clone(), p.asked.call.clone())).collect();
    for (approval, call) in pending {
        draft.push(ApprovalDecided { approval, call, by: by.clone(), decision: ApprovalDecision::Cancelled });
    }
    for id in draft.session.running() {
        let reads = draft.session.call(&id).is_some_and(|call| match &call.state {
            CallState::Intended(intent) => intent.effect == EffectClass::Read,
            CallState::Proposed
            | CallState::Waiting(_)
            | CallState::Approved(_)
            | CallState::Unknown(_)
            | CallState::Settled(_) => true,
        });
        if !reads {
            draft.push(OutcomeUnknown { call: id, cause: cause.to_owned() });
        }
    }
}
