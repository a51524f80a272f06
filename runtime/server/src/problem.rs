//! The one error form of every path: `application/problem+json` (RFC 9457) with a stable `code`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use provost_domain::port::StoreError;
use provost_engine::{EngineError, ReadError};
use provost_mail::DeliveryError;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{IntoResponses, ToSchema};

use provost_face::{Code, OperationError, VisibleText};

/// Most characters of a detail in the log.
const LOGGED_MAX: usize = 2_000;

/// What went wrong and what to do next.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Problem {
    /// The path of the code's page, relative to this server.
    #[serde(rename = "type")]
    kind: String,
    /// The code in words.
    title: &'static str,
    /// The HTTP status again.
    status: u16,
    /// The stable word to key on.
    code: &'static str,
    /// This case, and what to do next.
    detail: String,
    /// Members that belong to the code, for example `holder` and `since` of `session_busy`.
    #[serde(flatten)]
    more: Map<String, Value>,
    #[serde(skip)]
    retry_after: Option<u32>,
}

/// Every error of every path, for the document.
#[derive(Debug, IntoResponses)]
#[expect(dead_code, reason = "only described, never made")]
pub(crate) enum Problems {
    /// The request is refused; `code` says why and `detail` what to do next.
    #[response(status = "4XX", content_type = "application/problem+json")]
    Refused(#[to_schema] Problem),
    /// The server failed or is not ready; `code` says why, `Retry-After` when to try again.
    #[response(status = "5XX", content_type = "application/problem+json")]
    Failed(#[to_schema] Problem),
}

impl Problem {
    /// A problem of a code.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            kind: code.page(),
            title: code.title(),
            status: code.http_status(),
            code: code.as_str(),
            detail: detail.into(),
            more: Map::new(),
            retry_after: code.retry_after(),
        }
    }

    /// With a member of its own.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// With the time after which the same request may work, in seconds.
    pub(crate) fn after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// After how many seconds the same request may work.
    pub(crate) fn retry_after(&self) -> Option<u32> {
        self.retry_after
    }

    /// The stable word.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// The code in words.
    pub(crate) fn title(&self) -> &'static str {
        self.title
    }

    /// This case, and what to do next.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, retry_after) = (self.status(), self.retry_after);
        if status.is_server_error() {
            let detail = VisibleText::new(&self.detail).line(LOGGED_MAX);
            tracing::warn!(code = self.code, %detail, "a request failed");
        }
        let mut response = (status, Json(&self)).into_response();
        // For people the same problem becomes a page.
        response.extensions_mut().insert(self);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UPGRADE_REQUIRED {
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<OperationError> for Problem {
    fn from(error: OperationError) -> Self {
        let (code, detail, more) = error.into_parts();
        Self { more, ..Self::new(code, detail) }
    }
}

macro_rules! through_operation_error {
    ($($error:ty),*) => {
        $(impl From<$error> for Problem {
            fn from(error: $error) -> Self {
                OperationError::from(error).into()
            }
        })*
    };
}

through_operation_error!(StoreError, ReadError, EngineError, DeliveryError);
