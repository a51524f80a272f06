//! Extractors whose rejections are problems: axum's own answer in plain text.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use provost_domain::command::Ask;
use provost_domain::ids::{Seq, SessionId, TokenId};
use provost_face::{Caller, Code, CommandRequest};
use serde::de::DeserializeOwned;

use crate::idempotency::Subject;
use crate::problem::Problem;
use crate::state::Server;

/// Largest body of a request, in bytes: an alert group with all its labels stays far below.
pub(crate) const BODY_MAX: usize = 1024 * 1024;

/// A JSON body.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(refuse(&rejection)),
        }
    }
}

fn refuse(rejection: &JsonRejection) -> Problem {
    let code = match rejection {
        JsonRejection::JsonDataError(_) => Code::InvalidBody,
        JsonRejection::MissingJsonContentType(_) => Code::UnsupportedMediaType,
        JsonRejection::JsonSyntaxError(_) => Code::InvalidRequest,
        other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge,
        _ => Code::InvalidRequest,
    };
    Problem::new(code, rejection.body_text())
}

/// Query parameters.
#[derive(Debug)]
pub(crate) struct Search<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Search<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        let Query(value) = query.map_err(|error| Problem::new(Code::InvalidRequest, error.body_text()))?;
        Ok(Self(value))
    }
}

/// The one path parameter, as text.
async fn parameter(parts: &mut Parts, server: &Server) -> Result<String, Problem> {
    let path = Path::<String>::from_request_parts(parts, server).await;
    path.map(|Path(text)| text).map_err(|error| Problem::new(Code::InvalidRequest, error.body_text()))
}

/// The session a path names by id or handle. It exists.
#[derive(Debug)]
pub(crate) struct Named(pub(crate) SessionId);

impl FromRequestParts<Server> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        let By(caller) = By::from_request_parts(parts, server).await?;
        let name = parameter(parts, server).await?;
        Ok(Self(server.lookups().session_named(&caller, &name).await?))
    }
}

/// The text a path ends in.
#[derive(Debug)]
pub(crate) struct Tail(pub(crate) String);

impl FromRequestParts<Server> for Tail {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        parameter(parts, server).await.map(Self)
    }
}

/// Who asks, as the guard found them.
#[derive(Debug)]
pub(crate) struct By(pub(crate) Caller);

impl<S: Send + Sync> FromRequestParts<S> for By {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let missing = || Problem::new(Code::Internal, "a route without a guard; report this as a bug");
        parts.extensions.get::<Caller>().cloned().map(Self).ok_or_else(missing)
    }
}

/// Who asks and by which token, as the guard found them.
#[derive(Debug)]
pub(crate) struct ByToken(pub(crate) Caller, pub(crate) TokenId);

impl<S: Send + Sync> FromRequestParts<S> for ByToken {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let By(caller) = By::from_request_parts(parts, state).await?;
        let missing = || Problem::new(Code::Internal, "a route without a guard; report this as a bug");
        parts.extensions.get::<TokenId>().cloned().map(|token| Self(caller, token)).ok_or_else(missing)
    }
}

/// Who asks, about which version, and under which key.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) caller: Caller,
    /// The version the caller looked at, from `If-Match: "42"`.
    pub(crate) if_version: Option<Seq>,
    /// What the request makes is named after it, where an `Idempotency-Key` came along.
    pub(crate) subject: Option<Subject>,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let By(caller) = By::from_request_parts(parts, state).await?;
        let bad = || Problem::new(Code::InvalidRequest, "If-Match takes a version, like \"42\"");
        let version = |value: &HeaderValue| value.to_str().ok()?.trim_matches('"').parse().ok().map(Seq);
        let if_match = parts.headers.get(header::IF_MATCH);
        let if_version = if_match.map(|value| version(value).ok_or_else(bad)).transpose()?;
        Ok(Self { caller, if_version, subject: parts.extensions.get().copied() })
    }
}

impl Asked {
    /// The command, under the key's id where one came along.
    pub(crate) fn request(self, ask: Ask) -> (Caller, CommandRequest) {
        let cmd_id = self.subject.map_or_else(CommandRequest::fresh_id, Subject::command);
        (self.caller, CommandRequest { cmd_id, if_version: self.if_version, ask })
    }
}
