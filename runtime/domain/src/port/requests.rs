//! The seam to answers kept for requests that come again under the same key.

use async_trait::async_trait;

use super::error::StoreError;
use crate::ids::Digest;
use crate::time::Timestamp;

/// An answer as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The HTTP status that was answered.
    pub status: u16,
    /// The header `Content-Type` that was answered.
    pub content_type: String,
    /// Where what was made is to be found.
    pub location: Option<String>,
    /// The bytes that were answered.
    pub body: Vec<u8>,
}

/// A request that was seen under its key before, or is seen now for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRequest {
    /// What was asked then.
    pub fingerprint: Digest,
    /// When it was first asked: what is derived from the request is derived from this, so that it comes out the same.
    pub at: Timestamp,
    /// The answer, once there is one.
    pub answer: Option<KeptAnswer>,
}

/// Requests by their keys.
#[async_trait]
pub trait Requests: Send + Sync + std::fmt::Debug {
    /// Notes that a request is made under a key, unless one was, and returns the first one. Once it returns, that note is
    /// durable. Notes older than `forget` go.
    async fn claim(
        &self,
        key: Digest,
        fingerprint: Digest,
        at: Timestamp,
        forget: Timestamp,
    ) -> Result<KnownRequest, StoreError>;

    /// Keeps the answer; the first one stays.
    async fn answer(&self, key: Digest, answer: &KeptAnswer) -> Result<(), StoreError>;
}
