//! Where others deliver: `/hooks/alertmanager`, `/v2/enqueue`. An answer of 2xx says that the delivery is durable. What
//! senders repeat is said with 5xx, never with 429: Alertmanager drops what is answered so.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use provost_domain::access::Permission;
use provost_domain::principal::Principal;
use provost_face::Code;
use provost_mail::{DeliveryFormat, Incoming};
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::{By, Raw};
use crate::guard::admit;
use crate::problem::{Problem, Problems};
use crate::state::Server;

/// A delivery that was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TakenView {
    /// Its id.
    #[schema(example = "dlv_019c0f2e6a1b7c3d8e4f5a6b7c8d9e0f")]
    pub(crate) delivery: String,
}

/// Takes a delivery of Alertmanager's webhook, version 4.
#[utoipa::path(post, path = "/hooks/alertmanager", request_body = Object, tag = "deliveries",
    responses((status = 202, body = TakenView), Problems))]
pub(crate) async fn alertmanager(
    State(server): State<Server>,
    By(caller): By,
    Raw(body): Raw,
) -> Result<(StatusCode, Json<TakenView>), Problem> {
    let incoming = Incoming::new(DeliveryFormat::Alertmanager, &body);
    let receipt = server.intake().take(incoming, caller.principal).await?;
    Ok((StatusCode::ACCEPTED, Json(TakenView { delivery: receipt.id.to_string() })))
}

/// An event that was taken, in the words of its format.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EnqueuedView {
    /// `success`.
    status: &'static str,
    /// The same in words.
    message: &'static str,
    /// The event's key, minted when it had none.
    dedup_key: String,
}

/// Takes an event of PagerDuty's Events API, version 2. Who sends it is known by the event's `routing_key` or by a token.
#[utoipa::path(post, path = "/v2/enqueue", request_body = Object, tag = "deliveries", security((), ("token" = [])),
    responses((status = 202, body = EnqueuedView), Problems))]
pub(crate) async fn enqueue(
    State(server): State<Server>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response, Problem> {
    let incoming = Incoming::new(DeliveryFormat::Pagerduty, &body);
    let by = sender(&server, &headers, &incoming).await?;
    let receipt = server.intake().take(incoming, by).await?;
    let view = EnqueuedView { status: "success", message: "stored, and will be worked on", dedup_key: receipt.key };
    Ok((StatusCode::ACCEPTED, Json(view)).into_response())
}

/// Who sends: a token when there is one, else the routing key.
async fn sender(server: &Server, headers: &HeaderMap, incoming: &Incoming) -> Result<Principal, Problem> {
    if headers.contains_key(header::AUTHORIZATION) {
        return Ok(admit(server, Permission::Deliver, &Method::POST, headers).await?.principal);
    }
    server.intake().sender(incoming).ok_or_else(|| {
        let detail = "the event's `routing_key` is not one of `intake.pagerduty.routing_keys`, and no token came along";
        Problem::new(Code::Unauthenticated, detail)
    })
}
