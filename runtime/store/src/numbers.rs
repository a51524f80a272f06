//! The numbers of a day's handles, counted in memory from the last one stored: handing one out costs no write.

use std::collections::HashMap;

use provost_domain::ids::Handle;

/// The last number of each prefix, and the day it counts.
#[derive(Debug, Default)]
pub(crate) struct Numbers(HashMap<String, HashMap<String, u64>>);

/// Days counted per prefix: today, and those around midnight or of a clock that was set back.
const DAYS_MAX: usize = 4;

impl Numbers {
    /// Whether a day is counted already.
    pub(crate) fn knows(&self, prefix: &str, day: &str) -> bool {
        self.0.get(prefix).is_some_and(|days| days.contains_key(day))
    }

    /// The next handle; a day not counted yet begins after its last stored number.
    pub(crate) fn next(&mut self, prefix: &str, day: &str, last: impl FnOnce() -> u64) -> Handle {
        let days = self.0.entry(prefix.to_owned()).or_default();
        if days.len() >= DAYS_MAX
            && !days.contains_key(day)
            && let Some(oldest) = days.keys().min().cloned()
        {
            days.remove(&oldest);
        }
        let number = days.entry(day.to_owned()).or_insert_with(last);
        *number += 1;
        Handle::new(format!("{prefix}-{day}-{number:04}"))
    }
}
