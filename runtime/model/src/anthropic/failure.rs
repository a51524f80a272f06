//! Refusals of the protocol: its word for an error says more than the status.

use provost_domain::failure::ModelFailure;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::server::client::ServerAnswer;
use crate::server::failure::{FailureWords, ServerError};

/// The failure behind a status other than success.
pub(super) fn refused(answer: &ServerAnswer, words: &FailureWords<'_>) -> ModelFailure {
    let said: Option<Value> = serde_json::from_slice(&answer.body).ok();
    match said.as_ref().and_then(|said| said.get("error")) {
        Some(error) => classified(answer.status, &answer.headers, error, words),
        None => words.refused(answer.status, &answer.headers, &answer.body),
    }
}

/// The failure that an error inside a success stands for.
pub(super) fn complained(error: &Value, words: &FailureWords<'_>) -> ModelFailure {
    let status = match error.get("type").and_then(Value::as_str).unwrap_or_default() {
        "overloaded_error" => StatusCode::from_u16(529).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
        "rate_limit_error" => StatusCode::TOO_MANY_REQUESTS,
        "invalid_request_error" => StatusCode::BAD_REQUEST,
        "authentication_error" => StatusCode::UNAUTHORIZED,
        "billing_error" => StatusCode::PAYMENT_REQUIRED,
        "permission_error" => StatusCode::FORBIDDEN,
        "not_found_error" => StatusCode::NOT_FOUND,
        "request_too_large" => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    classified(status, &HeaderMap::new(), error, words)
}

fn classified(status: StatusCode, headers: &HeaderMap, error: &Value, words: &FailureWords<'_>) -> ModelFailure {
    let complaint = ServerError::of(error);
    let said = complaint.message.to_ascii_lowercase();
    let config = |hint: &str| {
        let detail = format!("HTTP {status}: {}; {hint}", words.safe(&complaint.message));
        ModelFailure::LlmConfig { detail }
    };
    match status.as_u16() {
        // A spend limit is said as a bad request. Waiting does not fill an account.
        400 if ["credit balance", "usage limit", "spend limit"].iter().any(|part| said.contains(part)) => {
            config("the account is exhausted")
        }
        400 if said.contains("prompt is too long") => config(TOO_LONG),
        413 => config(TOO_LONG),
        _ => words.classified(status, headers, &complaint),
    }
}

/// What to do about a session that the server finds too long.
pub(super) const TOO_LONG: &str = "the session is longer than the model reads: write a model with a longer context";

#[cfg(test)]
mod tests {
    use provost_domain::failure::FailureKind;
    use serde_json::json;

    use super::*;
    use crate::server::failure::tests::settings;

    #[track_caller]
    fn check(status: u16, kind: &str, message: &str, expect: (FailureKind, &str)) {
        let settings = settings();
        let words = FailureWords { settings: &settings };
        let error = json!({"type": kind, "message": message});
        let body = json!({"type": "error", "error": error, "request_id": "r"}).to_string().into_bytes();
        let status = StatusCode::from_u16(status).unwrap();
        let outside = refused(&ServerAnswer { status, headers: HeaderMap::new(), body }, &words);
        for failure in [outside, complained(&error, &words)] {
            assert_eq!(failure.kind(), expect.0, "{failure}");
            assert!(failure.to_string().contains(expect.1), "{failure}");
        }
    }

    #[test]
    fn each_error_of_the_protocol_has_its_failure() {
        let (passing, lasting) = (FailureKind::Transient, FailureKind::Permanent);
        check(400, "invalid_request_error", "max_tokens: required", (lasting, "refused the request"));
        check(400, "invalid_request_error", "Your credit balance is too low", (lasting, "the account is exhausted"));
        check(400, "invalid_request_error", "prompt is too long: 9 tokens", (lasting, "a longer context"));
        check(401, "authentication_error", "no sk-hush", (lasting, "no [redacted]; check `api_key`"));
        check(402, "billing_error", "pay", (lasting, "the account is exhausted"));
        check(404, "not_found_error", "model: x", (lasting, "check `base_url` and the model"));
        check(413, "request_too_large", "too many bytes", (lasting, "a longer context"));
        check(429, "rate_limit_error", "slow", (passing, "rate limited"));
        check(500, "api_error", "oops", (passing, "unavailable"));
        check(529, "overloaded_error", "busy", (passing, "unavailable"));
    }
}
