//! When a model is asked again: pure policy. Time and waiting are the gateway's.

use std::time::Duration;

use provost_domain::failure::ModelFailure;

use crate::backoff::Backoff;

/// Tries of one question after one kind of failure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// Tries that may fail this way, the first included.
    pub tries: u32,
    /// The pauses between them. A provider that asks for more than the longest ends the question: asking earlier would only
    /// be refused again.
    pub backoff: Backoff,
}

/// What may be tried again, each kind on its own schedule and counted apart from the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedules {
    /// The provider asked to slow down: not by itself, since the session waits as long as it is asked to.
    pub rate_limited: Schedule,
    /// A server error, or no connection: once more at once. What lasts longer is waited for durably, by the session.
    pub unavailable: Schedule,
    /// A reply that could not be read: the next one may be.
    pub malformed: Schedule,
}

impl Default for Schedules {
    fn default() -> Self {
        let at_once = Backoff::doubling(Duration::from_millis(250), Duration::from_secs(5));
        Self {
            rate_limited: Schedule { tries: 1, backoff: at_once },
            unavailable: Schedule { tries: 2, backoff: at_once },
            malformed: Schedule { tries: 3, backoff: at_once },
        }
    }
}

impl Schedules {
    /// Every question is asked once.
    pub const fn once() -> Self {
        let one = Schedule { tries: 1, backoff: Backoff::doubling(Duration::ZERO, Duration::ZERO) };
        Self { rate_limited: one, unavailable: one, malformed: one }
    }
}

/// The failures of one question so far.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    rate_limited: u32,
    unavailable: u32,
    malformed: u32,
}

impl Failures {
    /// Counts a failure: how long to wait before the question is asked again, or `None` when it is not.
    pub(crate) fn pause_after(&mut self, failure: &ModelFailure, schedules: &Schedules) -> Option<Duration> {
        let (failed, schedule) = match failure {
            ModelFailure::RateLimited { .. } => (&mut self.rate_limited, schedules.rate_limited),
            ModelFailure::Unavailable { .. } => (&mut self.unavailable, schedules.unavailable),
            ModelFailure::Malformed { .. } => (&mut self.malformed, schedules.malformed),
            // A timeout has taken long already.
            ModelFailure::LlmTimeout { .. } | ModelFailure::LlmConfig { .. } | ModelFailure::Refused { .. } => {
                return None;
            }
        };
        *failed += 1;
        if *failed >= schedule.tries {
            return None;
        }
        match failure.retry_after() {
            Some(asked) => (asked <= schedule.backoff.max).then_some(asked),
            None => Some(schedule.backoff.after(*failed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(retry_after_ms: Option<u64>) -> ModelFailure {
        ModelFailure::RateLimited { retry_after_ms }
    }

    fn unavailable() -> ModelFailure {
        ModelFailure::Unavailable { detail: "down".to_owned() }
    }

    /// The pauses after these failures, in milliseconds, until one ends the question.
    #[track_caller]
    fn check(failures: &[ModelFailure], expect: &[Option<u64>]) {
        let schedules = Schedules {
            rate_limited: Schedule {
                tries: 4,
                backoff: Backoff::doubling(Duration::from_secs(1), Duration::from_secs(3)),
            },
            unavailable: Schedule {
                tries: 3,
                backoff: Backoff::doubling(Duration::from_millis(10), Duration::from_secs(1)),
            },
            malformed: Schedule {
                tries: 2,
                backoff: Backoff::doubling(Duration::from_millis(7), Duration::from_secs(1)),
            },
        };
        let mut so_far = Failures::default();
        let pauses = failures.iter().map(|failure| so_far.pause_after(failure, &schedules));
        let pauses: Vec<_> = pauses.map(|pause| pause.map(|p| u64::try_from(p.as_millis()).unwrap())).collect();
        assert_eq!(pauses, expect);
    }

    #[test]
    fn each_kind_has_its_own_schedule() {
        let slow = limited(None);
        check(&[slow.clone(), slow.clone(), slow.clone(), slow.clone()], &[Some(1000), Some(2000), Some(3000), None]);
        check(&[unavailable(), unavailable(), unavailable()], &[Some(10), Some(20), None]);
        check(
            &[unavailable(), slow.clone(), unavailable(), slow, unavailable()],
            &[Some(10), Some(1000), Some(20), Some(2000), None],
        );
        let malformed = ModelFailure::Malformed { detail: String::new() };
        check(&[malformed.clone(), unavailable(), malformed], &[Some(7), Some(10), None]);
        check(&[ModelFailure::LlmTimeout { after_ms: 1 }], &[None]);
    }

    #[test]
    fn a_providers_word_goes_first_up_to_a_bound() {
        check(&[limited(Some(0)), limited(Some(3000)), limited(Some(3001))], &[Some(0), Some(3000), None]);
    }

    #[test]
    fn what_will_fail_again_is_not_asked_again() {
        check(&[ModelFailure::LlmConfig { detail: String::new() }], &[None]);
        check(&[ModelFailure::Refused { detail: String::new() }], &[None]);
    }

    #[test]
    fn once_is_once() {
        for failure in [limited(Some(0)), unavailable()] {
            assert_eq!(Failures::default().pause_after(&failure, &Schedules::once()), None);
        }
    }
}
