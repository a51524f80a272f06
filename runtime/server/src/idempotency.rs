//! `Idempotency-Key`: the same request under the same key is done once and answered alike. The key belongs to the caller
//! and the path; it is durable before anything happens, and what the request makes (a session's id, a command's id) is
//! derived from it, so that a request repeated after a crash makes the same thing.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use provost_domain::ids::{CmdId, Digest, SessionId};
use provost_domain::port::{KeptAnswer, KnownRequest, Requests};
use provost_domain::time::Timestamp;

use crate::access::Caller;
use crate::app::{BODY_MAX, Server};
use crate::codes::Code;
use crate::problem::Problem;

/// How long a key is known.
pub const REQUESTS_KEPT: Duration = Duration::from_hours(24);
/// Longest key, in bytes.
const KEY_MAX: usize = 255;
/// Largest answer that is kept, in bytes: none of ours comes near.
const ANSWER_MAX: usize = 1024 * 1024;

/// What a request makes is named after this.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject {
    key: Digest,
    at: Timestamp,
}

impl Subject {
    /// The id of the command the request sends.
    pub(crate) fn command(self) -> CmdId {
        CmdId::new(self.key.hex())
    }

    /// The id of the session the request opens: a `UUIDv7` whose random part is the key's.
    pub(crate) fn session(self) -> SessionId {
        let millis = u64::try_from(self.at.micros() / 1000).unwrap_or(0);
        let mut random = [0; 10];
        for (to, from) in random.iter_mut().zip(self.key.as_bytes()) {
            *to = *from;
        }
        SessionId::new(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}

/// The keys whose first request still runs in this process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Running(Arc<Mutex<HashSet<Digest>>>);

/// Takes the key out again when its request ends, however it ends.
struct Run(Running, Digest);

impl Running {
    fn begin(&self, key: Digest) -> Option<Run> {
        self.keys().insert(key).then(|| Run(self.clone(), key))
    }

    fn keys(&self) -> MutexGuard<'_, HashSet<Digest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.0.keys().remove(&self.1);
    }
}

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
    if key.is_empty() || key.len() > KEY_MAX {
        return Err(Problem::new(Code::InvalidRequest, format!("Idempotency-Key is 1 to {KEY_MAX} characters")));
    }
    let (mut parts, body) = request.into_parts();
    let caller = parts.extensions.get::<Caller>().map(|caller| caller.principal.clone());
    let caller = caller.ok_or_else(|| Problem::new(Code::Internal, "a route without a guard; report this as a bug"))?;
    let path = parts.uri.path().as_bytes();
    let scope = Digest::of_parts(&[caller.as_str().as_bytes(), path, key.as_bytes()]);
    let too_large = |_| Problem::new(Code::BodyTooLarge, format!("a body has at most {BODY_MAX} bytes"));
    let body = to_bytes(body, BODY_MAX).await.map_err(too_large)?;
    let fingerprint = Digest::of_parts(&[path, &body]);
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
    if let Some(answer) = answer {
        return Ok(replay(answer));
    }
    parts.extensions.insert(Subject { key: scope, at });
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    keep(server.requests(), scope, response).await
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
    if status.is_server_error() || passing.contains(&status) {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body: Bytes = to_bytes(body, ANSWER_MAX)
        .await
        .map_err(|error| Problem::new(Code::Internal, format!("the answer cannot be kept: {error}")))?;
    let text = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned);
    let answer = KeptAnswer {
        status: status.as_u16(),
        content_type: text(header::CONTENT_TYPE).unwrap_or_default(),
        location: text(header::LOCATION),
        body: body.to_vec(),
    };
    requests.answer(key, &answer).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}
