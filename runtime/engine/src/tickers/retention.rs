//! Retention: looks from time to time for what is old enough to go.
//!
//! | what it does | where it is decided |
//! |---|---|
//! | erases sessions that ended long ago | [`Eraser`], as for a person |
//! | prunes what is finished and old | the store: what is still needed to tell news from repeats stays |
//! | asks for the files to be rewritten at the end of a look | [`crate::Scrub`] |

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use prometheus::{IntCounterVec, Opts, Registry};
use provost_domain::port::{Clock, Prunable, Quiet, SessionFilter, StoreError};
use provost_domain::principal::Principal;
use provost_domain::time::Timestamp;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::eraser::Eraser;
use crate::error::EngineError;
use crate::ticker::{Next, TickFailure, Ticker, TickerSettings};

/// Sessions of one tick: each is a transaction of its own, and others write between two.
const SESSIONS_MAX: u32 = 64;
/// Rows of one kind that one tick prunes: keeps its transaction short.
const ROWS_MAX: u32 = 500;
/// The pause before the next tick where this one left something.
const SOON: Duration = Duration::from_secs(2);
/// The first tick comes so long after the start: what is old does not wait a day for it, and the start does not wait for it.
const FIRST: Duration = Duration::from_mins(2);
/// How long one tick may take: many times what its transactions take, also where a rewriting of the files holds them up.
const LIMIT: Duration = Duration::from_hours(1);
/// The pause after the first failure: what keeps a store from erasing stays for a while, and nothing is in a hurry.
const AFTER_FAILURE: Duration = Duration::from_mins(10);

/// How old what may get. What has no age stays for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionSettings {
    /// Sessions that have ended, since their last event; those that may not go yet are looked at anew each time round.
    pub sessions: Option<Duration>,
    /// What is finished, since it came.
    pub rows: BTreeMap<Prunable, Duration>,
    /// The pause between two ticks that leave nothing.
    pub every: Duration,
}

/// How far the clock may get ahead of the ticks. What a wrong clock erased, nothing would bring back.
const JUMP_MAX: Duration = Duration::from_hours(24);

/// Where the ticker is.
#[derive(Debug, Clone, Copy)]
struct Walk {
    /// The time at the last tick, or of what came last before the first one.
    known: Timestamp,
    /// Since when: measures the time that passed whatever the clock says.
    since: Instant,
    /// The session that the last tick came to, if there were more.
    reached: Option<Quiet>,
}

impl Walk {
    fn doubts(&self, now: Timestamp) -> bool {
        now > self.known.plus(self.since.elapsed()).plus(JUMP_MAX)
    }
}

/// Erases and prunes what is old enough.
#[derive(Debug)]
pub struct Retention {
    eraser: Eraser,
    clock: Arc<dyn Clock>,
    settings: RetentionSettings,
    gone: IntCounterVec,
    /// None before the first tick.
    walk: Option<Walk>,
}

impl Retention {
    /// A ticker that is not started yet.
    ///
    /// # Errors
    /// Its figures cannot be registered.
    pub fn new(
        eraser: Eraser,
        clock: Arc<dyn Clock>,
        settings: RetentionSettings,
        metrics: &Registry,
    ) -> prometheus::Result<Self> {
        let gone = Opts::new("provost_pruned_total", "What was old enough to go: sessions erased, rows deleted.");
        let gone = IntCounterVec::new(gone, &["what"])?;
        metrics.register(Box::new(gone.clone()))?;
        Ok(Self { eraser, clock, settings, gone, walk: None })
    }

    /// When something came last, as the store knows it; now, where it knows nothing.
    async fn newest(&self) -> Timestamp {
        let newest = SessionFilter { limit: 1, ..SessionFilter::default() };
        match self.eraser.engine().reads().sessions(&newest).await {
            Ok(rows) => rows.first().map_or_else(|| self.clock.now(), |row| row.progress_at),
            Err(error) => {
                tracing::warn!(%error, "retention waits with its first look");
                Timestamp::default()
            }
        }
    }

    /// One look, at sessions from where the last one came to. Whether it left something.
    async fn look(&self, walk: &mut Walk) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let looked = if walk.doubts(now) {
            let jump = "the clock is far ahead of what was last seen: nothing goes by age until it has stood there for one \
                 more pause of retention; see to the clock if it is wrong";
            tracing::warn!(seen = %walk.known, %now, pause = ?self.settings.every, "{jump}");
            Ok(false)
        } else {
            self.by_age(now, &mut walk.reached).await
        };
        (walk.known, walk.since) = (now, Instant::now());
        // Rewriting the files is worth its time once, at the end, and owed also where the end came early.
        if !matches!(looked, Ok(true)) {
            self.eraser.want_scrub();
        }
        looked
    }

    async fn by_age(&self, now: Timestamp, reached: &mut Option<Quiet>) -> Result<bool, StoreError> {
        let mut more = false;
        for (what, age) in &self.settings.rows {
            let pruned = self.eraser.erasure().prune(*what, now.minus(*age), ROWS_MAX).await?;
            self.count(what.as_str(), pruned);
            more |= pruned >= u64::from(ROWS_MAX);
        }
        if let Some(age) = self.settings.sessions {
            *reached = self.sessions(now.minus(age), age, *reached).await?;
            more |= reached.is_some();
        }
        Ok(more)
    }

    /// Erases some. Where it came to, if there are more.
    async fn sessions(
        &self,
        before: Timestamp,
        age: Duration,
        after: Option<Quiet>,
    ) -> Result<Option<Quiet>, StoreError> {
        let (by, reason) = (Principal::Retention, format!("older than {} days", age.as_secs() / (24 * 60 * 60)));
        let expired = self.eraser.erasure().expired(before, after, SESSIONS_MAX).await?;
        // Whatever keeps one of them, those behind it do not wait for that.
        for Quiet { session, .. } in &expired {
            match self.eraser.expire(*session, &by, &reason).await {
                Ok(_) => self.count("sessions", 1),
                Err(EngineError::Store(error @ (StoreError::Failed { .. } | StoreError::Damaged { .. }))) => {
                    tracing::warn!(%session, %error, "a session cannot be erased");
                }
                Err(error) => tracing::info!(%session, %error, "a session stays for now"),
            }
        }
        Ok(expired.last().copied().filter(|_| expired.len() >= SESSIONS_MAX as usize))
    }

    fn count(&self, what: &str, gone: u64) {
        self.gone.with_label_values(&[what]).inc_by(gone);
    }
}

#[async_trait]
impl Ticker for Retention {
    fn settings(&self) -> TickerSettings {
        let period = self.settings.every;
        let backoff = Backoff::doubling(AFTER_FAILURE, period.max(AFTER_FAILURE)).with_jitter(0.1);
        TickerSettings { name: "retention", first: FIRST, period, jitter: 0.1, limit: LIMIT, backoff }
    }

    async fn tick(&mut self) -> Result<Next, TickFailure> {
        let mut walk = match self.walk {
            Some(walk) => walk,
            None => Walk { known: self.newest().await, since: Instant::now(), reached: None },
        };
        let looked = self.look(&mut walk).await;
        self.walk = Some(walk);
        Ok(if looked? { Next::After(SOON) } else { Next::Period })
    }
}
