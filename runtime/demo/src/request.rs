//! The requests that change the shop or reach its people, and their answers.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

/// What `POST` requests the shop takes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum ShopEndpoint {
    /// Deploy a release.
    Release,
    /// Go back to the release before.
    Rollback,
    /// Restart the processes; heals nothing.
    Restart,
    /// A message to the people on call. It stands for a system of its own, so a failing admin port does not touch it.
    Oncall,
}

impl ShopEndpoint {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Release, Self::Rollback, Self::Restart, Self::Oncall];
}

/// One `POST` request.
#[derive(Debug)]
pub(crate) struct ShopRequest<'a> {
    pub(crate) endpoint: ShopEndpoint,
    pub(crate) key: Option<&'a str>,
    pub(crate) body: &'a [u8],
    pub(crate) at: Timestamp,
}

/// What it is answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ShopAnswer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl ShopAnswer {
    pub(crate) fn new(status: StatusCode, body: Value) -> Self {
        Self { status, body }
    }

    pub(crate) fn refusal(status: StatusCode, reason: &str) -> Self {
        Self::new(status, json!({ "error": reason }))
    }
}

impl IntoResponse for ShopAnswer {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}
