//! `/v1/sessions/{session}/erase`: what a session said, gone for good.

use axum::Json;
use axum::extract::State;
use provost_domain::ids::{Principal, SessionId};
use provost_domain::port::StoreError;
use provost_engine::Gone;
use serde::{Deserialize, Serialize};
use tokio_util::task::TaskTracker;
use utoipa::ToSchema;

use crate::access::Caller;
use crate::app::Server;
use crate::codes::Code;
use crate::extract::{Body, Named};
use crate::problem::{Problem, Problems};

/// Why it is erased.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EraseBody {
    /// For the tombstone, which stays for good, at most 1000 bytes: name nobody here whose data goes.
    reason: String,
}

/// A session that was erased.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GoneView {
    /// Its id.
    session: String,
    /// Its handle.
    handle: String,
    /// The records whose payload is gone; their headers and hashes stay.
    records: u64,
    /// Whether no file of the store holds bytes of it any more. Backups and exports that were made before do.
    scrubbed: bool,
    /// Why files still hold bytes of it; it is tried again by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<String>,
}

/// Erases what a session that has ended said: its events, contents, commands, deliveries and messages. A tombstone stays and
/// the chain still verifies. Nothing brings it back.
#[utoipa::path(post, path = "/v1/sessions/{session}/erase", params(("session" = String, Path)), tag = "sessions",
    request_body = EraseBody, responses((status = 200, body = GoneView), Problems))]
pub(crate) async fn erase(
    State(server): State<Server>,
    Named(session): Named,
    caller: Caller,
    Body(EraseBody { reason }): Body<EraseBody>,
) -> Result<Json<GoneView>, Problem> {
    let (gone, left) = erased(&server, session, caller.principal, reason).await?;
    let left = left.map(|error| error.to_string());
    Ok(Json(GoneView {
        session: gone.session.to_string(),
        handle: gone.handle.to_string(),
        records: gone.records,
        scrubbed: left.is_none(),
        left,
    }))
}

/// Erases in a task of its own: a caller that hangs up leaves nothing half done.
pub(crate) async fn erased(
    server: &Server,
    session: SessionId,
    by: Principal,
    reason: String,
) -> Result<(Gone, Option<StoreError>), Problem> {
    let eraser = server.retention().eraser().clone();
    let work = TaskTracker::new().spawn(async move { eraser.erase_from_files(session, &by, &reason).await });
    Ok(work.await.map_err(|error| Problem::new(Code::Internal, format!("erasing broke off: {error}")))??)
}
