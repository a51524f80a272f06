//! Where senders deliver that sign what they send, and webhooks whose form a pack declares: `/hooks/github`,
//! `/hooks/pagerduty`, `/hooks/webhook/NAME`. A signature is checked over the body as it came. What is sent again under the id
//! that its sender gave it is answered as the first time.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use provost_domain::access::Permission;
use provost_domain::principal::Principal;
use provost_face::{Code, TakenView};
use provost_mail::{DeliveryFormat, DeliveryHead, Incoming};

use crate::access::Admission;
use crate::bodies::EVENT_MAX;
use crate::extract::Tail;
use crate::guard::admit;
use crate::once::{Keep, Repeatable};
use crate::problem::{Problem, Problems};
use crate::state::Server;

/// Takes a delivery of GitHub's webhooks, which is known by its signature.
#[utoipa::path(post, path = "/hooks/github", request_body = Object, tag = "deliveries", security(()),
    responses((status = 202, body = TakenView), Problems))]
pub(crate) async fn github(State(server): State<Server>, request: Request) -> Result<Response, Problem> {
    signed(&server, DeliveryFormat::Github, request).await
}

/// Takes a delivery of PagerDuty's webhooks, version 3, which is known by its signature.
#[utoipa::path(post, path = "/hooks/pagerduty", request_body = Object, tag = "deliveries", security(()),
    responses((status = 202, body = TakenView), Problems))]
pub(crate) async fn pagerduty(State(server): State<Server>, request: Request) -> Result<Response, Problem> {
    signed(&server, DeliveryFormat::PagerdutyV3, request).await
}

/// Takes a delivery of a webhook that a pack declares. Its sender is known by a signature where one is configured, else by a
/// token.
#[utoipa::path(post, path = "/hooks/webhook/{name}", params(("name" = String, Path)), request_body = Object,
    tag = "deliveries", security((), ("token" = [])), responses((status = 202, body = TakenView), Problems))]
pub(crate) async fn webhook(
    State(server): State<Server>,
    Tail(name): Tail,
    request: Request,
) -> Result<Response, Problem> {
    let format = DeliveryFormat::webhook(&name);
    let format =
        format.ok_or_else(|| Problem::new(Code::NotFound, "a webhook's name has 1 to 40 of a-z, 0-9, _ and -"))?;
    if server.intake().is_signed(format)? {
        return signed(&server, format, request).await;
    }
    let headers = request.headers().clone();
    let Admission { token, caller } = admit(&server, Permission::Deliver, &Method::POST, &headers).await?;
    let path = request.uri().path().to_owned();
    let body = server.senders().read(&headers, request.into_body(), EVENT_MAX).await?;
    let token = token.to_string();
    WebhookRequest { format, headers, path, body: &body.bytes, by: caller.principal, token }.take(&server).await
}

/// Takes what is known by its signature.
async fn signed(server: &Server, format: DeliveryFormat, request: Request<Body>) -> Result<Response, Problem> {
    // What is not configured is refused before its body is read.
    server.intake().is_signed(format)?;
    let (headers, path) = (request.headers().clone(), request.uri().path().to_owned());
    let body = server.strangers().read(&headers, request.into_body(), EVENT_MAX).await?;
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
    let by = server.intake().signer(format, &header, &body.bytes)?;
    let token = by.to_string();
    WebhookRequest { format, headers, path, body: &body.bytes, by, token }.take(server).await
}

/// A request whose sender is known.
struct WebhookRequest<'a> {
    format: DeliveryFormat,
    headers: HeaderMap,
    path: String,
    body: &'a [u8],
    by: Principal,
    /// Whose ids are one space: the token's id, or the name of the secret.
    token: String,
}

impl WebhookRequest<'_> {
    /// Takes it, once under the id that its sender gave it.
    async fn take(self, server: &Server) -> Result<Response, Problem> {
        let id = self.headers.get(self.format.id_header()).or_else(|| self.headers.get("idempotency-key"));
        let Some(key) = id else { return self.store(server).await };
        let asked = Repeatable { by: &self.token, path: &self.path, key, body: self.body };
        asked.answer(server, async |_| self.store(server).await.unwrap_or_else(IntoResponse::into_response)).await
    }

    async fn store(&self, server: &Server) -> Result<Response, Problem> {
        let head = head_of(&self.headers);
        let incoming = Incoming::with_head(self.format, &head, self.body).into_iter().next();
        let nothing = || Problem::new(Code::Internal, "a delivery came to nothing; report this as a bug");
        let receipt = server.intake().take(incoming.ok_or_else(nothing)?, self.by.clone()).await?;
        let view = TakenView { delivery: receipt.id.to_string() };
        Ok((StatusCode::ACCEPTED, Extension(Keep::Final), Json(view)).into_response())
    }
}

/// What the head of a request says of its body.
pub(crate) fn head_of(headers: &HeaderMap) -> DeliveryHead {
    DeliveryHead::new(headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))))
}
