//! The one error form of every path: `application/problem+json` (RFC 9457) with a stable `code`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use provost_domain::port::StoreError;
use provost_domain::refusal::Refusal;
use provost_engine::{EngineError, SessionBusy};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::{IntoResponses, ToSchema};

use crate::codes::Code;

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
            status: code.status().as_u16(),
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
            tracing::warn!(code = self.code, detail = self.detail, "a request failed");
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

impl From<SessionBusy> for Problem {
    fn from(busy: SessionBusy) -> Self {
        Self::new(Code::SessionBusy, busy.to_string()).with("holder", busy.holder).with("since", busy.since.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Missing { .. } => Code::NotFound,
            StoreError::Fenced | StoreError::Stale => Code::Stale,
            StoreError::Erased { .. } => Code::SessionErased,
            StoreError::Damaged { .. } => Code::StoreDamaged,
            StoreError::Failed { .. } | StoreError::Held { .. } => Code::StoreFailed,
        };
        Self::new(code, error.to_string())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let problem = Self::new(Code::of(&refusal), refusal.to_string());
        match refusal {
            Refusal::StaleVersion { expected, actual } => problem.with("expected", expected.0).with("actual", actual.0),
            Refusal::CallRefused { refusal } => problem.with("refusal", json!(refusal)),
            Refusal::NotEditable { arguments } => problem.with("arguments", arguments),
            Refusal::OutcomeUnsettled { calls } => problem.with("calls", json!(calls)),
            Refusal::RetryRejected { reason, .. } => problem.with("reason", json!(reason)),
            Refusal::SessionEnded { status, .. } | Refusal::NothingToDo { status, .. } => {
                problem.with("session_status", status)
            }
            Refusal::ApprovalUnknown { .. }
            | Refusal::ApprovalAlreadyDecided { .. }
            | Refusal::ApproverIsRequester { .. }
            | Refusal::AlreadyApproved { .. }
            | Refusal::NobodyAsked
            | Refusal::NotInDoubt { .. }
            | Refusal::CallUnderWay { .. }
            | Refusal::UnknownTerminalTool { .. }
            | Refusal::NotErasable { .. }
            | Refusal::InvalidReason { .. }
            | Refusal::PackChanged { .. } => problem,
        }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        let detail = error.to_string();
        match error {
            EngineError::Busy(busy) => busy.into(),
            EngineError::SessionCapExceeded { live } => Self::new(Code::SessionCapExceeded, detail).with("live", live),
            EngineError::UnknownPack { known, .. } => Self::new(Code::UnknownPack, detail).with("packs", known),
            EngineError::InvalidFields { problems, .. } => {
                Self::new(Code::InvalidFields, detail).with("problems", problems)
            }
            EngineError::Refused(refusal) => refusal.into(),
            EngineError::Store(error) => error.into(),
            EngineError::Pending => Self::new(Code::Pending, detail),
            EngineError::ShuttingDown => Self::new(Code::ShuttingDown, detail),
        }
    }
}
