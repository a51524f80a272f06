//! For proofs only (feature `controls`, which nothing shipped enables): the engine without one of the mechanisms its
//! promises rest on, to see that the proof of the promise then fails.

use std::time::Duration;

use provost_domain::decide::Verdict;
use provost_domain::event::{Event, EventBody};
use provost_domain::ids::{ApprovalId, Fence};
use provost_domain::session::{IllegalEvent, Session};

/// A mechanism that an engine can be told to do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// Effects are performed while their intents are still on their way to the store.
    Intent,
    /// An approved call is intended, but its approval stays pending.
    Consumption,
    /// The key of a call is derived from its attempt.
    Key,
    /// A tool that is to be asked about a call is taken to have said that the call did not happen.
    Probe,
    /// A session goes on with the present pack of that name, whichever it was opened with.
    Pin,
}

/// How much later than its effect an intent is stored: time enough to die in between.
pub(crate) const INTENT_LATE: Duration = Duration::from_millis(250);

/// The verdict without the consumption of the approvals whose calls it intends.
pub(crate) fn unconsumed(verdict: Verdict, before: &Session, fence: Fence) -> Result<Verdict, IllegalEvent> {
    let intended: Vec<ApprovalId> = verdict.events.iter().filter_map(approval).collect();
    if intended.is_empty() {
        return Ok(verdict);
    }
    let at = verdict.after.updated_at();
    let consumes = |event: &EventBody| matches!(event, EventBody::ApprovalDecided(d) if intended.contains(&d.approval));
    let events: Vec<EventBody> = verdict.events.into_iter().filter(|event| !consumes(event)).collect();
    let mut after = before.clone();
    for body in &events {
        after.apply(&Event { seq: after.head().next(), at, fence, body: body.clone() })?;
    }
    Ok(Verdict { events, after, ..verdict })
}

fn approval(event: &EventBody) -> Option<ApprovalId> {
    match event {
        EventBody::ToolIntended(intent) => intent.approval.clone(),
        _ => None,
    }
}
