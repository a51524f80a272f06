//! The loop of one ticker.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use provost_domain::port::{Clock, Random};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use super::api::{Next, TickFailure, Ticker, TickerHandle, TickerSettings};
use super::meters::TickerMeters;
use crate::backoff::jittered;
use crate::tasks::Tasks;

/// What a ticker needs of its engine.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) meters: TickerMeters,
}

/// Starts a ticker, which ticks until it is stopped or the engine is.
pub(crate) fn start(tasks: &Tasks, around: Surroundings, ticker: impl Ticker) -> TickerHandle {
    let stop = tasks.stopped().child_token();
    let (settings, stopped) = (ticker.settings(), stop.clone());
    let task = tasks.spawn(settings.name, async move {
        let running = Running { wake: ticker.wake(), ticker, settings, around };
        let _ended = stopped.run_until_cancelled(running.run()).await;
    });
    TickerHandle { stop, task }
}

#[derive(Debug)]
struct Running<T> {
    ticker: T,
    settings: TickerSettings,
    wake: Option<Arc<Notify>>,
    around: Surroundings,
}

impl<T: Ticker> Running<T> {
    /// Always waits after the tick and never on a fixed beat: ticks cannot pile up.
    async fn run(mut self) {
        sleep(self.varied(self.settings.first)).await;
        let mut failures = 0;
        loop {
            let began = Instant::now();
            let ticked = self.tick().await;
            self.around.meters.ticked(self.settings.name, began.elapsed(), ticked.is_ok(), self.around.clock.now());
            match ticked {
                Ok(next) => {
                    failures = 0;
                    self.rest(next).await;
                }
                Err(failure) => {
                    failures += 1;
                    let pause = self.settings.backoff.jittered(failures, self.around.random.bytes());
                    tracing::warn!(ticker = self.settings.name, %failure, failures, ?pause, "a tick failed");
                    // Nobody wakes it sooner: what it needs is not there.
                    sleep(pause).await;
                }
            }
        }
    }

    async fn tick(&mut self) -> Result<Next, TickFailure> {
        let limit = self.settings.limit;
        let tick = AssertUnwindSafe(self.ticker.tick()).catch_unwind();
        match timeout(limit, tick).await {
            Ok(Ok(ticked)) => ticked,
            Ok(Err(_panic)) => Err(TickFailure::new("it panicked; see the log of this process")),
            Err(_elapsed) => Err(TickFailure::new(format!("it took longer than {limit:?}"))),
        }
    }

    async fn rest(&self, next: Next) {
        let pause = match next {
            Next::Period => self.varied(self.settings.period),
            Next::AtOnce => Duration::ZERO,
            Next::After(pause) => pause.min(self.settings.period),
        };
        match &self.wake {
            Some(wake) => drop(timeout(pause, wake.notified()).await),
            None => sleep(pause).await,
        }
    }

    fn varied(&self, pause: Duration) -> Duration {
        jittered(pause, self.settings.jitter, self.around.random.bytes())
    }
}
