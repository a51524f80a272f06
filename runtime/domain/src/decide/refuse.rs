//! Refusals that several commands share.

use crate::command::{Command, Verb};
use crate::principal::Principal;
use crate::refusal::{EndedHint, Refusal};
use crate::session::Session;
use crate::status::Status;

/// What stands for the loaded pack's digest where none is loaded.
pub const NOT_LOADED: &str = "nothing";

/// Refuses a command whose caller looked at an older version of the session.
pub(super) fn check_version(session: &Session, command: &Command) -> Result<(), Refusal> {
    match command.if_version {
        Some(expected) if expected != session.head() => Err(Refusal::StaleVersion { expected, actual: session.head() }),
        Some(_) | None => Ok(()),
    }
}

/// Refuses what a principal of this kind may not ask.
pub(super) fn check_authority(by: &Principal, verb: Verb) -> Result<(), Refusal> {
    if verb.may_be_asked_by(by.kind()) { Ok(()) } else { Err(Refusal::NotAuthorised { by: by.clone(), verb }) }
}

/// Refuses what an ended session cannot do.
pub(super) fn ended(status: &Status) -> Refusal {
    let hint = if status.is_final() { EndedHint::Final } else { EndedHint::RetryOrClaim };
    Refusal::SessionEnded { status: status.clone(), hint }
}

/// Refuses what only the pinned pack could decide, where it is not the one that is loaded.
pub(super) fn pack_changed(session: &Session, loaded: &str) -> Refusal {
    let (pack, pinned) = (session.pack().clone(), session.pack_digest().hex());
    Refusal::PackChanged { pack, pinned, loaded: loaded.to_owned() }
}

/// While a claim's effect is under way nothing else may lead the session on: the claim decides where it goes.
pub(super) fn while_a_claim_is_open(session: &Session, verb: &str) -> Result<(), Refusal> {
    if session.claim().is_none() {
        return Ok(());
    }
    let status = session.status().clone();
    Err(Refusal::NothingToDo { status, verb: format!("{verb} while a claim is under way") })
}

/// Refuses words that say nothing.
pub(super) fn check_words(command: &Command) -> Result<(), Refusal> {
    command.blank_words().map_or(Ok(()), |what| Err(Refusal::BlankWords { what: what.to_owned() }))
}
