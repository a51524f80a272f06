//! How long works have been carried. It is counted in the log, from event to event, so that a clock that is set back takes
//! nothing away and no process's life is lost. An owner adds its own time since the last event; a new one adds what the clock
//! moved on between two processes, and never less than nothing.

use std::time::Duration;

use super::header::Session;
use crate::ids::Fence;
use crate::status::Status;
use crate::time::Timestamp;
use crate::work::{Work, WorkKind};

impl Session {
    /// Counts the time since the last event for every work that does not wait.
    pub(super) fn grow_older(&mut self, at: Timestamp) {
        let step = at.since(self.updated_at);
        if self.works.is_empty() || step.is_zero() || self.status == Status::AwaitingInput {
            return;
        }
        let counted: Vec<_> =
            self.works.values().filter(|work| !self.is_deferred(work)).map(|work| work.assignment).collect();
        for work in self.works.values_mut().filter(|work| counted.contains(&work.assignment)) {
            work.spent += step;
        }
    }

    /// The instant, by the clock of an owner that holds the session since `since`, up to which time is counted in the log.
    fn counted_to(&self, fence: Fence, since: Timestamp) -> Timestamp {
        if self.head_fence == fence { self.updated_at } else { self.updated_at.min(since) }
    }

    /// How long a work has been carried by now. What it spent waiting for people or for servers does not count.
    pub(crate) fn elapsed(&self, work: &Work, fence: Fence, (since, now): (Timestamp, Timestamp)) -> Duration {
        let waits = self.status == Status::AwaitingInput || self.is_deferred(work);
        let running = if waits { Duration::ZERO } else { now.since(self.counted_to(fence, since)) };
        work.spent + running
    }

    /// When a measurement ends.
    pub(crate) fn ends_at(&self, work: &Work, fence: Fence, since: Timestamp) -> Timestamp {
        self.counted_to(fence, since).plus(work.patience.saturating_sub(work.spent))
    }

    /// When silence counts as failure, for an owner that listens since `since`: what a worker said to an owner that died
    /// is not held against it, and who pauses is not silent. Measuring is never silent: this is when it ends.
    pub fn silent_at(&self, work: &Work, fence: Fence, since: Timestamp) -> Timestamp {
        match work.kind {
            WorkKind::Watching(_) => self.ends_at(work, fence, since),
            WorkKind::Asking(_) => {
                let heard = if work.active_fence == fence { work.active_at.max(since) } else { since };
                let paused = self.pauses_until(work, fence, since).unwrap_or(heard);
                heard.max(paused).plus(work.patience)
            }
        }
    }
}
