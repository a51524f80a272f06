//! `/v1/sessions/{session}/erase`: what a session said, gone for good.

use provost_face::GoneView;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::extract::{Body, By, Named};
use crate::problem::{Problem, Problems};
use crate::state::Server;

/// Why it is erased.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EraseBody {
    /// For the tombstone, which stays for good, at most 1000 bytes: name nobody here whose data goes.
    reason: String,
}

/// Erases what a session that has ended said: its events, contents, commands, deliveries and messages. A tombstone stays and
/// the chain still verifies. Nothing brings it back.
#[utoipa::path(post, path = "/v1/sessions/{session}/erase", params(("session" = String, Path)), tag = "sessions",
    request_body = EraseBody, responses((status = 200, body = GoneView), Problems))]
pub(crate) async fn erase(
    State(server): State<Server>,
    Named(session): Named,
    By(caller): By,
    Body(EraseBody { reason }): Body<EraseBody>,
) -> Result<Json<GoneView>, Problem> {
    Ok(Json(server.operations().erase(&caller, session, reason).await?))
}
