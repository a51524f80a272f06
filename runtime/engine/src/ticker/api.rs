//! What a ticker is, and what it says of itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::principal::Principal;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;

/// Something that is looked at from time to time.
#[async_trait]
pub trait Ticker: fmt::Debug + Send + Sync + 'static {
    /// When it ticks. Asked once, at its start.
    fn settings(&self) -> TickerSettings;

    /// Wakes it before its time, where somebody may know that there is something to do. Asked once, at its start.
    fn wake(&self) -> Option<Arc<Notify>> {
        None
    }

    /// One look. It is dropped where it waits when the engine stops or its limit is over: whatever it leaves undone, the
    /// next tick or the next process finds again.
    ///
    /// # Errors
    /// It did not get as far as it should have; the scaffold logs why and backs off.
    async fn tick(&mut self) -> Result<Next, TickFailure>;
}

/// When a ticker ticks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TickerSettings {
    /// Names it in its principal, in figures and in the log.
    pub name: &'static str,
    /// The pause before the first tick.
    pub first: Duration,
    /// The pause after a tick that left nothing to do.
    pub period: Duration,
    /// The share by which these pauses vary either way: processes that started together do not tick together.
    pub jitter: f64,
    /// How long one tick may take.
    pub limit: Duration,
    /// The pauses after failures in a row, in place of the period.
    pub backoff: Backoff,
}

impl TickerSettings {
    /// The principal under which this ticker acts.
    pub fn principal(&self) -> Principal {
        Principal::Ticker(self.name.to_owned())
    }
}

/// When to tick again after a tick that succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Next {
    /// Nothing is left to do: after the period.
    Period,
    /// More is waiting: at once.
    AtOnce,
    /// Something is left to do later: after this pause, at the latest after the period.
    After(Duration),
}

/// Why a tick failed, as the log says it.
#[derive(Debug)]
pub struct TickFailure(String);

impl TickFailure {
    /// From words that fit after "a tick failed: ".
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for TickFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for TickFailure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// A ticker that runs. It goes on when this is dropped, until the engine stops.
#[derive(Debug)]
pub struct TickerHandle {
    pub(super) stop: CancellationToken,
    pub(super) task: JoinHandle<()>,
}

impl TickerHandle {
    /// Stops it; once this returns it does not tick any more, and a tick that was under way was dropped.
    pub async fn stop(self) {
        self.stop.cancel();
        // The task catches what panics in a tick.
        drop(self.task.await);
    }
}
