//! The sliding window behind the shop's error ratio and latency.

use std::collections::VecDeque;

use tokio::time::{Duration, Instant};

/// Samples kept at most: eight times what the default load puts into a window of twenty seconds, at about 32 bytes each.
/// Beyond it the oldest sample goes first, so that the figures stay those of the latest requests.
const SAMPLES_MAX: usize = 8192;

/// The latest requests, no older than `length`.
#[derive(Debug)]
pub(crate) struct ShopWindow {
    length: Duration,
    samples: VecDeque<Sample>,
}

#[derive(Debug)]
struct Sample {
    at: Instant,
    failed: bool,
    latency: Duration,
}

/// What the window shows at one moment. Without a request there is nothing to share: the ratio is not a number, as in
/// Prometheus, so that a shop nobody visits never reads as healthy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figures {
    /// Failed requests by all requests, 0.0 to 1.0; NaN without a request.
    pub(crate) errors_ratio: f64,
    /// The latency that 99 of 100 requests did not exceed (nearest rank).
    pub(crate) latency_p99: Duration,
}

impl ShopWindow {
    pub(crate) fn new(length: Duration) -> Self {
        Self { length, samples: VecDeque::new() }
    }

    /// Adds a request that ended at `at`.
    pub(crate) fn record(&mut self, at: Instant, failed: bool, latency: Duration) {
        self.forget_before(at);
        if self.samples.len() == SAMPLES_MAX {
            self.samples.pop_front();
        }
        self.samples.push_back(Sample { at, failed, latency });
    }

    /// The figures of the requests that ended within the window before `now`.
    pub(crate) fn figures(&mut self, now: Instant) -> Figures {
        self.forget_before(now);
        let failed = self.samples.iter().filter(|sample| sample.failed).count();
        let mut latencies: Vec<_> = self.samples.iter().map(|sample| sample.latency).collect();
        latencies.sort_unstable();
        let rank = (latencies.len() * 99).div_ceil(100).saturating_sub(1);
        Figures {
            errors_ratio: ratio(failed, self.samples.len()),
            latency_p99: latencies.get(rank).copied().unwrap_or_default(),
        }
    }

    fn forget_before(&mut self, now: Instant) {
        let length = self.length;
        let old = |sample: &Sample| now.saturating_duration_since(sample.at) > length;
        while self.samples.front().is_some_and(old) {
            self.samples.pop_front();
        }
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    let float = |count| u32::try_from(count).map_or(f64::MAX, f64::from);
    if whole == 0 { f64::NAN } else { float(part) / float(whole) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn an_empty_window_never_reads_as_healthy() {
        let figures = ShopWindow::new(MS * 100).figures(Instant::now());
        assert!(figures.errors_ratio.is_nan());
        assert_eq!(figures.latency_p99, Duration::ZERO);
    }

    #[test]
    fn the_ratio_and_the_99th_percentile_are_of_what_the_window_holds() {
        let start = Instant::now();
        let mut window = ShopWindow::new(MS * 100);
        for nth in 1..=100 {
            window.record(start, nth % 4 == 0, MS * nth);
        }
        let figures = window.figures(start + MS * 100);
        assert!((figures.errors_ratio - 0.25).abs() < f64::EPSILON);
        assert_eq!(figures.latency_p99, MS * 99);
    }

    #[test]
    fn requests_older_than_the_window_are_forgotten() {
        let start = Instant::now();
        let mut window = ShopWindow::new(MS * 100);
        window.record(start, true, MS * 50);
        window.record(start + MS * 60, false, MS);
        let figures = window.figures(start + MS * 101);
        assert_eq!((figures.errors_ratio, figures.latency_p99), (0.0, MS));
    }

    #[test]
    fn the_oldest_samples_go_when_the_window_is_full() {
        let start = Instant::now();
        let mut window = ShopWindow::new(MS * 100);
        window.record(start, true, MS);
        for _ in 0..SAMPLES_MAX {
            window.record(start, false, MS);
        }
        assert_eq!(window.samples.len(), SAMPLES_MAX);
        assert!(window.figures(start).errors_ratio.abs() < f64::EPSILON);
    }
}
