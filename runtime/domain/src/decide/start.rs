//! Start and continue.

use super::draft::Draft;
use super::refuse::ended;
use crate::event::SessionStarted;
use crate::principal::Principal;
use crate::refusal::Refusal;
use crate::status::Status;
use crate::terminal::FrameworkStatus;

/// Begins the run; the pack's entry agent is given work next.
pub(super) fn decide(draft: &mut Draft<'_>, by: &Principal) -> Result<(), Refusal> {
    match draft.session.status() {
        Status::New => {}
        status @ (Status::InProgress | Status::AwaitingInput) => {
            let status = status.clone();
            return Err(Refusal::NothingToDo { status, verb: "start".to_owned() });
        }
        status @ (Status::Outcome(_) | Status::Stopped | Status::NeedsReview | Status::Error) => {
            return Err(ended(status));
        }
    }
    draft.push(SessionStarted { by: by.clone() });
    draft.set_status(FrameworkStatus::InProgress, "started", by);
    Ok(())
}

/// Carrying on records nothing: what is owed is performed because the session is held again. A new session is started.
pub(super) fn carry_on(draft: &mut Draft<'_>, by: &Principal) -> Result<(), Refusal> {
    match draft.session.status() {
        Status::New => decide(draft, by),
        Status::InProgress => Ok(()),
        status @ Status::AwaitingInput => {
            Err(Refusal::NothingToDo { status: status.clone(), verb: "continue".to_owned() })
        }
        status @ (Status::Outcome(_) | Status::Stopped | Status::NeedsReview | Status::Error) => Err(ended(status)),
    }
}
