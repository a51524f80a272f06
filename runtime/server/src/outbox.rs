//! `/v1/outbox`: what is told outside and what came of it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use provost_domain::ids::MessageId;
use provost_domain::port::{MessageFilter, MessageRow, MessageState};
use provost_face::{Code, Page, page_size};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::extract::{By, Search, Tail};
use crate::problem::{Problem, Problems};
use crate::state::Server;

/// A message to the outside, without what it says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessageView {
    /// Its id.
    message: String,
    /// The tool that sends it.
    #[schema(example = "notify:oncall")]
    target: String,
    /// The session it comes from.
    session: String,
    /// The key it is sent under, in every try.
    key: String,
    /// `waiting`, `sent` or `failed`.
    state: String,
    /// Why the last try did not work.
    note: String,
    /// How often it was tried.
    tries: u64,
    /// When it was stored.
    created_at: String,
    /// When it was last tried.
    tried_at: Option<String>,
    /// When it is tried next.
    next_at: Option<String>,
}

impl From<&MessageRow> for MessageView {
    fn from(row: &MessageRow) -> Self {
        Self {
            message: row.id.to_string(),
            target: row.target.clone(),
            session: row.session.to_string(),
            key: row.key.clone(),
            state: row.state.as_str().to_owned(),
            note: row.note.clone(),
            tries: row.tries,
            created_at: row.at.to_string(),
            tried_at: row.tried_at.map(|at| at.to_string()),
            next_at: row.next_at.map(|at| at.to_string()),
        }
    }
}

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
    let rows = server.outgoing().reads().messages(&MessageFilter { state, session, before, limit }).await?;
    let full = u32::try_from(rows.len()).is_ok_and(|count| count == limit);
    let next_page_token = rows.last().filter(|_| full).map(|row| row.seq.to_string());
    Ok(Json(Page { items: rows.iter().map(MessageView::from).collect(), next_page_token }))
}

/// Sends a message that failed again, under the same key; or one that waits, now.
#[utoipa::path(post, path = "/v1/outbox/{message}/retry", params(("message" = String, Path)),
    tag = "outbox", responses((status = 202, body = MessageView), Problems))]
pub(crate) async fn retry(
    State(server): State<Server>,
    Tail(id): Tail,
) -> Result<(StatusCode, Json<MessageView>), Problem> {
    let row = server.outgoing().again(&MessageId::new(&*id)).await?;
    let sent = || Problem::new(Code::NothingToDo, format!("message `{id}` was sent; it is not sent twice"));
    row.map(|row| (StatusCode::ACCEPTED, Json(MessageView::from(&row)))).ok_or_else(sent)
}
