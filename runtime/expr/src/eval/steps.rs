//! The steps that one evaluation may take.

use crate::judgement::CannotTell;
use crate::limits::{BYTES_PER_STEP, STEPS_MAX};

/// Counts the steps of one evaluation.
#[derive(Debug, Default)]
pub(super) struct StepCount(usize);

impl StepCount {
    /// Counts steps, at least one.
    pub(super) fn charge(&mut self, bytes: usize, at: usize) -> Result<(), CannotTell> {
        self.0 += 1 + bytes / BYTES_PER_STEP;
        if self.0 > STEPS_MAX { Err(CannotTell::new(at, "there is too much to work through")) } else { Ok(()) }
    }
}
