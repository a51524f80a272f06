//! What the server counts of its own: answers, streams, approvals that wait.

use std::time::Duration;

use axum::http::Method;
use prometheus::{Gauge, HistogramOpts, HistogramVec, IntCounter, IntGauge, Registry, TextEncoder};
use provost_domain::time::Timestamp;

/// Bounds of answer times, in seconds: up to what a request may take.
const ANSWER_SECONDS: [f64; 9] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 30.0];
/// What stands for paths and methods nobody wrote down: their number has no bound.
pub(crate) const OTHER: &str = "other";

/// What the server counts.
#[derive(Debug)]
pub(crate) struct Meters {
    registry: Registry,
    requests: HistogramVec,
    streams: IntGauge,
    pending: IntGauge,
    too_large: IntCounter,
}

impl Meters {
    /// Registers the server's figures in the process's registry.
    ///
    /// # Errors
    /// Figures of the same name are registered already.
    pub(crate) fn new(registry: Registry, started: Timestamp) -> prometheus::Result<Self> {
        let requests = HistogramOpts::new("provost_http_request_seconds", "How long answers took to begin.");
        let requests = requests.buckets(ANSWER_SECONDS.to_vec());
        let meters = Self {
            registry,
            requests: HistogramVec::new(requests, &["method", "path", "status"])?,
            streams: IntGauge::new("provost_http_streams_open", "Event streams that are read.")?,
            pending: IntGauge::new(
                "provost_approvals_pending",
                "Approvals that wait for a person; 500 is 500 or more.",
            )?,
            too_large: IntCounter::new(
                "provost_deliveries_too_large_total",
                "Deliveries of known senders that were larger than what is taken, and are lost unless they come smaller.",
            )?,
        };
        let start = Gauge::new("process_start_time_seconds", "When the process began to serve, since 1970.")?;
        start.set(started.since(Timestamp::default()).as_secs_f64());
        meters.registry.register(Box::new(start))?;
        meters.registry.register(Box::new(meters.requests.clone()))?;
        meters.registry.register(Box::new(meters.streams.clone()))?;
        meters.registry.register(Box::new(meters.pending.clone()))?;
        meters.registry.register(Box::new(meters.too_large.clone()))?;
        Ok(meters)
    }

    /// A request was answered; `path` is its template.
    pub(crate) fn answered(&self, method: &Method, path: Option<&str>, status: u16, took: Duration) {
        let labels = [verb(method), path.unwrap_or(OTHER), &status.to_string()];
        self.requests.with_label_values(&labels).observe(took.as_secs_f64());
    }

    /// A delivery was too large to be taken.
    pub(crate) fn too_large(&self) {
        self.too_large.inc();
    }

    /// Everything that is registered, as text, with the open streams and the pending approvals there are now.
    pub(crate) fn write(&self, streams: usize, pending: usize) -> prometheus::Result<String> {
        self.streams.set(i64::try_from(streams).unwrap_or(i64::MAX));
        self.pending.set(i64::try_from(pending).unwrap_or(i64::MAX));
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

/// A method's word; callers may make up their own.
fn verb(method: &Method) -> &str {
    let known = [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD, Method::OPTIONS];
    if known.contains(method) { method.as_str() } else { OTHER }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callers_make_up_is_one_label() {
        let meters = Meters::new(Registry::new(), Timestamp::from_micros(1_500_000)).unwrap();
        for made_up in ["BREW", "WHEN"] {
            meters.answered(&made_up.parse().unwrap(), None, 404, Duration::ZERO);
        }
        meters.answered(&Method::GET, Some("/healthz"), 200, Duration::from_millis(2));
        let text = meters.write(3, 2).unwrap();
        for line in [
            "provost_http_request_seconds_count{method=\"other\",path=\"other\",status=\"404\"} 2",
            "provost_http_request_seconds_bucket{method=\"GET\",path=\"/healthz\",status=\"200\",le=\"0.001\"} 0",
            "provost_http_request_seconds_bucket{method=\"GET\",path=\"/healthz\",status=\"200\",le=\"0.005\"} 1",
            "provost_http_streams_open 3",
            "provost_approvals_pending 2",
            "process_start_time_seconds 1.5",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
