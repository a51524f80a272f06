//! Tokens.

use provost_domain::access::{AccessRole, Token};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{Object, ObjectBuilder};

/// A token, without its secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TokenView {
    /// Its id.
    pub token: String,
    /// Whose it is.
    pub name: String,
    /// What it may do.
    #[schema(schema_with = roles)]
    pub role: AccessRole,
    /// Who minted it.
    pub created_by: String,
    /// When.
    pub created_at: String,
    /// When it ends by itself.
    pub expires_at: Option<String>,
    /// When it was last used, to the minute.
    pub used_at: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<String>,
}

impl From<&Token> for TokenView {
    fn from(token: &Token) -> Self {
        Self {
            token: token.id.to_string(),
            name: token.name.clone(),
            role: token.role,
            created_by: token.created_by.to_string(),
            created_at: token.created_at.to_string(),
            expires_at: token.expires_at.map(|at| at.to_string()),
            used_at: token.used_at.map(|at| at.to_string()),
            revoked_at: token.revoked_at.map(|at| at.to_string()),
        }
    }
}

/// The schema of a role: the words of [`AccessRole`].
pub fn roles() -> Object {
    let words = AccessRole::ALL.map(AccessRole::as_str);
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}

/// A minted token. The secret is never shown again.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Minted {
    /// What a list shows of it.
    #[serde(flatten)]
    pub token: TokenView,
    /// What its holder sends as `Authorization: Bearer …`.
    pub secret: String,
}

/// Without the secret.
impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Minted").field("token", &self.token).finish_non_exhaustive()
    }
}
