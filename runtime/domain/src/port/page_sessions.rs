//! The seam to people's logins at the page.

use async_trait::async_trait;

use super::error::StoreError;
use crate::ids::{Digest, TokenId};
use crate::time::Timestamp;

/// A login at the page. The browser holds its secret; the store knows only the secret's digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSession {
    /// The digest of the secret in the browser's cookie.
    pub digest: Digest,
    /// The token that the person logged in with. The login is worth what the token is worth.
    pub token: TokenId,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// Logins at the page. They live beside the tokens, in the same store, so that a restart neither ends one nor brings an ended one
/// back.
#[async_trait]
pub trait PageSessions: Send + Sync + std::fmt::Debug {
    /// Stores a new login, and forgets those that expired before it began. Once it returns, the login is durable.
    async fn begin(&self, session: &PageSession) -> Result<(), StoreError>;

    /// A login by its digest, also an expired one; `None` where there is none, or none any more.
    async fn page_session(&self, digest: Digest) -> Result<Option<PageSession>, StoreError>;

    /// Ends a login for good. Once it returns, nobody is let in with it.
    async fn end(&self, digest: Digest) -> Result<(), StoreError>;
}
