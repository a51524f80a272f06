//! `/v1/outbox`: what is told outside and what came of it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use provost_domain::ids::MessageId;
use provost_domain::port::{MessageFilter, MessageState};
use provost_face::{Code, MessageView, Page, page_size};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::extract::{By, Search, Tail};
use crate::problem::{Problem, Problems};
use crate::state::Server;

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// Only this state: `waiting`, `sent` or `failed`.
    state: Option<String>,
    /// Only those of this session, by id or handle.
    session: Option<String>,
    /// At most this many.
    #[param(minimum = 1, maximum = 500)]
    page_size: Option<u32>,
    /// From a page before this one.
    page_token: Option<String>,
}

/// Messages to the outside, newest first.
#[utoipa::path(get, path = "/v1/outbox", params(ListQuery), tag = "outbox",
    responses((status = 200, body = Page<MessageView>), Problems))]
pub(crate) async fn list(
    State(server): State<Server>,
    By(caller): By,
    Search(query): Search<ListQuery>,
) -> Result<Json<Page<MessageView>>, Problem> {
    let limit = page_size(query.page_size)?;
    let state = query.state.map(|word| word.parse::<MessageState>()).transpose();
    let state = state.map_err(|error| Problem::new(Code::InvalidRequest, error.to_string()))?;
    let bad = |_| Problem::new(Code::InvalidRequest, "page_token is not one of ours; begin without one");
    let before = query.page_token.map(|token| token.parse().map_err(bad)).transpose()?;
    let session = match query.session {
        Some(name) => Some(server.lookups().session_named(&caller, &name).await?),
        None => None,
    };
    let filter = MessageFilter { state, session, before, limit };
    Ok(Json(server.outbox().lookups().list(&caller, &filter).await?))
}

/// Sends a message that failed again, under the same key; or one that waits, now.
#[utoipa::path(post, path = "/v1/outbox/{message}/retry", params(("message" = String, Path)),
    tag = "outbox", responses((status = 202, body = MessageView), Problems))]
pub(crate) async fn retry(
    State(server): State<Server>,
    Tail(id): Tail,
    By(caller): By,
) -> Result<(StatusCode, Json<MessageView>), Problem> {
    let row = server.outbox().retry(&caller, &MessageId::new(id)).await?;
    Ok((StatusCode::ACCEPTED, Json(row)))
}
