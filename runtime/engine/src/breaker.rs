//! One breaker per model server: a server that keeps failing is left alone, but for one question from time to time. It lives
//! in memory; what waits meanwhile waits durably, in the sessions.
//!
//! | breaker | what happens to a question |
//! |---|---|
//! | closed | it is asked |
//! | open | it fails at once, as the last one did |
//! | half-open: the pause is over | the first one is asked, the others fail at once until that one is answered |

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use provost_domain::failure::{FailureKind, ModelFailure};
use tokio::time::Instant;

use crate::backoff::Backoff;

/// Failures in a row that open a breaker: more than one session in trouble, fewer than a storm.
const OPENS_AFTER: u32 = 5;
/// How long an open breaker lets nobody ask. The longest pause is shorter than the shortest that a session makes after many
/// failures (48 s): one that is alone asks each time it wants to.
const PAUSES: Backoff = Backoff::doubling(Duration::from_secs(1), Duration::from_secs(45));

/// The breaker of one model server.
#[derive(Debug)]
pub(crate) struct Breaker {
    server: String,
    state: Mutex<BreakerState>,
}

#[derive(Debug, Default)]
struct BreakerState {
    /// Failures in a row while it is closed.
    failures: u32,
    /// How often it was opened so far.
    openings: u64,
    open: Option<BreakerOpening>,
}

/// The time from the failure that opened a breaker to the answer that closes it.
#[derive(Debug)]
struct BreakerOpening {
    since: Instant,
    /// When the next question is let through.
    until: Instant,
    /// Pauses so far, this one included.
    pauses: u32,
    /// Whether the question that was let through is not answered yet.
    probing: bool,
    last: ModelFailure,
}

/// The right to put one question to a server. Dropped before an answer is known it says nothing of the server, and somebody
/// else may try.
#[derive(Debug)]
#[must_use = "a server whose answers are not noted never counts as away"]
pub(crate) struct Passage<'a> {
    breaker: &'a Breaker,
    /// Of which opening it is the probe.
    probes: Option<u64>,
}

/// What an open breaker says of its server.
#[derive(Debug)]
pub(crate) struct Absence {
    /// For how long it has been open.
    pub(crate) lasts: Duration,
    /// What was seen last.
    pub(crate) last: ModelFailure,
}

impl Breaker {
    pub(crate) fn new(server: String) -> Self {
        Self { server, state: Mutex::default() }
    }

