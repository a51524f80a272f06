//! Waiting for a server that fails: for how long, and when it is asked next. Pure: time is an argument, and what varies the
//! pauses comes from the ids of who waits.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::{Digest, Fence, ToolName};
use crate::time::Timestamp;

/// How long a call waits where nothing else is configured: the restart of a server, or the change of a certificate.
pub const OUTAGE_BUDGET: Duration = Duration::from_mins(20);
/// The pause after the first failure; each further one is twice as long.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause that no server asked for.
const LONGEST: Duration = Duration::from_mins(1);
/// The share by which a pause may be shorter: what failed together does not ask again together.
const VARIES: f64 = 0.2;
/// The share by which a pause that a server asked for is longer: nobody asks before its time.
const LATER: f64 = 0.05;
/// Most characters kept of a failure's words.
const WHY_MAX: usize = 300;

/// How long calls wait for servers that fail. Zero: they do not wait, and a failure that may pass is one like any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutageBudgets {
    /// Where nothing else is written.
    pub standard: Duration,
    /// Of models, by their configured names.
    pub models: BTreeMap<String, Duration>,
    /// Of tools, by their full names.
    pub tools: BTreeMap<ToolName, Duration>,
}

impl OutageBudgets {
    /// No call waits: each failure is final at once.
    pub const NONE: &'static Self = &Self { standard: Duration::ZERO, models: BTreeMap::new(), tools: BTreeMap::new() };

    /// How long a question to the model of this configured name waits.
    pub fn of_model(&self, name: &str) -> Duration {
        self.models.get(name).copied().unwrap_or(self.standard)
    }

    /// How long a call of this tool waits.
    pub fn of_tool(&self, tool: &ToolName) -> Duration {
        self.tools.get(tool).copied().unwrap_or(self.standard)
    }
}

impl Default for OutageBudgets {
    fn default() -> Self {
        Self { standard: OUTAGE_BUDGET, models: BTreeMap::new(), tools: BTreeMap::new() }
    }
}

/// A call that waits for a server which failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deferral {
    /// How often it failed since it waits.
    pub attempt: u32,
    /// When it failed first.
    pub waiting_since: Timestamp,
    /// When it failed last.
    pub deferred_at: Timestamp,
    /// Under which fence that was recorded.
    pub fence: Fence,
    /// When it is tried next.
    pub next_at: Timestamp,
    /// When its budget is spent.
    pub budget_ends_at: Timestamp,
    /// What was seen last.
    pub why: String,
}

impl Deferral {
    /// When it is tried next, for an owner that holds the session since `since`. Another owner's clock may have been ahead:
    /// one pause after that it is tried in any case.
    pub fn due_at(&self, fence: Fence, since: Timestamp) -> Timestamp {
        if self.fence == fence {
            return self.next_at;
        }
        self.next_at.min(since.plus(self.next_at.since(self.deferred_at)))
    }

    /// The beginning of a failure's words.
    pub(crate) fn words(failure: &str) -> String {
        failure.chars().take(WHY_MAX).collect()
    }
}

/// A call that failed in a way that may pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FailedAttempt<'a> {
    /// How it waits so far.
    pub(crate) before: Option<&'a Deferral>,
    /// How long it may wait in all.
    pub(crate) budget: Duration,
    /// How long its server asked to be left alone.
    pub(crate) asked: Option<Duration>,
    /// Whose call it is, to vary the pause.
    pub(crate) who: &'a str,
}

/// What follows a failure that may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pause {
    pub(crate) attempt: u32,
    pub(crate) waiting_since: Timestamp,
    pub(crate) next_at: Timestamp,
    pub(crate) budget_ends_at: Timestamp,
}

/// The pause after a failure; `None` where the budget is spent, or will be before its server wants to be asked again.
pub(crate) fn pause(attempted: &FailedAttempt<'_>, now: Timestamp) -> Option<Pause> {
    let FailedAttempt { before, budget, asked, who } = *attempted;
    let attempt = before.map_or(0, |before| before.attempt).saturating_add(1);
    let waiting_since = before.map_or(now, |before| before.waiting_since);
    // Where the clock was set back, or a smaller budget was configured, the whole budget is the most that is left.
    let most = now.plus(budget);
    let budget_ends_at = before.map_or(most, |before| before.budget_ends_at.min(most));
    if now >= budget_ends_at {
        return None;
    }
    let share = share(who, attempt);
    let next_at = match asked {
        Some(asked) => {
            let at = now.plus(asked.max(FIRST));
            if at > budget_ends_at {
                return None;
            }
            at.plus(asked.mul_f64(LATER * share))
        }
        None => now.plus(grown(attempt).mul_f64(1.0 - VARIES * share)),
    };
    Some(Pause { attempt, waiting_since, next_at: next_at.min(budget_ends_at), budget_ends_at })
}

