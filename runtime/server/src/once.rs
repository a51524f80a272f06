//! The middleware of `Idempotency-Key`: answers a repeated request with what the first one was answered.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use provost_domain::ids::{Digest, TokenId};
use provost_domain::port::{KeptAnswer, KnownRequest, Requests};
use provost_face::Code;

use crate::extract::BODY_MAX;
use crate::idempotency::{REQUESTS_KEPT, Subject};
use crate::problem::Problem;
use crate::state::Server;

/// Longest key, in bytes.
const KEY_MAX: usize = 255;
/// Largest answer that is kept, in bytes: no answer of this server comes near.
const ANSWER_MAX: usize = 1024 * 1024;

/// Answers a repeated request with what the first one was answered.
pub(crate) async fn once(State(server): State<Server>, request: Request, next: Next) -> Response {
    let Some(key) = request.headers().get("idempotency-key").cloned() else { return next.run(request).await };
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    match first(&server, &key, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn first(server: &Server, key: &HeaderValue, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let token = parts.extensions.get::<TokenId>().cloned();
    let token = token.ok_or_else(|| Problem::new(Code::Internal, "a route without a guard; report this as a bug"))?;
    let too_large = |_| Problem::new(Code::BodyTooLarge, format!("a body has at most {BODY_MAX} bytes"));
    let body = to_bytes(body, BODY_MAX).await.map_err(too_large)?;
    let path = parts.uri.path().to_owned();
    let asked = Repeatable { by: token.as_str(), path: &path, key, body: &body };
    asked
        .answer(server, async |subject| {
            parts.extensions.insert(subject);
            next.run(Request::from_parts(parts, Body::from(body.clone()))).await
        })
        .await
}

/// A request under a key. The key belongs to whoever asks, by an id that is never used again.
pub(crate) struct Repeatable<'a> {
    pub(crate) by: &'a str,
    pub(crate) path: &'a str,
    pub(crate) key: &'a HeaderValue,
    pub(crate) body: &'a [u8],
}

impl Repeatable<'_> {
    /// Does it, or answers it as the first one was answered.
    pub(crate) async fn answer(
        &self,
        server: &Server,
        run: impl AsyncFnOnce(Subject) -> Response,
    ) -> Result<Response, Problem> {
        if self.key.is_empty() || self.key.len() > KEY_MAX {
            return Err(Problem::new(Code::InvalidRequest, format!("Idempotency-Key is 1 to {KEY_MAX} characters")));
        }
        let path = self.path.as_bytes();
        let scope = Digest::of_parts(&[self.by.as_bytes(), path, self.key.as_bytes()]);
        let fingerprint = Digest::of_parts(&[path, self.body]);
        let Some(_run) = server.running().begin(scope) else {
            return Err(Problem::new(Code::IdempotencyInProgress, "wait for its answer, then ask again"));
        };
        let now = server.access().now();
        let known = server.requests().claim(scope, fingerprint, now, now.minus(REQUESTS_KEPT)).await?;
        if known.fingerprint != fingerprint {
            let detail = "this Idempotency-Key was used with another body; use a fresh key for another request";
            return Err(Problem::new(Code::IdempotencyMismatch, detail));
        }
        let KnownRequest { at, answer, .. } = known;
        match answer {
            Some(answer) => Ok(replay(answer)),
            None => keep(server.requests(), scope, run(Subject::new(scope, at)).await).await,
        }
    }
}

/// What is kept of an answer, where its status alone does not say.
#[derive(Debug, Clone)]
pub(crate) enum Keep {
    /// This answer, although something is still to come.
    Final,
    /// Another one: the answer holds what is told only once.
    Instead(Problem),
}

fn replay(answer: KeptAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut headers = HeaderMap::new();
    headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    if let Ok(kind) = HeaderValue::from_str(&answer.content_type) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    if let Some(location) = answer.location.and_then(|location| HeaderValue::from_str(&location).ok()) {
        headers.insert(header::LOCATION, location);
    }
    (status, headers, answer.body).into_response()
}

/// Keeps an answer that will not change: not one that says to try again, and not one about a request that was not let in.
async fn keep(requests: &dyn Requests, key: Digest, response: Response) -> Result<Response, Problem> {
    let status = response.status();
    let passing = [StatusCode::ACCEPTED, StatusCode::TOO_MANY_REQUESTS, StatusCode::UNAUTHORIZED];
    match response.extensions().get::<Keep>().cloned() {
        Some(Keep::Instead(problem)) => {
            keep_this(requests, key, problem.into_response()).await?;
            Ok(response)
        }
        Some(Keep::Final) => keep_this(requests, key, response).await,
        None if status.is_server_error() || passing.contains(&status) => Ok(response),
        None => keep_this(requests, key, response).await,
    }
}

async fn keep_this(requests: &dyn Requests, key: Digest, response: Response) -> Result<Response, Problem> {
    let (parts, body) = response.into_parts();
    let body: Bytes = to_bytes(body, ANSWER_MAX)
        .await
        .map_err(|error| Problem::new(Code::Internal, format!("the answer cannot be kept: {error}")))?;
    let text = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned);
    let answer = KeptAnswer {
        status: parts.status.as_u16(),
        content_type: text(header::CONTENT_TYPE).unwrap_or_default(),
        location: text(header::LOCATION),
        body: body.to_vec(),
    };
    requests.answer(key, &answer).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}
