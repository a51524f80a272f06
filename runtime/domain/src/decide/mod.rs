//! Decisions: `(session, input, facts) → verdict`. A verdict is events, the contents they name, and a reply; nothing else
//! happens here. One file per command; what they share is in `flow`.

mod answer;
mod call;
mod claim;
mod draft;
mod finish;
mod flow;
mod imported;
mod report;
mod retry;
mod route;
mod settle;
mod speak;
mod start;
mod stop;
mod unserved;
mod watch;

use serde::{Deserialize, Serialize};

use crate::command::{Ask, Command, Report};
use crate::event::{EventBody, SessionCreated, SignalReceived};
use crate::ids::{Fence, Seq};
use crate::pack::Pack;
use crate::refusal::{EndedHint, Refusal};
use crate::request::Roles;
use crate::session::Session;
use crate::status::Status;
use crate::time::Timestamp;
use crate::tool::{Catalog, Content};

use draft::Draft;

pub use draft::RUNTIME;
pub use imported::imported;
pub use retry::preview as preview_retry;
pub use unserved::{NOT_LOADED, Unserved};

/// All a decision may look at besides the session.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The present.
    pub now: Timestamp,
    /// The fence the session is held under.
    pub fence: Fence,
    /// Since when this owner listens: it took the session over then, or handed its last work out.
    pub since: Timestamp,
    /// The session's pack, as the session pinned it.
    pub pack: &'a Pack,
    /// The backend tools.
    pub catalog: &'a Catalog,
    /// The roles.
    pub roles: &'a dyn Roles,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a verdict's events must be appended before anything else happens"]
pub struct Verdict {
    /// The facts, in order.
    pub events: Vec<EventBody>,
    /// Large values the events name.
    pub contents: Vec<Content>,
    /// The session after them.
    pub after: Session,
}

/// What a command's sender is told once the verdict is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The status after it.
    pub status: String,
    /// The version after it.
    pub version: Seq,
}

/// The first events of a session: it exists, and does nothing yet.
pub fn create(created: SessionCreated) -> EventBody {
    EventBody::SessionCreated(created)
}

fn check_version(session: &Session, command: &Command) -> Result<(), Refusal> {
    match command.if_version {
        Some(expected) if expected != session.head() => Err(Refusal::StaleVersion { expected, actual: session.head() }),
        Some(_) | None => Ok(()),
    }
}

/// Decides a command from outside. The facts' pack is the one the session pinned; for any other see [`Unserved`].
pub fn command(session: &Session, command: &Command, facts: &Facts<'_>) -> Result<Verdict, Refusal> {
    check_version(session, command)?;
    let mut draft = Draft::new(session, facts);
    match &command.ask {
        Ask::Start => start::decide(&mut draft, &command.by)?,
        Ask::Continue => start::carry_on(&mut draft, &command.by)?,
        Ask::Retry { force } => retry::decide(&mut draft, &command.by, *force)?,
        Ask::Stop { reason } => stop::decide(&mut draft, &command.by, reason)?,
        Ask::Answer { approval, answer } => answer::decide(&mut draft, &command.by, approval, answer)?,
        Ask::Speak { text } => speak::decide(&mut draft, &command.by, text)?,
        Ask::Claim { tool, args } => claim::by_person(&mut draft, &command.by, tool, args)?,
        Ask::Settle { call, settlement } => settle::decide(&mut draft, &command.by, call, settlement)?,
        Ask::Signal { source, payload } => {
            draft.push(SignalReceived { source: source.clone(), payload: payload.clone().into() });
        }
    }
    flow::advance(&mut draft);
    Ok(draft.into_verdict())
}

/// Decides on what the session's own side reports. A report that no longer fits (a reply after a stop) decides nothing.
pub fn report(session: &Session, report: Report, facts: &Facts<'_>) -> Verdict {
    let mut draft = Draft::new(session, facts);
    match report {
        Report::TakenOver => report::taken_over(&mut draft),
        Report::Replied { assignment, round, result } => report::replied(&mut draft, assignment, round, result),
        Report::Returned { call, outcome } => report::returned(&mut draft, &call, &outcome),
        Report::Probed { call, answer } => report::probed(&mut draft, &call, answer),
        Report::Tick => report::tick(&mut draft),
        Report::GivenUp { cause } => report::given_up(&mut draft, &cause),
        Report::WorkerLost { assignment, cause } => report::worker_lost(&mut draft, assignment, &cause),
    }
    flow::advance(&mut draft);
    draft.into_verdict()
}

/// Refuses what an ended session cannot do.
fn ended(status: &Status) -> Refusal {
    let hint = if status.is_final() { EndedHint::Final } else { EndedHint::RetryOrClaim };
    Refusal::SessionEnded { status: status.to_string(), hint }
}
