//! Measuring: one tool polled until its result meets a condition several times in a row, or the time is over.

use serde::{Deserialize, Serialize};

use crate::ids::Fence;
use crate::time::Timestamp;

/// What has been measured so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Watch {
    /// Polls read.
    pub polls: u32,
    /// The last ones in a row that met the condition.
    pub streak: u32,
    /// Whether the last poll met it; `None` when that could not be told.
    pub met: Option<bool>,
    /// Whether the last poll that did not meet it surely did not: it could be told.
    pub unmet: bool,
    /// Polls that could not tell.
    pub untold: u32,
    /// When to poll next; `None` before the first poll and after the last.
    pub next_at: Option<Timestamp>,
    /// When the last poll was read.
    pub read_at: Timestamp,
    /// Under which fence.
    pub fence: Fence,
}

impl Watch {
    /// Counts a poll that was read.
    pub(crate) fn measured(&mut self, met: Option<bool>, streak: u32) {
        self.polls += 1;
        self.streak = streak;
        self.met = met;
        match met {
            Some(true) => {}
            Some(false) => self.unmet = true,
            None => {
                self.unmet = false;
                self.untold += 1;
            }
        }
    }

    /// When to poll next, for an owner that holds the session since `since`. Another owner's clock may have been ahead: one
    /// pause after that the poll is due in any case.
    pub fn due_at(&self, fence: Fence, since: Timestamp) -> Option<Timestamp> {
        let next = self.next_at?;
        let another = self.fence != fence;
        Some(if another { next.min(since.plus(next.since(self.read_at))) } else { next })
    }

    /// Whether the last poll was read and none is to follow.
    pub fn is_over(&self) -> bool {
        self.polls > 0 && self.next_at.is_none()
    }
}
