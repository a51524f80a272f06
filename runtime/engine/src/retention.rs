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
use provost_domain::port::{Clock, Prunable, StoreError};
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
/// Pauses vary by one part in so many, so that nodes that started together do not work together.
const JITTER_PART: u32 = 10;

/// How old what may get. What has no age stays for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionSettings {
    /// Sessions that have ended, since their last event.
    pub sessions: Option<Duration>,
    /// What is finished, since it came.
    pub rows: BTreeMap<Prunable, Duration>,
    /// The pause between two ticks that leave nothing.
    pub every: Duration,
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
        tokio::time::sleep(pause(FIRST, shared.salt())).await;
        // What a crash left is nobody's age to wait for, and waits for no backlog either.
        if let Err(error) = self.eraser.scrub().await {
            tracing::warn!(%error, "the files may still hold bytes of erased sessions");
        }
        loop {
            let more = self.tick().await.unwrap_or_else(|error| {
                tracing::warn!(%error, "retention goes on with its next tick");
                false
            });
            tokio::time::sleep(if more { SOON } else { pause(self.settings.every, shared.salt()) }).await;
        }
    }

    /// One look. Whether it left something.
    async fn tick(&self) -> Result<bool, StoreError> {
        let (now, mut more) = (self.clock.now(), false);
        for (what, age) in &self.settings.rows {
            let pruned = self.eraser.erasure().prune(*what, now.minus(*age), ROWS_MAX).await?;
            self.count(what.as_str(), pruned);
            more |= pruned >= u64::from(ROWS_MAX);
        }
        if let Some(age) = self.settings.sessions {
            more |= self.sessions(now.minus(age), age).await?;
        }
        // Rewriting the files is worth its time once, at the end.
        if !more {
            self.eraser.scrub().await?;
        }
        Ok(more)
    }

    async fn sessions(&self, before: Timestamp, age: Duration) -> Result<bool, StoreError> {
        let (by, reason) = (Principal::new(BY), format!("older than {} days", age.as_secs() / (24 * 60 * 60)));
        let expired = self.eraser.erasure().expired(before, SESSIONS_MAX).await?;
        let (found, mut erased) = (expired.len(), 0_usize);
        for session in expired {
            match self.eraser.erase(session, &by, &reason).await {
                Ok(_) => {
                    erased += 1;
                    self.count("sessions", 1);
                }
                Err(EngineError::Store(error @ (StoreError::Failed { .. } | StoreError::Damaged { .. }))) => {
                    return Err(error);
                }
                // Somebody is at it, or it moved on: it is looked at again with the next tick.
                Err(error) => tracing::debug!(%session, %error, "a session stays for now"),
            }
        }
        Ok(erased > 0 && found >= SESSIONS_MAX as usize)
    }

    fn count(&self, what: &str, gone: u64) {
        self.gone.with_label_values(&[what]).inc_by(gone);
    }
}

/// A pause, and up to one part more of it.
fn pause(span: Duration, random: [u8; 16]) -> Duration {
    let part = f64::from(random.first().copied().unwrap_or_default()) / f64::from(u8::MAX);
    span.saturating_add((span / JITTER_PART).mul_f64(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_vary_within_their_bounds() {
        let minute = Duration::from_mins(1);
        assert_eq!(pause(minute, [0; 16]), minute);
        assert_eq!(pause(minute, [255; 16]), minute + minute / JITTER_PART);
        let between = pause(minute, [128; 16]);
        assert!(minute < between && between < minute + minute / JITTER_PART, "{between:?}");
    }
}
