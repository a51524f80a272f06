//! Bodies that are read piece by piece under a budget: those of senders that nobody knows yet, which may not be large and
//! come within seconds; and deliveries of known senders, which may be large, since a storm of alerts comes as one.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::{HeaderMap, header};
use futures::StreamExt as _;
use provost_face::Code;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::problem::Problem;

/// All bodies of unknown senders together, in bytes.
const STRANGERS: u32 = 16 * 1024 * 1024;
/// All deliveries of known senders together that are just read, in bytes: a few of the largest.
const SENDERS: u32 = 64 * 1024 * 1024;
/// How long one body may take.
const BODY_TIME: Duration = Duration::from_secs(10);

/// The budget of some bodies.
#[derive(Debug)]
pub(crate) struct BodyBudget(Arc<Semaphore>);

/// How large one body may be, and what its sender is told when it is larger.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimit {
    pub(crate) bytes: usize,
    pub(crate) over: Code,
}

/// Largest event, in bytes: as much as PagerDuty takes.
pub(crate) const EVENT_MAX: BodyLimit = BodyLimit::of(512 * 1024);

impl BodyLimit {
    /// Refuses what is larger for good.
    pub(crate) const fn of(bytes: usize) -> Self {
        Self { bytes, over: Code::BodyTooLarge }
    }
}

/// A body in memory, which counts until it is dropped.
#[derive(Debug)]
pub(crate) struct BudgetedBody {
    pub(crate) bytes: Vec<u8>,
    _budget: Option<OwnedSemaphorePermit>,
}

impl BodyBudget {
    /// That of senders whom nobody knows yet.
    pub(crate) fn of_strangers() -> Self {
        Self(Arc::new(Semaphore::new(STRANGERS as usize)))
    }

    /// That of deliveries whose senders a header tells.
    pub(crate) fn of_senders() -> Self {
        Self(Arc::new(Semaphore::new(SENDERS as usize)))
    }

    /// Reads a body of at most `limit` bytes.
    ///
    /// # Errors
    /// It is larger, takes too long, breaks off, or too many others are read at this time.
    pub(crate) async fn read(
        &self,
        headers: &HeaderMap,
        body: Body,
        limit: BodyLimit,
    ) -> Result<BudgetedBody, Problem> {
        let BodyLimit { bytes: limit, over } = limit;
        let too_large = || Problem::new(over, format!("this body has at most {limit} bytes"));
        let told = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let told = told.or(body.size_hint().exact()).unwrap_or(0);
        if usize::try_from(told).is_ok_and(|told| told > limit) {
            return Err(too_large());
        }
        let slow = |_elapsed| {
            let seconds = BODY_TIME.as_secs();
            Problem::new(Code::Timeout, format!("the body did not come within {seconds} seconds; send it again"))
        };
        timeout(BODY_TIME, self.collect(body, limit, too_large)).await.map_err(slow)?
    }

    async fn collect(
        &self,
        body: Body,
        limit: usize,
        too_large: impl Fn() -> Problem,
    ) -> Result<BudgetedBody, Problem> {
        let (mut chunks, mut bytes) = (body.into_data_stream(), Vec::new());
        let mut budget: Option<OwnedSemaphorePermit> = None;
        while let Some(chunk) = chunks.next().await {
            let chunk =
                chunk.map_err(|error| Problem::new(Code::InvalidRequest, format!("the body broke off: {error}")))?;
            if bytes.len() + chunk.len() > limit {
                return Err(too_large());
            }
            let part = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
            let part = Arc::clone(&self.0).try_acquire_many_owned(part).map_err(|_full| {
                Problem::new(Code::Saturated, "too many bodies are read at this time; send it again")
            })?;
            match &mut budget {
                Some(budget) => budget.merge(part),
                None => budget = Some(part),
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(BudgetedBody { bytes, _budget: budget })
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn endless() -> Body {
        Body::from_stream(stream::pending::<Result<Vec<u8>, axum::Error>>())
    }

    async fn code(strangers: &BodyBudget, headers: &HeaderMap, body: Body) -> &'static str {
        strangers.read(headers, body, BodyLimit::of(8)).await.map_or_else(|problem| problem.code(), |_| "ok")
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_small_and_comes_soon() {
        let (strangers, none) = (BodyBudget::of_strangers(), HeaderMap::new());
        assert_eq!(code(&strangers, &none, Body::from("12345678")).await, "ok");
        assert_eq!(code(&strangers, &none, Body::from("123456789")).await, "body_too_large");
        let told = HeaderMap::from_iter([(header::CONTENT_LENGTH, "9".parse().unwrap())]);
        assert_eq!(code(&strangers, &told, endless()).await, "body_too_large", "before any of it came");
        assert_eq!(code(&strangers, &none, endless()).await, "timeout");
    }

    #[tokio::test]
    async fn all_of_them_have_one_budget_which_comes_back() {
        let (strangers, none) = (BodyBudget(Arc::new(Semaphore::new(12))), HeaderMap::new());
        let first = strangers.read(&none, Body::from("12345678"), BodyLimit::of(8)).await.unwrap();
        assert_eq!(code(&strangers, &none, Body::from("12345")).await, "saturated");
        assert_eq!(code(&strangers, &none, Body::from("1234")).await, "ok");
        drop(first);
        assert_eq!(code(&strangers, &none, Body::from("12345678")).await, "ok");
    }
}
