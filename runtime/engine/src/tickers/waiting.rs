//! How long the approval that waits longest has waited, as a figure.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use prometheus::{Gauge, Registry};
use provost_domain::port::{ApprovalFilter, ApprovalOrder, Clock, Reads, StoreError};

use crate::backoff::Backoff;
use crate::ticker::{Next, TickFailure, Ticker, TickerSettings};

/// The figure is at most so old.
const PERIOD: Duration = Duration::from_secs(30);
/// How long one look may take: it reads one row.
const LIMIT: Duration = Duration::from_secs(10);

/// Measures the age of the oldest approval that waits: 0 where none does, not a number where the store cannot say.
#[derive(Debug)]
pub struct OldestApproval {
    reads: Arc<dyn Reads>,
    clock: Arc<dyn Clock>,
    age: Gauge,
}

impl OldestApproval {
    /// A ticker that is not started yet.
    ///
    /// # Errors
    /// Its figure cannot be registered.
    pub fn new(reads: Arc<dyn Reads>, clock: Arc<dyn Clock>, metrics: &Registry) -> prometheus::Result<Self> {
        let help = "How long the approval that waits longest has waited; 0 where none waits.";
        let age = Gauge::new("provost_oldest_approval_seconds", help)?;
        metrics.register(Box::new(age.clone()))?;
        age.set(f64::NAN);
        Ok(Self { reads, clock, age })
    }

    async fn oldest(&self) -> Result<f64, StoreError> {
        let order = ApprovalOrder::OldestFirst;
        let filter = ApprovalFilter { pending_only: true, order, limit: 1, ..ApprovalFilter::default() };
        let rows = self.reads.approvals(&filter).await?;
        let now = self.clock.now();
        Ok(rows.first().map_or(0.0, |row| now.since(row.requested_at).as_secs_f64()))
    }
}

#[async_trait]
impl Ticker for OldestApproval {
    fn settings(&self) -> TickerSettings {
        let backoff = Backoff::doubling(PERIOD, Duration::from_mins(5)).with_jitter(0.1);
        TickerSettings { name: "approvals", first: Duration::ZERO, period: PERIOD, jitter: 0.1, limit: LIMIT, backoff }
    }

    async fn tick(&mut self) -> Result<Next, TickFailure> {
        match self.oldest().await {
            Ok(age) => {
                self.age.set(age);
                Ok(Next::Period)
            }
            Err(error) => {
                self.age.set(f64::NAN);
                Err(error.into())
            }
        }
    }
}
