//! `/v1/tokens`: minting and revoking. A secret is shown once, in the answer that mints it.

use provost_face::{Code, Minted, Page, TokenRequest, TokenView, roles};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use provost_domain::access::AccessRole;
use provost_domain::ids::TokenId;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::extract::{Body, By, Tail};
use crate::once::Keep;
use crate::problem::{Problem, Problems};
use crate::state::Server;

/// Every token, revoked ones included, newest first.
#[utoipa::path(get, path = "/v1/tokens", tag = "tokens",
    responses((status = 200, body = Page<TokenView>), Problems))]
pub(crate) async fn list(State(server): State<Server>, By(caller): By) -> Result<Json<Page<TokenView>>, Problem> {
    Ok(Json(server.tokens().list(&caller).await?))
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

/// Mints a token. Its secret is told once: a repetition under the same `Idempotency-Key` is refused.
#[utoipa::path(post, path = "/v1/tokens", request_body = MintBody, tag = "tokens",
    responses((status = 201, body = Minted), Problems))]
pub(crate) async fn mint(
    State(server): State<Server>,
    By(caller): By,
    Body(MintBody { name, role, expires_in_s }): Body<MintBody>,
) -> Result<Response, Problem> {
    let told =
        format!("this key minted the token {name} already, and its secret was told once; revoke it and mint another");
    let expires_in = expires_in_s.map(|seconds| Duration::from_secs(u64::from(seconds)));
    let minted = server.tokens().mint(&caller, TokenRequest { name, role, expires_in }).await?;
    let keep = Keep::Instead(Problem::new(Code::NothingToDo, told));
    Ok((StatusCode::CREATED, Extension(keep), Json(minted)).into_response())
}

/// Revokes a token for good. Nobody is let in with it afterwards.
#[utoipa::path(delete, path = "/v1/tokens/{token}", params(("token" = String, Path)), tag = "tokens",
    responses((status = 204), Problems))]
pub(crate) async fn revoke(
    State(server): State<Server>,
    By(caller): By,
    Tail(id): Tail,
) -> Result<StatusCode, Problem> {
    server.tokens().revoke(&caller, &TokenId::new(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
