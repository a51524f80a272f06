//! The requests that change the shop or reach its people: admin changes and on-call messages.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;

use super::service::Service;
use super::shop::{Answer, Endpoint, Request};

/// Longest `Idempotency-Key` taken, in bytes; a key is an identifier, and the shop remembers it.
const KEY_MAX: usize = 255;

pub(crate) async fn release(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Answer {
    answer(&service, Endpoint::Release, &headers, &body)
}

pub(crate) async fn rollback(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Answer {
    answer(&service, Endpoint::Rollback, &headers, &body)
}

pub(crate) async fn restart(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Answer {
    answer(&service, Endpoint::Restart, &headers, &body)
}

pub(crate) async fn oncall(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Answer {
    answer(&service, Endpoint::Oncall, &headers, &body)
}

/// The request's `Idempotency-Key`; an unusable one is the `Err` to answer with.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<&str>, Answer> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if (1..=KEY_MAX).contains(&key.len()) => Ok(Some(key)),
        _ => Err(Answer::refusal(
            StatusCode::BAD_REQUEST,
            "the Idempotency-Key is unusable: send 1 to 255 visible ASCII characters",
        )),
    }
}

fn answer(service: &Service, endpoint: Endpoint, headers: &HeaderMap, body: &[u8]) -> Answer {
    let key = match key(headers) {
        Ok(key) => key,
        Err(refusal) => return refusal,
    };
    let request = Request { endpoint, key, body, at: Timestamp::now() };
    service.with(|shop| shop.handle(&request))
}
