//! `GET /metrics` in the Prometheus text format.

use crate::window::Figures;

/// The content type of the format.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Renders the page: requests answered 200 and 500 since the start, and the window's figures.
pub(crate) fn page(figures: Figures, succeeded: u64, failed: u64) -> String {
    let ratio = figures.errors_ratio;
    let p99 = figures.latency_p99.as_secs_f64();
    format!(
        "# HELP http_requests_total Checkouts answered, by status code.\n\
         # TYPE http_requests_total counter\n\
         http_requests_total{{code=\"200\"}} {succeeded}\n\
         http_requests_total{{code=\"500\"}} {failed}\n\
         # HELP http_errors_ratio Share of checkouts answered 500 within the last window, 0 to 1.\n\
         # TYPE http_errors_ratio gauge\n\
         http_errors_ratio {ratio}\n\
         # HELP http_latency_p99 99th percentile of checkout latency within the last window, in seconds.\n\
         # TYPE http_latency_p99 gauge\n\
         http_latency_p99 {p99}\n"
    )
}
