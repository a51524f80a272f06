//! Minting and revoking tokens. A secret is shown once, in the answer that mints it.

use std::sync::Arc;
use std::time::Duration;

use provost_domain::access::{AccessRole, Permission, Token};
use provost_domain::ids::TokenId;
use provost_domain::port::{Clock, MintAnswer, RevokeAnswer, TokenReads, Tokens};

use crate::caller::Caller;
use crate::code::Code;
use crate::error::OperationError;
use crate::view::{Minted, Page, TokenView};

/// The longest life of a token that ends by itself: ten years.
pub const EXPIRES_MAX: Duration = Duration::from_hours(87_600);

/// A token to mint.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// Whose it is.
    pub name: String,
    /// What it may do.
    pub role: AccessRole,
    /// After how long it ends by itself: up to [`EXPIRES_MAX`].
    pub expires_in: Option<Duration>,
}

/// The tokens of a store.
#[derive(Debug, Clone)]
pub struct TokenOperations {
    tokens: Arc<dyn Tokens>,
    clock: Arc<dyn Clock>,
}

impl TokenOperations {
    /// Over a store.
    pub fn new(tokens: Arc<dyn Tokens>, clock: Arc<dyn Clock>) -> Self {
        Self { tokens, clock }
    }

    /// Every token, revoked ones included, newest first.
    ///
    /// # Errors
    /// The caller may not administer, or the store fails.
    pub async fn list(&self, caller: &Caller) -> Result<Page<TokenView>, OperationError> {
        list_tokens(&*self.tokens, caller).await
    }

    /// Mints a token.
    ///
    /// # Errors
    /// The caller may not administer, the name has another form or is taken, or it would last too long.
    pub async fn mint(&self, caller: &Caller, request: TokenRequest) -> Result<Minted, OperationError> {
        caller.require(Permission::Administer)?;
        let TokenRequest { name, role, expires_in } = request;
        if expires_in.is_some_and(|life| life < Duration::from_secs(1) || life > EXPIRES_MAX) {
            let detail = format!("a token that ends by itself lasts 1 to {} seconds", EXPIRES_MAX.as_secs());
            return Err(OperationError::new(Code::InvalidBody, detail));
        }
        let now = self.clock.now();
        let minted = Token::mint(&name, role, caller.principal.clone(), now, &random());
        let (mut token, secret) = minted.map_err(|error| OperationError::new(Code::InvalidBody, error.to_string()))?;
        token.expires_at = expires_in.map(|life| now.plus(life));
        match self.tokens.mint(&token).await? {
            MintAnswer::Stored => Ok(Minted { token: TokenView::from(&token), secret: secret.reveal().to_owned() }),
            MintAnswer::NameTaken => {
                let detail = format!("a token named {name} is in force; revoke it first or choose another name");
                Err(OperationError::new(Code::TokenNameTaken, detail))
            }
        }
    }

    /// Revokes a token for good. Nobody is let in with it afterwards.
    ///
    /// # Errors
    /// The caller may not administer, or no token of that id is in force.
    pub async fn revoke(&self, caller: &Caller, id: &TokenId) -> Result<(), OperationError> {
        caller.require(Permission::Administer)?;
        match self.tokens.revoke(id, self.clock.now()).await? {
            RevokeAnswer::Revoked => Ok(()),
            RevokeAnswer::NotInForce => {
                let detail = format!("no token `{id}` is in force; list the tokens and check the id");
                Err(OperationError::new(Code::NotFound, detail))
            }
        }
    }
}

/// Every token of a store, revoked ones included, newest first; also beside the process that holds it.
///
/// # Errors
/// The caller may not administer, or the store fails.
pub async fn list_tokens(tokens: &dyn TokenReads, caller: &Caller) -> Result<Page<TokenView>, OperationError> {
    caller.require(Permission::Administer)?;
    Ok(Page::only(tokens.tokens().await?.iter().map(TokenView::from).collect()))
}

/// Fresh random bytes for a token, from the random parts of fresh UUIDs: 226 bits of them.
pub fn random() -> [u8; 38] {
    let mut bytes = [0; 38];
    for chunk in bytes.chunks_mut(16) {
        let fresh = uuid::Uuid::new_v4();
        for (to, from) in chunk.iter_mut().zip(fresh.as_bytes()) {
            *to = *from;
        }
    }
    bytes
}
