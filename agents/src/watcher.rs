//! Measures whether a fix worked, until a deadline; the runtime polls, no model is asked.

use crate::Role;

/// See the module.
#[derive(Debug)]
pub(crate) struct Watcher;

impl Role for Watcher {
    fn task(&self) -> &'static str {
        "Measure until the condition holds several times in a row or the time is over."
    }

    fn report(&self) -> &'static str {
        "Recovered, not recovered or unknown, as measured."
    }
}
