//! Measuring: polls until a condition is met several times in a row, or the time is over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::Fence;
use crate::time::Timestamp;

/// When a reading of a measure is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadingTime {
    /// Of this poll.
    Now,
    /// Of when the last change was decided on.
    Before,
    /// Of some time before the trouble began.
    Baseline,
}

/// The readings of one measure; one that nobody could take is absent.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct MeasureReadings {
    /// Of the last poll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<f64>,
    /// Of when the last change was decided on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<f64>,
    /// Of some time before the trouble began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
}

impl MeasureReadings {
    /// The reading of a time.
    pub fn at(&self, time: ReadingTime) -> Option<f64> {
        match time {
            ReadingTime::Now => self.now,
            ReadingTime::Before => self.before,
            ReadingTime::Baseline => self.baseline,
        }
    }

    pub(crate) fn put(&mut self, time: ReadingTime, value: Option<f64>) {
        match time {
            ReadingTime::Now => self.now = value,
            ReadingTime::Before => self.before = value,
            ReadingTime::Baseline => self.baseline = value,
        }
    }
}

/// What has been measured so far.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
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
    /// The readings of several measures, by name; empty where one tool is polled.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub readings: BTreeMap<String, MeasureReadings>,
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

    /// Whether nothing was polled, and nothing is waited for.
    pub(crate) fn is_new(&self) -> bool {
        self.polls == 0 && self.next_at.is_none()
    }

    /// Whether the last poll was read and none is to follow.
    pub fn is_over(&self) -> bool {
        self.polls > 0 && self.next_at.is_none()
    }
}
