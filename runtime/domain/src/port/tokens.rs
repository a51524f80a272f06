//! The seam to stored tokens.

use async_trait::async_trait;

use super::error::StoreError;
use crate::access::Token;
use crate::ids::TokenId;
use crate::time::Timestamp;

/// What storing a new token came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a token whose name is taken was not stored"]
pub enum MintAnswer {
    /// The token is durable and can be used.
    Stored,
    /// A token of this name or id is in force already: nothing was stored.
    NameTaken,
}

/// What revoking a token came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "perhaps no token of that id was in force"]
pub enum RevokeAnswer {
    /// It is worth nothing from now on.
    Revoked,
    /// No token of that id was in force: nothing changed.
    NotInForce,
}

/// Tokens. They live beside the sessions, in the same store. Who writes them can also read them.
#[async_trait]
pub trait Tokens: TokenReads {
    /// Stores a new token. Once it returns [`MintAnswer::Stored`] it is durable.
    async fn mint(&self, token: &Token) -> Result<MintAnswer, StoreError>;

    /// Revokes a token for good. Once it returns, nobody is let in with it.
    async fn revoke(&self, id: &TokenId, at: Timestamp) -> Result<RevokeAnswer, StoreError>;

    /// Notes that a token was used.
    async fn used(&self, id: &TokenId, at: Timestamp) -> Result<(), StoreError>;
}

/// Reads of the same.
#[async_trait]
pub trait TokenReads: Send + Sync + std::fmt::Debug {
    /// A token by its id, revoked ones included.
    async fn token(&self, id: &TokenId) -> Result<Option<Token>, StoreError>;

    /// All tokens, newest first, revoked ones included.
    async fn tokens(&self) -> Result<Vec<Token>, StoreError>;
}
