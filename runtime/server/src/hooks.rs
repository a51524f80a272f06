//! Where others deliver: `/hooks/alertmanager`, `/hooks/cloudevents`, `/v2/enqueue`. An answer of 2xx says that the delivery is durable. What
//! senders repeat is said with 5xx, never with 429: Alertmanager drops what is answered so.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use provost_domain::access::Permission;
use provost_domain::principal::Principal;
use provost_face::{Code, TakenView};
use provost_mail::{DeliveryFormat, Incoming};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Admission;
use crate::bodies::{BodyLimit, EVENT_MAX};
use crate::extract::By;
use crate::guard::admit;
use crate::once::{Keep, Repeatable};
use crate::problem::{Problem, Problems};
use crate::signed::head_of;
use crate::state::Server;

/// Largest delivery of alerts, in bytes: ten thousand alerts with all their labels. What is larger is answered so that it
/// comes again: perhaps in parts, and not unseen.
const DELIVERY_MAX: BodyLimit = BodyLimit { bytes: 16 * 1024 * 1024, over: Code::Saturated };

/// Takes a delivery of Alertmanager's webhook, version 4.
#[utoipa::path(post, path = "/hooks/alertmanager", request_body = Object, tag = "deliveries",
    responses((status = 202, body = TakenView), Problems))]
pub(crate) async fn alertmanager(
    State(server): State<Server>,
    By(caller): By,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let body = server.senders().read(&headers, request.into_body(), DELIVERY_MAX).await.inspect_err(|problem| {
        if problem.status() == StatusCode::SERVICE_UNAVAILABLE {
            server.meters().too_large();
            tracing::error!(by = %caller.principal, detail = problem.detail(), "a delivery of alerts was not taken");
        }
    })?;
    let incoming = Incoming::new(DeliveryFormat::Alertmanager, &body.bytes);
    let receipt = server.intake().take(incoming, caller.principal).await?;
    let view = TakenView { delivery: receipt.id.to_string() };
    Ok((StatusCode::ACCEPTED, Extension(Keep::Final), Json(view)).into_response())
}

/// The events of a request that were taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventsView {
    /// The deliveries that they are stored as, in their order.
    deliveries: Vec<String>,
    /// How many cannot be worked on; each is stored as a bad delivery.
    refused: usize,
}

/// Takes a `CloudEvent` in any of its modes. Of a batch each event is a delivery of its own.
#[utoipa::path(post, path = "/hooks/cloudevents", request_body = Object, tag = "deliveries",
    responses((status = 202, body = EventsView), Problems))]
pub(crate) async fn cloudevents(
    State(server): State<Server>,
    By(caller): By,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let body = server.senders().read(&headers, request.into_body(), EVENT_MAX).await?;
    let (mut view, mut problem) = (EventsView { deliveries: Vec::new(), refused: 0 }, None);
    for event in Incoming::with_head(DeliveryFormat::Cloudevents, &head_of(&headers), &body.bytes) {
        match server.intake().take(event, caller.principal.clone()).await.map_err(Problem::from) {
            Ok(receipt) => view.deliveries.push(receipt.id.to_string()),
            // The whole is sent again: what is stored already is the same event.
            Err(again) if again.status().is_server_error() => return Err(again),
            Err(bad) => {
                view.refused += 1;
                problem = problem.or(Some(bad));
            }
        }
    }
    match problem.filter(|_| view.deliveries.is_empty()) {
        Some(problem) => Err(problem),
        None => Ok((StatusCode::ACCEPTED, Extension(Keep::Final), Json(view)).into_response()),
    }
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
pub(crate) async fn enqueue(State(server): State<Server>, request: Request) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    // Known before its body is read, if its token is. Anything else in that header means nothing here: the event has a key.
    let refused = match by_token(&server, &headers).await {
        Some(Ok(Admission { token, caller })) => {
            let body = server.senders().read(&headers, request.into_body(), EVENT_MAX).await?;
            let event = KnownEvent { body: &body.bytes, by: caller.principal, token: token.to_string() };
            return event.take(&server, &headers).await;
        }
        Some(Err(problem)) if problem.status() != StatusCode::UNAUTHORIZED => return Err(problem),
        Some(Err(problem)) => Some(problem),
        None => None,
    };
    let body = server.strangers().read(&headers, request.into_body(), EVENT_MAX).await?;
    let incoming = Incoming::new(DeliveryFormat::Pagerduty, &body.bytes);
    let by = server.intake().sender(&incoming).ok_or_else(|| refused.unwrap_or_else(unknown))?;
    KnownEvent { body: &body.bytes, token: by.to_string(), by }.take(&server, &headers).await
}

/// An event whose sender is known.
struct KnownEvent<'a> {
    body: &'a [u8],
    by: Principal,
    /// Whose keys are one space: the token's id, or the name of the routing key.
    token: String,
}

impl KnownEvent<'_> {
    /// Takes it, once under one key.
    async fn take(self, server: &Server, headers: &HeaderMap) -> Result<Response, Problem> {
        let Self { body, by, token } = self;
        let take = async || -> Result<Response, Problem> {
            let receipt = server.intake().take(Incoming::new(DeliveryFormat::Pagerduty, body), by.clone()).await?;
            let message = "stored, and will be worked on";
            let view = EnqueuedView { status: "success", message, dedup_key: receipt.key };
            Ok((StatusCode::ACCEPTED, Extension(Keep::Final), Json(view)).into_response())
        };
        let Some(key) = headers.get("idempotency-key") else { return take().await };
        let asked = Repeatable { by: &token, path: "/v2/enqueue", key, body };
        asked.answer(server, async |_| take().await.unwrap_or_else(IntoResponse::into_response)).await
    }
}

/// Who sends by a bearer token; nothing where none came along.
async fn by_token(server: &Server, headers: &HeaderMap) -> Option<Result<Admission, Problem>> {
    let scheme = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split(' ').next()?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    Some(admit(server, Permission::Deliver, &Method::POST, headers).await)
}

fn unknown() -> Problem {
    let detail = "the event's `routing_key` is not one of `intake.pagerduty.routing_keys`, and no token came along";
    Problem::new(Code::Unauthenticated, detail)
}
