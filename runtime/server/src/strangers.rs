//! Bodies of senders that nobody knows yet: they may not be large, come within seconds, and all of them together have one budget. A
//! sender whom a header tells is known before its body is read, and needs none of this.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::{HeaderMap, header};
use futures::StreamExt as _;
use provost_face::Code;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::problem::Problem;

/// All these bodies together, in bytes.
const BUDGET: u32 = 16 * 1024 * 1024;
/// How long one of them may take.
const BODY_TIME: Duration = Duration::from_secs(10);

/// The budget of bodies whose senders are not known.
#[derive(Debug)]
pub(crate) struct Strangers(Arc<Semaphore>);

/// A body in memory, which counts until it is dropped.
#[derive(Debug)]
pub(crate) struct StrangerBody {
    pub(crate) bytes: Vec<u8>,
    _budget: Option<OwnedSemaphorePermit>,
}

impl Default for Strangers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BUDGET as usize)))
    }
}

impl Strangers {
    /// Reads a body of at most `limit` bytes.
    ///
    /// # Errors
    /// It is larger, takes too long, breaks off, or too many others are read at this time.
    pub(crate) async fn read(&self, headers: &HeaderMap, body: Body, limit: usize) -> Result<StrangerBody, Problem> {
        let too_large = || Problem::new(Code::BodyTooLarge, format!("this body has at most {limit} bytes"));
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
    ) -> Result<StrangerBody, Problem> {
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
                Problem::new(Code::Saturated, "too many bodies of unknown senders are read at this time; send it again")
            })?;
            match &mut budget {
                Some(budget) => budget.merge(part),
                None => budget = Some(part),
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(StrangerBody { bytes, _budget: budget })
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn endless() -> Body {
        Body::from_stream(stream::pending::<Result<Vec<u8>, axum::Error>>())
    }

    async fn code(strangers: &Strangers, headers: &HeaderMap, body: Body) -> &'static str {
        strangers.read(headers, body, 8).await.map_or_else(|problem| problem.code(), |_| "ok")
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_small_and_comes_soon() {
        let (strangers, none) = (Strangers::default(), HeaderMap::new());
        assert_eq!(code(&strangers, &none, Body::from("12345678")).await, "ok");
        assert_eq!(code(&strangers, &none, Body::from("123456789")).await, "body_too_large");
        let told = HeaderMap::from_iter([(header::CONTENT_LENGTH, "9".parse().unwrap())]);
        assert_eq!(code(&strangers, &told, endless()).await, "body_too_large", "before any of it came");
        assert_eq!(code(&strangers, &none, endless()).await, "timeout");
    }

    #[tokio::test]
    async fn all_of_them_have_one_budget_which_comes_back() {
        let (strangers, none) = (Strangers(Arc::new(Semaphore::new(12))), HeaderMap::new());
        let first = strangers.read(&none, Body::from("12345678"), 8).await.unwrap();
        assert_eq!(code(&strangers, &none, Body::from("12345")).await, "saturated");
        assert_eq!(code(&strangers, &none, Body::from("1234")).await, "ok");
        drop(first);
        assert_eq!(code(&strangers, &none, Body::from("12345678")).await, "ok");
    }
}
