//! Start and continue.

use super::draft::Draft;
use super::{ended, flow};
use crate::event::SessionStarted;
use crate::ids::Principal;
use crate::refusal::Refusal;
use crate::status::Status;
use crate::terminal::FrameworkStatus;

/// Begins the run with the pack's entry agent.
pub(super) fn decide(draft: &mut Draft<'_>, by: &Principal) -> Result<(), Refusal> {
    match draft.session.status() {
        Status::New => {}
        Status::InProgress | Status::AwaitingInput => {
            let status = draft.session.status().to_string();
            return Err(Refusal::NothingToDo { status, verb: "start".to_owned() });
        }
        status @ (Status::Outcome(_) | Status::Stopped | Status::NeedsReview | Status::Error) => {
            return Err(ended(status));
        }
    }
    draft.push(SessionStarted { by: by.clone() });
    draft.set_status(FrameworkStatus::InProgress, "started", by);
    let entry = draft.facts.pack.entry.clone();
    flow::assign(draft, &entry);
    Ok(())
}

/// Carrying on records nothing: what is owed is performed because the session is held again. A new session is started.
pub(super) fn carry_on(draft: &mut Draft<'_>, by: &Principal) -> Result<(), Refusal> {
    match draft.session.status() {
        Status::New => decide(draft, by),
        Status::InProgress => Ok(()),
        status @ Status::AwaitingInput => {
            Err(Refusal::NothingToDo { status: status.to_string(), verb: "continue".to_owned() })
        }
        status @ (Status::Outcome(_) | Status::Stopped | Status::NeedsReview | Status::Error) => Err(ended(status)),
    }
}
