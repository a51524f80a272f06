//! The requests that change the shop or reach its people: admin changes and on-call messages.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;

use crate::request::{ShopAnswer, ShopEndpoint, ShopRequest};
use crate::service::ShopService;

/// Longest `Idempotency-Key` taken, in bytes; a key is an identifier, and the shop remembers it.
const KEY_MAX: usize = 255;

pub(crate) async fn release(State(service): State<Arc<ShopService>>, headers: HeaderMap, body: Bytes) -> ShopAnswer {
    answer(&service, ShopEndpoint::Release, &headers, &body)
}

pub(crate) async fn rollback(State(service): State<Arc<ShopService>>, headers: HeaderMap, body: Bytes) -> ShopAnswer {
    answer(&service, ShopEndpoint::Rollback, &headers, &body)
}

pub(crate) async fn restart(State(service): State<Arc<ShopService>>, headers: HeaderMap, body: Bytes) -> ShopAnswer {
    answer(&service, ShopEndpoint::Restart, &headers, &body)
}

pub(crate) async fn oncall(State(service): State<Arc<ShopService>>, headers: HeaderMap, body: Bytes) -> ShopAnswer {
    answer(&service, ShopEndpoint::Oncall, &headers, &body)
}

/// The request's `Idempotency-Key`; an unusable one is the `Err` to answer with.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<&str>, ShopAnswer> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if (1..=KEY_MAX).contains(&key.len()) => Ok(Some(key)),
        _ => Err(ShopAnswer::refusal(
            StatusCode::BAD_REQUEST,
            "the Idempotency-Key is unusable: send 1 to 255 visible ASCII characters",
        )),
    }
}

fn answer(service: &ShopService, endpoint: ShopEndpoint, headers: &HeaderMap, body: &[u8]) -> ShopAnswer {
    let key = match key(headers) {
        Ok(key) => key,
        Err(refusal) => return refusal,
    };
    let request = ShopRequest { endpoint, key, body, at: Timestamp::now() };
    service.with(|shop| shop.handle(&request))
}
