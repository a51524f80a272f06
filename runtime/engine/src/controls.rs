//! The one mechanism of the engine that a proof cannot take away from outside. Always in place; the feature `controls`,
//! which nothing shipped enables, lets a proof take it away, to see that the proof then fails.
//!
//! Consumption cannot be removed by a store that leaves the event out: every later event would then have another place and
//! hash than the engine decided on.

use provost_domain::decide::Verdict;
use provost_domain::ids::Fence;
use provost_domain::session::{IllegalEvent, Session};

/// The mechanisms in place.
#[derive(Debug, Clone, Copy, Default)]
pub struct Controls {
    /// An approved call is intended, but its approval stays pending.
    #[cfg(feature = "controls")]
    pub without_consumption: bool,
}

#[cfg(not(feature = "controls"))]
#[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "with the feature `controls` it depends")]
impl Controls {
    /// The verdict as it takes effect.
    pub(crate) fn verdict(self, verdict: Verdict, _before: &Session, _fence: Fence) -> Result<Verdict, IllegalEvent> {
        Ok(verdict)
    }
}

#[cfg(feature = "controls")]
impl Controls {
    /// The verdict as it takes effect: perhaps without the consumption of the approvals whose calls it intends.
    pub(crate) fn verdict(self, verdict: Verdict, before: &Session, fence: Fence) -> Result<Verdict, IllegalEvent> {
        use provost_domain::event::{Event, EventBody};

        let intended = |event: &EventBody| match event {
            EventBody::ToolIntended(intent) => intent.approval.clone(),
            _ => None,
        };
        let intended: Vec<_> = verdict.events.iter().filter_map(intended).collect();
        if !self.without_consumption || intended.is_empty() {
            return Ok(verdict);
        }
        let at = verdict.after.updated_at();
        let consumes =
            |event: &EventBody| matches!(event, EventBody::ApprovalDecided(d) if intended.contains(&d.approval));
        let events: Vec<EventBody> = verdict.events.into_iter().filter(|event| !consumes(event)).collect();
        let mut after = before.clone();
        for body in &events {
            after.apply(&Event { seq: after.head().next(), at, fence, body: body.clone() })?;
        }
        Ok(Verdict { events, after, ..verdict })
    }
}
