//! Stop: cancels what runs, says who, and is never shown as somebody's refusal.

use super::draft::Recorder;
use super::refuse::ended;
use crate::call::{Call, CallState};
use crate::command::Verb;
use crate::event::{ApprovalDecided, ApprovalDecision, OutcomeUnknown, StopRequested, ToolReturned};
use crate::principal::{Principal, PrincipalKind};
use crate::refusal::Refusal;
use crate::terminal::FrameworkStatus;
use crate::tool::{EffectClass, RecordedOutcome};

pub(super) fn decide(recorder: &mut Recorder, by: &Principal, reason: &str) -> Result<(), Refusal> {
    if recorder.session.status().is_final() {
        return Err(ended(recorder.session.status()));
    }
    if by.kind() == PrincipalKind::Intake && recorder.session.requester() != by {
        return Err(Refusal::NotAuthorised { by: by.clone(), verb: Verb::Stop });
    }
    recorder.push(StopRequested { by: by.clone(), reason: reason.to_owned() });
    abandon(recorder, by, "the session was stopped while this call was being made");
    recorder.set_status(FrameworkStatus::Stopped, reason, by);
    Ok(())
}

/// Takes back all pending approvals, and records what may have happened of the calls under way.
pub(super) fn abandon(recorder: &mut Recorder, by: &Principal, cause: &str) {
    let pending: Vec<_> =
        recorder.session.approvals().values().map(|p| (p.asked.approval.clone(), p.asked.call.clone())).collect();
    for (approval, call) in pending {
        recorder.push(ApprovalDecided {
            approval,
            call,
            by: by.clone(),
            decision: ApprovalDecision::Cancelled,
            reason: None,
        });
    }
    for id in recorder.session.running() {
        if let Some(failure) = recorder.session.call(&id).and_then(Call::surely_undone).cloned() {
            recorder.push(ToolReturned { call: id, outcome: RecordedOutcome::Failed { failure } });
            continue;
        }
        let reads = recorder.session.call(&id).is_some_and(|call| match &call.state {
            CallState::Intended(intent) => intent.effect == EffectClass::Read,
            CallState::Proposed
            | CallState::Waiting(_)
            | CallState::Approved(_)
            | CallState::Unknown(_)
            | CallState::Settled(_) => true,
            // Only of a call that changes the world is its tool asked.
            CallState::Probing(_) => false,
        });
        if !reads {
            recorder.push(OutcomeUnknown { call: id, cause: cause.to_owned() });
        }
    }
}
