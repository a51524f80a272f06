//! Decisions: `(session, input, facts) → verdict`. A verdict is events, the contents they name, and a reply; nothing else
//! happens here.
//!
//! | file | what |
//! |---|---|
//! | `mod` | the two entries, and the loop: an input's own events, then step after step until the world's turn |
//! | `step` | the next step, a pure function of the session |
//! | `dispatch`, one file per command | what the command itself records |
//! | `reports` | what the session's own side reports |
//! | `intent` | the gate before every backend call, and the only place that records an intent |
//! | `target` | whether a call may act on its target now |
//! | `call`, `claim`, `finish`, `assign`, `round`, `route`, `watch`, `measure`, `polling`, `retry` | what a step records; none calls the loop |
//! | `outage` | what waits for a server that failed, and for how long |
//! | `inputs` | whether the tools and roles are those the session went on with so far |
//! | `unserved`, `imported` | sessions whose pack is not loaded, or that came from another store |

mod answer;
mod assign;
mod call;
mod claim;
mod dispatch;
mod draft;
mod facts;
mod fail;
mod finish;
mod imported;
mod inputs;
mod intent;
mod measure;
mod outage;
mod polling;
mod refuse;
mod reports;
mod retry;
mod round;
mod route;
mod settle;
mod speak;
mod start;
mod step;
mod stop;
mod target;
mod unserved;
mod watch;

use crate::command::{Command, Report};
use crate::event::{EventBody, SessionCreated};
use crate::refusal::Refusal;
use crate::session::{Handover, Session};
use crate::time::Timestamp;

use draft::{Draft, runtime};
use step::{Step, next_step};

pub use facts::{Accepted, Facts, InputDigests, Verdict};
pub use imported::imported;
pub use refuse::NOT_LOADED;
pub use retry::preview as preview_retry;
pub use route::route_choice;
pub use unserved::Unserved;

/// The first events of a session: it exists, and does nothing yet.
pub fn create(created: SessionCreated) -> EventBody {
    EventBody::SessionCreated(created)
}

/// Decides a command from outside. The facts' pack is the one the session pinned; for any other see [`Unserved`].
pub fn command(session: &Session, command: &Command, facts: &Facts<'_>) -> Result<Verdict, Refusal> {
    refuse::check_authority(&command.by, command.ask.verb())?;
    refuse::check_version(session, command)?;
    command.check_nesting()?;
    refuse::check_words(command)?;
    // A command may still be refused: then the session stays as it is.
    let mut draft = Draft::new(session.clone(), facts);
    dispatch::command(&mut draft, command)?;
    Ok(go_on(draft, session.outage_since()))
}

/// Decides on what the session's own side reports. A report that no longer fits (a reply after a stop) decides nothing. It is
/// never refused, so it takes the session and gives it back in the verdict.
pub fn report(session: Session, report: Report, facts: &Facts<'_>) -> Verdict {
    let waited = session.outage_since();
    let mut draft = Draft::new(session, facts);
    match report {
        Report::TakenOver => reports::taken_over(&mut draft),
        Report::Replied { assignment, round, result } => reports::replied(&mut draft, assignment, round, result),
        Report::Returned { call, outcome } => reports::returned(&mut draft, &call, outcome),
        Report::Probed { call, answer } => reports::probed(&mut draft, &call, answer),
        Report::Tick => reports::tick(&mut draft),
        Report::GivenUp { cause } => reports::given_up(&mut draft, &cause),
        Report::WorkerLost { assignment, cause } => reports::worker_lost(&mut draft, assignment, &cause),
    }
    go_on(draft, waited)
}

/// Takes step after step until it is the world's turn. `waited`: since when the session waited for a server before.
fn go_on(mut draft: Draft<'_>, waited: Option<Timestamp>) -> Verdict {
    loop {
        let waiting = call::waiting(&draft);
        let ready = call::ready(&draft, &waiting);
        let step = next_step(&draft.session, draft.facts.fence, &waiting, ready);
        let before = draft.head();
        match step {
            Step::Rest => break,
            step => take(&mut draft, step),
        }
        // A step that recorded nothing would be taken for ever.
        debug_assert_ne!(draft.head(), before, "a step recorded nothing");
        if draft.head() == before {
            break;
        }
    }
    outage::extend_approvals(&mut draft, waited);
    draft.into_verdict()
}

fn take(draft: &mut Draft<'_>, step: Step) {
    match step {
        Step::ConcludeClaim => claim::conclude_settled(draft),
        Step::RaiseClaim(call) => claim::by_agent(draft, &call),
        Step::GoOn(call) => call::go_on(draft, &call),
        Step::FinishByTool(call) => finish::by_tool(draft, &call),
        Step::FinishByText(assignment) => finish::by_text(draft, assignment),
        Step::NextRound(assignment) => round::next(draft, assignment),
        Step::Poll(assignment) => watch::poll(draft, assignment),
        Step::EndWatch(assignment) => watch::conclude(draft, assignment),
        Step::HandOver(Handover::Begin) => {
            let entry = draft.facts.pack.entry.clone();
            assign::assign(draft, &entry);
        }
        Step::HandOver(Handover::Again(agent)) => assign::assign(draft, &agent),
        Step::HandOver(Handover::Route(from)) => route::decide(draft, &from),
        Step::HandOver(Handover::Follow { from, to }) => route::follow(draft, &from, &to),
        Step::HandOver(Handover::Recover) => retry::recover(draft),
        Step::MoveStatus(to, reason) => draft.set_status(to, reason, &runtime()),
        Step::Rest => {}
    }
}
