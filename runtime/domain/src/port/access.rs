//! The seam to stored tokens.

use async_trait::async_trait;

use super::StoreError;
use crate::access::Token;
use crate::ids::TokenId;
use crate::time::Timestamp;

/// Tokens. They live beside the sessions, in the same store.
#[async_trait]
pub trait Tokens: Send + Sync + std::fmt::Debug {
    /// Stores a new token. Once it returns `Ok(true)` it is durable; `Ok(false)` means that a token of this name is in
    /// force already and nothing was stored.
    async fn mint(&self, token: &Token) -> Result<bool, StoreError>;

    /// A token by its id, revoked ones included.
    async fn token(&self, id: &TokenId) -> Result<Option<Token>, StoreError>;

    /// All tokens, newest first, revoked ones included.
    async fn tokens(&self) -> Result<Vec<Token>, StoreError>;

    /// Revokes a token for good; `Ok(false)` when there is none of that id in force. Once it returns, nobody is let in
    /// with it.
    async fn revoke(&self, id: &TokenId, at: Timestamp) -> Result<bool, StoreError>;

    /// Notes that a token was used.
    async fn used(&self, id: &TokenId, at: Timestamp) -> Result<(), StoreError>;
}
