//! What the scaffold measures of every ticker, labelled with its name.

use std::time::Duration;

use prometheus::{GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};
use provost_domain::time::Timestamp;

/// Bounds of a tick's time, in seconds: from an idle look to one that rewrites files.
const TICK_SECONDS: [f64; 8] = [0.001, 0.01, 0.1, 0.5, 2.0, 10.0, 60.0, 600.0];

/// The figures of all tickers. Cloning shares them.
#[derive(Debug, Clone)]
pub(crate) struct TickerMeters {
    took: HistogramVec,
    failures: IntCounterVec,
    succeeded: GaugeVec,
}

impl TickerMeters {
    /// Registers the figures.
    pub(crate) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let took = HistogramOpts::new("provost_ticker_seconds", "How long ticks took.").buckets(TICK_SECONDS.to_vec());
        let failures = Opts::new("provost_ticker_failures_total", "Ticks that failed.");
        let succeeded =
            Opts::new("provost_ticker_last_success_seconds", "When a tick last succeeded, in seconds since 1970.");
        let meters = Self {
            took: HistogramVec::new(took, &["ticker"])?,
            failures: IntCounterVec::new(failures, &["ticker"])?,
            succeeded: GaugeVec::new(succeeded, &["ticker"])?,
        };
        registry.register(Box::new(meters.took.clone()))?;
        registry.register(Box::new(meters.failures.clone()))?;
        registry.register(Box::new(meters.succeeded.clone()))?;
        Ok(meters)
    }

    /// A tick ended.
    pub(super) fn ticked(&self, name: &str, took: Duration, succeeded: bool, at: Timestamp) {
        self.took.with_label_values(&[name]).observe(took.as_secs_f64());
        let failures = self.failures.with_label_values(&[name]);
        if succeeded {
            self.succeeded.with_label_values(&[name]).set(at.since(Timestamp::default()).as_secs_f64());
        } else {
            failures.inc();
        }
    }
}