    /// Lets a question through.
    ///
    /// # Errors
    /// It is open: the failure that was seen last.
    pub(crate) fn enter(&self) -> Result<Passage<'_>, ModelFailure> {
        let mut state = self.state();
        let openings = state.openings;
        let Some(opening) = &mut state.open else { return Ok(Passage { breaker: self, probes: None }) };
        opening.denies()?;
        opening.probing = true;
        Ok(Passage { breaker: self, probes: Some(openings) })
    }

    /// Asks for no passage, only whether there would be one now.
    ///
    /// # Errors
    /// As [`Self::enter`].
    pub(crate) fn admits(&self) -> Result<(), ModelFailure> {
        self.state().open.as_ref().map_or(Ok(()), BreakerOpening::denies)
    }

    /// How its server is away, if it is.
    pub(crate) fn absence(&self) -> Option<Absence> {
        let state = self.state();
        let opening = state.open.as_ref()?;
        Some(Absence { lasts: opening.since.elapsed(), last: opening.last.clone() })
    }

    fn answered(&self) {
        let mut state = self.state();
        state.failures = 0;
        if let Some(opening) = state.open.take() {
            let lasted = opening.since.elapsed();
            tracing::info!(server = %self.server, ?lasted, "the model server answers again");
        }
    }

    fn failed(&self, failure: &ModelFailure, probes: Option<u64>) {
        let mut state = self.state();
        let is_probe = probes == Some(state.openings);
        let now = Instant::now();
        let asked = failure.retry_after().unwrap_or_default();
        let ends = |pause: Duration| now.checked_add(pause.max(asked)).unwrap_or(now + PAUSES.max);
        match &mut state.open {
            Some(opening) if is_probe => {
                opening.pauses = opening.pauses.saturating_add(1);
                (opening.until, opening.probing) = (ends(PAUSES.after(opening.pauses)), false);
                opening.last = failure.clone();
            }
            // It was asked before the breaker opened: no news, but for the time that the server names.
            Some(opening) => opening.until = opening.until.max(ends(Duration::ZERO)),
            None => {
                state.failures += 1;
                if state.failures < OPENS_AFTER {
                    return;
                }
                tracing::warn!(server = %self.server, %failure, "the model server is away: it is asked from time to time only");
                state.openings += 1;
                let (until, last) = (ends(PAUSES.after(1)), failure.clone());
                state.open = Some(BreakerOpening { since: now, until, pauses: 1, probing: false, last });
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, BreakerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BreakerOpening {
    fn denies(&self) -> Result<(), ModelFailure> {
        let left = self.until.saturating_duration_since(Instant::now());
        if !self.probing && left.is_zero() {
            return Ok(());
        }
        Err(match &self.last {
            // Of the time that the server named, what is left.
            ModelFailure::RateLimited { retry_after_ms: Some(_) } => {
                let left = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
                ModelFailure::RateLimited { retry_after_ms: Some(left) }
            }
            last @ (ModelFailure::RateLimited { retry_after_ms: None }
            | ModelFailure::LlmTimeout { .. }
            | ModelFailure::LlmConfig { .. }
            | ModelFailure::Unavailable { .. }
            | ModelFailure::Malformed { .. }
            | ModelFailure::Refused { .. }) => last.clone(),
        })
    }
}

impl Passage<'_> {
    /// Notes what became of the question. Whoever answers is there, also with a refusal: only what may pass counts.
    pub(crate) fn ends(mut self, failure: Option<&ModelFailure>) {
        let probes = self.probes.take();
        match failure.filter(|failure| failure.kind() == FailureKind::Transient) {
            Some(failure) => self.breaker.failed(failure, probes),
            None => self.breaker.answered(),
        }
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        let Some(probes) = self.probes else { return };
        let mut state = self.breaker.state();
        let same = state.openings == probes;
        if let Some(opening) = state.open.as_mut().filter(|_| same) {
            opening.probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down() -> ModelFailure {
        ModelFailure::Unavailable { detail: "down".to_owned() }
    }

    fn limited(seconds: u64) -> ModelFailure {
        ModelFailure::RateLimited { retry_after_ms: Some(seconds * 1000) }
    }

    fn breaker() -> Breaker {
        Breaker::new("far".to_owned())
    }

    /// Fails in a row as often as it takes to open it.
    fn opened(by: &ModelFailure) -> Breaker {
        let breaker = breaker();
        for _ in 0..OPENS_AFTER {
            breaker.enter().unwrap().ends(Some(by));
        }
        assert!(breaker.absence().is_some());
        breaker
    }

    /// How long it lets nobody ask.
    async fn paused(breaker: &Breaker) -> Duration {
        let began = Instant::now();
        while breaker.admits().is_err() {
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_failures_in_a_row_and_an_answer_begins_a_new_row() {
        let breaker = breaker();
        for _ in 0..3 {
            for _ in 1..OPENS_AFTER {
                breaker.enter().unwrap().ends(Some(&down()));
            }
            breaker.enter().unwrap().ends(None);
        }
        assert!(breaker.absence().is_none());
        assert_eq!(opened(&down()).enter().unwrap_err(), down());
    }

    /// Red if a wrong key closed the way for models whose key is right.
    #[tokio::test(start_paused = true)]
    async fn what_is_wrong_with_a_question_or_a_configuration_never_opens_it() {
        for failure in [
            ModelFailure::LlmConfig { detail: String::new() },
            ModelFailure::Refused { detail: String::new() },
            ModelFailure::Malformed { detail: String::new() },
        ] {
            let breaker = breaker();
            for _ in 0..3 * OPENS_AFTER {
                breaker.enter().unwrap().ends(Some(&failure));
            }
            assert!(breaker.absence().is_none());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn its_pauses_grow_and_one_question_is_let_through_after_each() {
        let (breaker, mut pauses) = (opened(&down()), Vec::new());
        for _ in 0..9 {
            pauses.push(paused(&breaker).await.as_secs());
            let probe = breaker.enter().unwrap();
            assert_eq!(breaker.enter().unwrap_err(), down(), "a second question was let through");
            tokio::time::advance(Duration::from_mins(3)).await;
            assert!(breaker.admits().is_err(), "a second question was let through");
            probe.ends(Some(&down()));
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 45, 45, 45]);
        paused(&breaker).await;
        breaker.enter().unwrap().ends(None);
        assert!(breaker.absence().is_none());
        let [_first, _second] = [breaker.enter().unwrap(), breaker.enter().unwrap()];
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_given_up_leaves_the_way_to_the_next() {
        let breaker = opened(&down());
        paused(&breaker).await;
        drop(breaker.enter().unwrap());
        breaker.enter().unwrap().ends(Some(&down()));
        assert_eq!(paused(&breaker).await.as_secs(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_that_a_server_names_is_kept_and_who_comes_later_waits_for_what_is_left() {
        let breaker = opened(&limited(600));
        tokio::time::advance(Duration::from_secs(500)).await;
        assert_eq!(breaker.enter().unwrap_err(), limited(100));
        assert_eq!(paused(&breaker).await, Duration::from_secs(100));
    }

    /// Red if a hundred questions that were under way counted as a hundred probes.
    #[tokio::test(start_paused = true)]
    async fn late_failures_are_no_news_but_for_the_time_that_the_server_names() {
        let breaker = breaker();
        let mut passages: Vec<_> = (0..50).map(|_| breaker.enter().unwrap()).collect();
        let last = passages.pop().unwrap();
        for passage in passages {
            passage.ends(Some(&down()));
        }
        last.ends(Some(&limited(30)));
        assert_eq!(paused(&breaker).await.as_secs(), 30);
        breaker.enter().unwrap().ends(Some(&down()));
        assert_eq!(paused(&breaker).await.as_secs(), 2);
    }
}
