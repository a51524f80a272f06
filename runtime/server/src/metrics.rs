//! `/metrics`: what engine and server count, in Prometheus's text format.

use std::time::Duration;

use axum::extract::State;
use axum::http::{Method, header};
use axum::response::{IntoResponse as _, Response};
use prometheus::proto::MetricFamily;
use prometheus::{Gauge, HistogramOpts, HistogramVec, IntGauge, Registry, TEXT_FORMAT, TextEncoder};
use provost_domain::port::ApprovalFilter;
use provost_domain::time::Timestamp;

use crate::app::Server;
use crate::codes::Code;
use crate::problem::{Problem, Problems};

/// Bounds of answer times, in seconds: up to what a request may take.
const ANSWER_SECONDS: [f64; 9] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 30.0];
/// Most pending approvals the store counts at once.
const PENDING_MAX: u32 = 500;
/// What stands for paths and methods nobody wrote down: their number has no bound.
pub(crate) const OTHER: &str = "other";

/// What the server counts.
#[derive(Debug)]
pub(crate) struct Meters {
    registry: Registry,
    requests: HistogramVec,
    streams: IntGauge,
    pending: IntGauge,
}

impl Meters {
    pub(crate) fn new(started: Timestamp) -> prometheus::Result<Self> {
        let requests = HistogramOpts::new("provost_http_request_seconds", "How long answers took to begin.");
        let requests = requests.buckets(ANSWER_SECONDS.to_vec());
        let meters = Self {
            registry: Registry::new(),
            requests: HistogramVec::new(requests, &["method", "path", "status"])?,
            streams: IntGauge::new("provost_http_streams_open", "Event streams that are read.")?,
            pending: IntGauge::new(
                "provost_approvals_pending",
                "Approvals that wait for a person; 500 is 500 or more.",
            )?,
        };
        let start = Gauge::new("process_start_time_seconds", "When the process began to serve, since 1970.")?;
        start.set(started.since(Timestamp::default()).as_secs_f64());
        meters.registry.register(Box::new(start))?;
        meters.registry.register(Box::new(meters.requests.clone()))?;
        meters.registry.register(Box::new(meters.streams.clone()))?;
        meters.registry.register(Box::new(meters.pending.clone()))?;
        Ok(meters)
    }

    /// A request was answered; `path` is its template.
    pub(crate) fn answered(&self, method: &Method, path: Option<&str>, status: u16, took: Duration) {
        let labels = [verb(method), path.unwrap_or(OTHER), &status.to_string()];
        self.requests.with_label_values(&labels).observe(took.as_secs_f64());
    }

    fn gather(&self, streams: usize, pending: usize) -> Vec<MetricFamily> {
        self.streams.set(i64::try_from(streams).unwrap_or(i64::MAX));
        self.pending.set(i64::try_from(pending).unwrap_or(i64::MAX));
        self.registry.gather()
    }
}

/// A method's word; callers may make up their own.
fn verb(method: &Method) -> &str {
    let known = [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD, Method::OPTIONS];
    if known.contains(method) { method.as_str() } else { OTHER }
}

/// Counters, gauges and histograms since the process began.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, content((String = "text/plain"))), Problems))]
pub(crate) async fn metrics(State(server): State<Server>) -> Result<Response, Problem> {
    let engine = server.engine();
    let filter = ApprovalFilter { session: None, pending_only: true, limit: PENDING_MAX };
    let pending = engine.reads().approvals(&filter).await?.len();
    let mut families = engine.metrics();
    families.extend(server.meters().gather(server.feed().streams(), pending));
    families.extend(server.outgoing().gather().await?);
    families.extend(server.intake().gather());
    families.extend(server.retention().gather());
    let text = TextEncoder::new().encode_to_string(&families);
    let text = text.map_err(|error| Problem::new(Code::Internal, format!("the figures cannot be written: {error}")))?;
    Ok(([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callers_make_up_is_one_label() {
        let meters = Meters::new(Timestamp::from_micros(1_500_000)).unwrap();
        for made_up in ["BREW", "WHEN"] {
            meters.answered(&made_up.parse().unwrap(), None, 404, Duration::ZERO);
        }
        meters.answered(&Method::GET, Some("/healthz"), 200, Duration::from_millis(2));
        let text = TextEncoder::new().encode_to_string(&meters.gather(3, 2)).unwrap();
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
