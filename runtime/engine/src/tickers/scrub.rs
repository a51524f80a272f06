//! The scrub: rewrites the store's files where erasures left bytes in them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::backoff::Backoff;
use crate::eraser::Eraser;
use crate::ticker::{Next, TickFailure, Ticker, TickerSettings};

/// The first look comes so long after the start: what a crash left does not hold the start up.
const FIRST: Duration = Duration::from_mins(2);
/// How long rewriting may take: as long as copying the largest store that one file is meant for.
const LIMIT: Duration = Duration::from_hours(1);
/// The pause after the first failure: a full disk or a long reader stays for a while.
const AFTER_FAILURE: Duration = Duration::from_mins(10);

/// Rewrites files after what a crash left, when erasures ask for it, and once in a period in case a rewriting failed. It
/// costs nothing where the store's own mark says that nothing is left.
#[derive(Debug)]
pub struct Scrub {
    eraser: Eraser,
    period: Duration,
}

impl Scrub {
    /// For what an eraser erases.
    pub fn new(eraser: Eraser, period: Duration) -> Self {
        Self { eraser, period }
    }
}

#[async_trait]
impl Ticker for Scrub {
    fn settings(&self) -> TickerSettings {
        let backoff = Backoff::doubling(AFTER_FAILURE, self.period.max(AFTER_FAILURE)).with_jitter(0.1);
        TickerSettings { name: "scrub", first: FIRST, period: self.period, jitter: 0.1, limit: LIMIT, backoff }
    }

    fn wake(&self) -> Option<Arc<Notify>> {
        Some(self.eraser.scrub_wanted())
    }

    async fn tick(&mut self) -> Result<Next, TickFailure> {
        self.eraser.scrub().await?;
        Ok(Next::Period)
    }
}
