//! What went wrong, as a typed failure in words that hold no secret.

use std::error::Error as _;

use provost_domain::failure::ModelFailure;
use provost_http::distrusted;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::body::BadBody;
use super::settings::ModelServer;
use super::wait::{millis, retry_after};

/// Most characters kept of what a server says.
const WORDS_MAX: usize = 300;

/// The error a server describes: `{"message": …, "code": …}` or just a text.
#[derive(Debug, Default)]
pub(crate) struct ServerError {
    pub(crate) message: String,
    pub(crate) code: Option<Value>,
}

impl<'de> Deserialize<'de> for ServerError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(|value| Self::of(&value))
    }
}

impl ServerError {
    /// From the error as the server wrote it.
    pub(crate) fn of(value: &Value) -> Self {
        let message = value.get("message").unwrap_or(value);
        let message = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
        Self { message, code: value.get("code").cloned() }
    }
}

/// The body of a refusal, in the forms servers use.
#[derive(Debug, Deserialize)]
struct ErrorBody {
    #[serde(alias = "detail")]
    error: ServerError,
}

/// Speaks about failures of one server without its key.
pub(crate) struct FailureWords<'a> {
    pub(crate) settings: &'a ModelServer,
}

impl FailureWords<'_> {
    /// The beginning of a foreign text, on one line, without the key.
    pub(crate) fn safe(&self, text: &str) -> String {
        let text = match &self.settings.api_key {
            Some(key) => text.replace(key.expose_secret(), "[redacted]"),
            None => text.to_owned(),
        };
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS_MAX).collect()
    }

    /// No answer, or only a part of one.
    pub(crate) fn broken(&self, error: &reqwest::Error) -> ModelFailure {
        if error.is_timeout() {
            let limit = if error.is_connect() { self.settings.connect_timeout } else { self.settings.request_timeout };
            return ModelFailure::LlmTimeout { after_ms: millis(limit) };
        }
        if let Some(detail) = distrusted(error, "write its authority's certificate as `ca_file`") {
            return ModelFailure::LlmConfig { detail: self.safe(&detail) };
        }
        let what = if error.is_connect() { "could not connect" } else { "the exchange broke off" };
        let mut cause = error.source();
        while let Some(deeper) = cause.and_then(std::error::Error::source) {
            cause = Some(deeper);
        }
        let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
        ModelFailure::Unavailable { detail: self.safe(&format!("{what}{cause}")) }
    }

    /// What could not be read of a success.
    pub(crate) fn unreadable(&self, bad: BadBody, encoding: Option<&str>, max: usize) -> ModelFailure {
        let detail = match bad {
            BadBody::TooLong => format!("the answer is longer than {max} bytes"),
            BadBody::Packed => format!("it is packed as `{}`, which cannot be read here", encoding.unwrap_or("gzip")),
            BadBody::Unreadable(text) if text.trim().is_empty() => "it is empty".to_owned(),
            BadBody::Unreadable(text) => format!("it is not JSON; it begins `{}`", self.safe(&text)),
        };
        ModelFailure::Malformed { detail }
    }

    /// The failure behind a status other than success.
    pub(crate) fn refused(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> ModelFailure {
        let complaint = match serde_json::from_slice::<ErrorBody>(body) {
            Ok(refusal) => refusal.error,
            Err(_other_form) => ServerError { message: String::from_utf8_lossy(body).into_owned(), code: None },
        };
        self.classified(status, headers, &complaint)
    }

    /// The typed failure of a status.
    pub(crate) fn classified(&self, status: StatusCode, headers: &HeaderMap, complaint: &ServerError) -> ModelFailure {
        let detail = format!("HTTP {status}: {}", self.safe(&complaint.message));
        let code = complaint.code.as_ref().and_then(Value::as_str).unwrap_or_default();
        let (model, wait) = (&self.settings.model, retry_after(headers).map(millis));
        match status.as_u16() {
            401 | 403 => ModelFailure::LlmConfig { detail: format!("{detail}; check `api_key`") },
            404 => ModelFailure::LlmConfig { detail: format!("{detail}; check `base_url` and the model `{model}`") },
            300..400 => {
                ModelFailure::LlmConfig { detail: format!("{detail}; write the address it moved to as `base_url`") }
            }
            // Waiting does not fill an account.
            402 | 429 if status.as_u16() == 402 || code == "insufficient_quota" => {
                ModelFailure::LlmConfig { detail: format!("{detail}; the account is exhausted") }
            }
            429 => ModelFailure::RateLimited { retry_after_ms: wait },
            // Whatever it is, the server says when it is over.
            408 | 409 | 425 | 498 | 500.. if wait.is_some() => ModelFailure::RateLimited { retry_after_ms: wait },
            // The model wrote a call that its server could not read: the next one may be.
            400 | 422 if code == "tool_use_failed" => ModelFailure::Unavailable { detail },
            400 | 413 if code == "context_length_exceeded" => ModelFailure::LlmConfig {
                detail: format!(
                    "{detail}; the session is longer than `{model}` reads: write a model with a longer context"
                ),
            },
            400 if code == "model_not_found" => {
                ModelFailure::LlmConfig { detail: format!("{detail}; check the model `{model}`") }
            }
            408 | 409 | 425 | 498 | 500.. => ModelFailure::Unavailable { detail },
            _ => ModelFailure::Refused { detail },
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use reqwest::header::RETRY_AFTER;

    use super::*;

    pub(crate) fn settings() -> ModelServer {
        ModelServer {
            base_url: "http://localhost/v1".to_owned(),
            model: "big-1".to_owned(),
            api_key: Some("sk-hush".into()),
            ca_file: None,
            connect_timeout: Duration::from_secs(1),
            request_timeout: Duration::from_secs(1),
            headers: Vec::new(),
        }
    }

    #[track_caller]
    fn check(status: u16, body: &str, expect: &ModelFailure) {
        let settings = settings();
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(FailureWords { settings: &settings }.refused(status, &HeaderMap::new(), body.as_bytes()), *expect);
    }

    #[test]
    fn a_status_has_one_typed_failure() {
        let config = |detail: &str| ModelFailure::LlmConfig { detail: detail.to_owned() };
        let unavailable = |detail: &str| ModelFailure::Unavailable { detail: detail.to_owned() };
        let refused = |detail: &str| ModelFailure::Refused { detail: detail.to_owned() };
        check(
            401,
            r#"{"error": {"message": "bad key sk-hush", "code": "invalid_api_key"}}"#,
            &config("HTTP 401 Unauthorized: bad key [redacted]; check `api_key`"),
        );
        check(403, "no", &config("HTTP 403 Forbidden: no; check `api_key`"));
        check(
            404,
            r#"{"error": "no such\nmodel"}"#,
            &config("HTTP 404 Not Found: no such model; check `base_url` and the model `big-1`"),
        );
        check(
            400,
            r#"{"error": {"message": "?", "code": "model_not_found"}}"#,
            &config("HTTP 400 Bad Request: ?; check the model `big-1`"),
        );
        check(307, "", &config("HTTP 307 Temporary Redirect: ; write the address it moved to as `base_url`"));
        check(
            429,
            r#"{"error": {"message": "pay", "code": "insufficient_quota"}}"#,
            &config("HTTP 429 Too Many Requests: pay; the account is exhausted"),
        );
        check(429, "", &ModelFailure::RateLimited { retry_after_ms: None });
        check(400, r#"{"detail": "too long"}"#, &refused("HTTP 400 Bad Request: too long"));
        check(422, r#"{"message": "no"}"#, &refused("HTTP 422 Unprocessable Entity: {\"message\": \"no\"}"));
        check(500, "oops", &unavailable("HTTP 500 Internal Server Error: oops"));
        check(503, "", &unavailable("HTTP 503 Service Unavailable: "));
        check(408, "", &unavailable("HTTP 408 Request Timeout: "));
        check(529, "busy", &unavailable("HTTP 529 <unknown status code>: busy"));
        check(498, "full", &unavailable("HTTP 498 <unknown status code>: full"));
        let tool_use = r#"{"error": {"message": "no call", "code": "tool_use_failed"}}"#;
        check(400, tool_use, &unavailable("HTTP 400 Bad Request: no call"));
        check(
            400,
            r#"{"error": {"message": "9 tokens too many", "code": "context_length_exceeded"}}"#,
            &config(
                "HTTP 400 Bad Request: 9 tokens too many; the session is longer than `big-1` reads: write a model with a longer context",
            ),
        );
    }

    #[test]
    fn whoever_says_when_it_is_over_is_waited_for_until_then() {
        let settings = settings();
        for status in [429, 503, 529] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, "45".parse().unwrap())]);
            let status = StatusCode::from_u16(status).unwrap();
            let failure = FailureWords { settings: &settings }.refused(status, &headers, b"");
            assert_eq!(failure, ModelFailure::RateLimited { retry_after_ms: Some(45_000) }, "{status}");
        }
    }

    #[test]
    fn words_are_short() {
        let settings = settings();
        assert_eq!(FailureWords { settings: &settings }.safe(&"x".repeat(10_000)).len(), WORDS_MAX);
    }
}
