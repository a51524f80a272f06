//! `/v1/tokens`: minting and revoking. A secret is shown once, in the answer that mints it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use provost_domain::access::{AccessRole, Token};
use provost_domain::ids::TokenId;
use provost_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{Object, ObjectBuilder};

use crate::access::Caller;
use crate::app::Server;
use crate::codes::Code;
use crate::extract::{Body, Tail};
use crate::problem::{Problem, Problems};
use crate::views::{Page, TokenView};

/// The longest life of a token that ends by itself, in seconds: ten years.
const EXPIRES_MAX: u32 = 315_360_000;

/// Every token, revoked ones included, newest first.
#[utoipa::path(get, path = "/v1/tokens", tag = "tokens",
    responses((status = 200, body = Page<TokenView>), Problems))]
pub(crate) async fn list(State(server): State<Server>) -> Result<Json<Page<TokenView>>, Problem> {
    let tokens = server.access().tokens().tokens().await?;
    Ok(Json(Page { items: tokens.iter().map(TokenView::from).collect(), next_page_token: None }))
}

/// A token to mint.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MintBody {
    /// Whose it is: 1 to 64 letters, digits, `.`, `_`, `-` or `@`.
    #[schema(pattern = "^[A-Za-z0-9._@-]{1,64}$")]
    name: String,
    /// What it may do.
    #[schema(schema_with = roles)]
    role: AccessRole,
    /// After how many seconds it ends by itself: up to ten years.
    #[schema(minimum = 1, maximum = 315_360_000)]
    expires_in_s: Option<u32>,
}

/// The words of [`AccessRole`].
pub(crate) fn roles() -> Object {
    let words = AccessRole::ALL.map(AccessRole::as_str);
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}

/// A minted token. The secret is never shown again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Minted {
    #[serde(flatten)]
    token: TokenView,
    /// What its holder sends as `Authorization: Bearer …`.
    secret: String,
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

/// Mints a token.
#[utoipa::path(post, path = "/v1/tokens", request_body = MintBody, tag = "tokens",
    responses((status = 201, body = Minted), Problems))]
pub(crate) async fn mint(
    State(server): State<Server>,
    caller: Caller,
    Body(body): Body<MintBody>,
) -> Result<(StatusCode, Json<Minted>), Problem> {
    if body.expires_in_s.is_some_and(|seconds| !(1..=EXPIRES_MAX).contains(&seconds)) {
        return Err(Problem::new(Code::InvalidBody, format!("expires_in_s is 1 to {EXPIRES_MAX}")));
    }
    let now = server.access().now();
    let minted = Token::mint(&body.name, body.role, caller.principal, now, &random());
    let (mut token, secret) = minted.map_err(|error| Problem::new(Code::InvalidBody, error.to_string()))?;
    token.expires_at = body.expires_in_s.map(|seconds| plus(now, seconds));
    if !server.access().tokens().mint(&token).await? {
        let detail = format!("a token named {} is in force; revoke it first or choose another name", body.name);
        return Err(Problem::new(Code::TokenNameTaken, detail));
    }
    let token = TokenView::from(&token);
    Ok((StatusCode::CREATED, Json(Minted { token, secret: secret.reveal().to_owned() })))
}

fn plus(now: Timestamp, seconds: u32) -> Timestamp {
    now.plus(std::time::Duration::from_secs(u64::from(seconds)))
}

/// Revokes a token for good. Nobody is let in with it afterwards.
#[utoipa::path(delete, path = "/v1/tokens/{token}", params(("token" = String, Path)), tag = "tokens",
    responses((status = 204), Problems))]
pub(crate) async fn revoke(State(server): State<Server>, Tail(id): Tail) -> Result<StatusCode, Problem> {
    let id = TokenId::new(id);
    if server.access().tokens().revoke(&id, server.access().now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::new(Code::NotFound, format!("no token `{id}` is in force; list the tokens and check the id")))
    }
}
