//! `/metrics`: what every part of the process counts, in Prometheus's text format.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use prometheus::TEXT_FORMAT;
use provost_domain::port::ApprovalFilter;
use provost_face::Code;

use crate::problem::{Problem, Problems};
use crate::state::Server;

/// Most pending approvals the store counts at once.
const PENDING_MAX: u32 = 500;

/// Counters, gauges and histograms since the process began.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, content((String = "text/plain"))), Problems))]
pub(crate) async fn metrics(State(server): State<Server>) -> Result<Response, Problem> {
    let engine = server.engine();
    let filter = ApprovalFilter { session: None, pending_only: true, limit: PENDING_MAX, ..ApprovalFilter::default() };
    let pending = engine.reads().approvals(&filter).await?.len();
    server.outgoing().measure().await?;
    let text = server.meters().write(server.feed().streams(), pending);
    let text = text.map_err(|error| Problem::new(Code::Internal, format!("the figures cannot be written: {error}")))?;
    Ok(([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response())
}
