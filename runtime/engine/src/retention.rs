//! Retention: looks from time to time for what is old enough to go.
//!
//! | what it does | where it is decided |
//! |---|---|
//! | erases sessions that ended long ago | [`Eraser`], as for a person |
//! | prunes what is finished and old | the store: what is still needed to tell news from repeats stays |
//! | finishes rewriting the files where a crash came between, also when nothing may go by age | the store's own mark |

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use prometheus::proto::MetricFamily;
use prometheus::{IntCounterVec, Opts, Registry};
use provost_domain::ids::Principal;
use provost_domain::port::{Clock, Prunable, Quiet, SessionFilter, StoreError};
use provost_domain::time::Timestamp;

use crate::api::EngineError;
use crate::eraser::Eraser;

/// Who erases when a session's time is up.
const BY: &str = "runtime:retention";
/// Sessions of one tick: each is a transaction of its own, and others write between two.
const SESSIONS_MAX: u32 = 64;
/// Rows of one kind that one tick prunes: keeps its transaction short.
const ROWS_MAX: u32 = 500;
/// The pause before the next tick where this one left something.
const SOON: Duration = Duration::from_secs(2);
/// The first tick comes so long after the start: what is old does not wait a day for it, and what a crash left does not hold
/// the start up.
const FIRST: Duration = Duration::from_mins(2);
/// Pauses vary by this share, so that nodes that started together do not work together.
const JITTER: f64 = 0.1;

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
#[derive(Debug)]
struct Walk {
    /// The time at the last tick, or of what came last before the first one.
    known: Timestamp,
    /// The pause since.
    waited: Duration,
    /// The session that the last tick came to, if there were more.
    reached: Option<Quiet>,
}

impl Walk {
    fn doubts(&self, now: Timestamp) -> bool {
        now > self.known.plus(self.waited).plus(JUMP_MAX)
    }
}

/// The ticker. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Retention {
    eraser: Eraser,
    clock: Arc<dyn Clock>,
    settings: RetentionSettings,
    registry: Registry,
    gone: IntCounterVec,
}

impl Retention {
    /// A ticker that does not tick yet.
    ///
    /// # Errors
    /// Its figures cannot be kept.
    pub fn new(eraser: Eraser, clock: Arc<dyn Clock>, settings: RetentionSettings) -> prometheus::Result<Self> {
        let gone = Opts::new("provost_pruned_total", "What was old enough to go: sessions erased, rows deleted.");
        let gone = IntCounterVec::new(gone, &["what"])?;
        let registry = Registry::new();
        registry.register(Box::new(gone.clone()))?;
        Ok(Self { eraser, clock, settings, registry, gone })
    }

    /// What it erases with.
    pub fn eraser(&self) -> &Eraser {
        &self.eraser
    }

    /// Its figures.
    pub fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }

    /// Ticks until the engine stops. Whatever a tick leaves undone, the next one finds again.
    pub fn start(&self) {
        let (this, shared) = (self.clone(), Arc::clone(self.eraser.engine().shared()));
        let stopped = shared.stopped.clone();
        drop(shared.tasks.spawn(async move { stopped.run_until_cancelled(this.run()).await }));
    }

    async fn run(&self) {
        let shared = self.eraser.engine().shared();
        tokio::time::sleep(shared.jittered(FIRST, JITTER)).await;
        // What a crash left is nobody's age to wait for, and waits for no backlog either.
        if let Err(error) = self.eraser.scrub().await {
            tracing::warn!(%error, "the files may still hold bytes of erased sessions");
        }
        let mut walk = Walk { known: self.newest().await, waited: FIRST, reached: None };
        loop {
            let more = self.tick(&mut walk).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "retention goes on with its next tick");
                false
            });
            walk.waited = if more { SOON } else { self.settings.every };
            tokio::time::sleep(shared.jittered(walk.waited, JITTER)).await;
        }
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
    async fn tick(&self, walk: &mut Walk) -> Result<bool, StoreError> {
        let (now, mut more) = (self.clock.now(), false);
        if walk.doubts(now) {
            let jump = "the clock is far ahead of what was last seen: nothing goes by age until it has stood there for one \
                 more pause of retention; see to the clock if it is wrong";
            tracing::warn!(seen = %walk.known, %now, pause = ?self.settings.every, "{jump}");
        } else {
            more = self.by_age(now, &mut walk.reached).await?;
        }
        walk.known = now;
        // Rewriting the files is worth its time once, at the end.
        if !more {
            self.eraser.scrub().await?;
        }
        Ok(more)
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
        let (by, reason) = (Principal::new(BY), format!("older than {} days", age.as_secs() / (24 * 60 * 60)));
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
