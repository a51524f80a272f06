//! Where others deliver: `/hooks/alertmanager`, `/v2/enqueue`. An answer of 2xx says that the delivery is durable. What
//! senders repeat is said with 5xx, never with 429: Alertmanager drops what is answered so.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use provost_domain::access::Permission;
use provost_domain::ids::Principal;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::access::{Caller, admit};
use crate::app::Server;
use crate::codes::Code;
use crate::extract::Raw;
use crate::intake::Source;
use crate::problem::{Problem, Problems};

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
    caller: Caller,
    Raw(body): Raw,
) -> Result<(StatusCode, Json<TakenView>), Problem> {
    let taken = server.intake().take(Source::Alertmanager, caller.principal, body.to_vec()).await?;
    Ok((StatusCode::ACCEPTED, Json(TakenView { delivery: taken.id.to_string() })))
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
    let key = serde_json::from_slice::<Value>(&body).ok().and_then(|event| event.get("routing_key").cloned());
    let key = key.as_ref().and_then(Value::as_str).unwrap_or_default();
    let by = sender(&server, &headers, key).await?;
    let taken = server.intake().take(Source::Pagerduty, by, without(&body, key)).await?;
    let view = EnqueuedView { status: "success", message: "stored, and will be worked on", dedup_key: taken.key };
    Ok((StatusCode::ACCEPTED, Json(view)).into_response())
}

/// Who sends: a token when there is one, else the routing key.
async fn sender(server: &Server, headers: &HeaderMap, key: &str) -> Result<Principal, Problem> {
    if headers.contains_key(header::AUTHORIZATION) {
        return Ok(admit(server, Permission::Deliver, &Method::POST, headers).await?.principal);
    }
    server.intake().sender(Source::Pagerduty, key).ok_or_else(|| {
        let detail = "the event's `routing_key` is not one of `intake.pagerduty.routing_keys`, and no token came along";
        Problem::new(Code::Unauthenticated, detail)
    })
}

/// The body with stars in the place of the key, which is a secret and not for the store.
fn without(body: &[u8], key: &str) -> Vec<u8> {
    match std::str::from_utf8(body) {
        Ok(text) if !key.is_empty() => text.replace(key, &"*".repeat(key.len())).into_bytes(),
        Ok(_) | Err(_) => body.to_vec(),
    }
}