fn grown(attempt: u32) -> Duration {
    let doubled = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST.saturating_mul(doubled).min(LONGEST)
}

/// A share from 0 to 1 that is the same whenever it is asked for.
fn share(who: &str, attempt: u32) -> f64 {
    let [first, second, ..] = *Digest::of_parts(&[who.as_bytes(), &attempt.to_be_bytes()]).as_bytes();
    f64::from(u16::from_be_bytes([first, second])) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(1_000_000).plus(Duration::from_secs(seconds))
    }

    fn deferral(pause: &Pause, now: Timestamp) -> Deferral {
        let Pause { attempt, waiting_since, next_at, budget_ends_at } = *pause;
        Deferral {
            attempt,
            waiting_since,
            deferred_at: now,
            fence: Fence(1),
            next_at,
            budget_ends_at,
            why: String::new(),
        }
    }

    /// The pauses of one who is refused at once each time, until its budget is spent.
    fn pauses(who: &str, budget: Duration) -> Vec<Duration> {
        let (mut now, mut before, mut pauses) = (at(0), None, Vec::new());
        while let Some(next) = pause(&FailedAttempt { before: before.as_ref(), budget, asked: None, who }, now) {
            assert_eq!((next.waiting_since, next.budget_ends_at), (at(0), at(0).plus(budget)));
            assert_eq!(next.attempt as usize, pauses.len() + 1);
            pauses.push(next.next_at.since(now));
            before = Some(deferral(&next, now));
            now = next.next_at;
        }
        assert_eq!(now, at(0).plus(budget), "the last attempt is made when the budget ends");
        pauses
    }

    #[test]
    fn pauses_grow_to_a_minute_and_end_with_the_budget() {
        let pauses = pauses("a", 20 * MINUTE);
        for (pause, full) in pauses.iter().zip([1, 2, 4, 8, 16, 32]) {
            let full = Duration::from_secs(full);
            assert!((full.mul_f64(0.8)..=full).contains(pause), "{pauses:?}");
        }
        assert!(pauses.iter().all(|pause| *pause <= MINUTE) && pauses.len() < 35, "{pauses:?}");
    }

    #[test]
    fn who_failed_together_does_not_ask_again_together() {
        assert_ne!(pauses("a", MINUTE), pauses("b", MINUTE));
    }

    #[track_caller]
    fn asked(seconds: u64) -> Option<Duration> {
        let asked = Some(Duration::from_secs(seconds));
        let attempted = FailedAttempt { before: None, budget: 20 * MINUTE, asked, who: "a" };
        pause(&attempted, at(0)).map(|pause| pause.next_at.since(at(0)))
    }

    #[test]
    fn what_a_server_asks_for_is_kept_up_to_the_budget() {
        for seconds in [1, 45, 900, 1200] {
            let asked_for = Duration::from_secs(seconds);
            let pause = asked(seconds).unwrap();
            assert!(pause >= asked_for && pause <= asked_for.mul_f64(1.05), "{seconds}: {pause:?}");
        }
        assert_eq!(asked(1201), None);
        assert!(asked(0).unwrap() >= FIRST, "asked again at once for ever");
    }

    #[test]
    fn a_clock_that_was_set_back_leaves_no_more_than_the_budget() {
        let attempted = FailedAttempt { before: None, budget: MINUTE, asked: None, who: "a" };
        let first = pause(&attempted, at(3600)).unwrap();
        let before = deferral(&first, at(3600));
        let next = pause(&FailedAttempt { before: Some(&before), ..attempted }, at(0)).unwrap();
        assert_eq!(next.budget_ends_at, at(60));
        // Another owner waits for one pause, by its own clock.
        assert_eq!(before.due_at(Fence(2), at(0)), at(0).plus(first.next_at.since(at(3600))));
        assert_eq!(before.due_at(Fence(1), at(0)), first.next_at);
    }
}
