//! `/v1/deliveries`: what came in and what came of it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use provost_domain::ids::DeliveryId;
use provost_domain::port::{DeliveryFilter, DeliveryRow, DeliveryState};
use provost_face::{Code, Page, page_size};
use provost_mail::dismissal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::extract::{Body, By, Search, Tail};
use crate::hooks::TakenView;
use crate::problem::{Problem, Problems};
use crate::state::Server;

/// A delivery, without its body.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryView {
    /// Its id.
    delivery: String,
    /// The kind of sender.
    #[schema(example = "alertmanager")]
    source: String,
    /// Who handed it in.
    by: String,
    /// `waiting`, `done` or `bad`.
    state: String,
    /// What came of it, or why it is bad.
    note: String,
    /// The session it went to.
    session: Option<String>,
    /// Its size.
    bytes: u64,
    /// When it came.
    received_at: String,
}

impl From<&DeliveryRow> for DeliveryView {
    fn from(row: &DeliveryRow) -> Self {
        Self {
            delivery: row.id.to_string(),
            source: row.source.clone(),
            by: row.by.to_string(),
            state: row.state.as_str().to_owned(),
            note: row.note.clone(),
            session: row.session.map(|session| session.to_string()),
            bytes: row.bytes,
            received_at: row.at.to_string(),
        }
    }
}

/// Which deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// Only this state: `waiting`, `done` or `bad`.
    state: Option<String>,
    /// At most this many.
    #[param(minimum = 1, maximum = 500)]
    page_size: Option<u32>,
    /// From a page before this one.
    page_token: Option<String>,
}

/// Deliveries, newest first.
#[utoipa::path(get, path = "/v1/deliveries", params(ListQuery), tag = "deliveries",
    responses((status = 200, body = Page<DeliveryView>), Problems))]
pub(crate) async fn list(
    State(server): State<Server>,
    Search(query): Search<ListQuery>,
) -> Result<Json<Page<DeliveryView>>, Problem> {
    let limit = page_size(query.page_size)?;
    let state = query.state.map(|word| word.parse::<DeliveryState>()).transpose();
    let state = state.map_err(|error| Problem::new(Code::InvalidRequest, error.to_string()))?;
    let bad = |_| Problem::new(Code::InvalidRequest, "page_token is not one of ours; begin without one");
    let before = query.page_token.map(|token| token.parse().map_err(bad)).transpose()?;
    let rows = server.intake().reads().deliveries(&DeliveryFilter { state, before, limit }).await?;
    let full = u32::try_from(rows.len()).is_ok_and(|count| count == limit);
    let next_page_token = rows.last().filter(|_| full).map(|row| row.seq.to_string());
    Ok(Json(Page { items: rows.iter().map(DeliveryView::from).collect(), next_page_token }))
}

/// A delivery with its body.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BodyView {
    /// Its id.
    delivery: String,
    /// The kind of sender.
    source: String,
    /// Who handed it in.
    by: String,
    /// `waiting`, `done` or `bad`.
    state: String,
    /// What came; empty once it was dismissed or its session was erased.
    body: String,
}

/// One delivery with what came, as text.
#[utoipa::path(get, path = "/v1/deliveries/{delivery}", params(("delivery" = String, Path)), tag = "deliveries",
    responses((status = 200, body = BodyView), Problems))]
pub(crate) async fn show(State(server): State<Server>, Tail(id): Tail) -> Result<Json<BodyView>, Problem> {
    let delivery = server.intake().reads().delivery(&DeliveryId::new(id)).await?;
    Ok(Json(BodyView {
        delivery: delivery.id.to_string(),
        source: delivery.source,
        by: delivery.by.to_string(),
        state: delivery.state.as_str().to_owned(),
        body: String::from_utf8_lossy(&delivery.body).into_owned(),
    }))
}

/// Why it is dismissed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DismissBody {
    /// For people who look at it later.
    reason: String,
}

/// Gives a bad delivery up: nobody works on it, and its body goes.
#[utoipa::path(post, path = "/v1/deliveries/{delivery}/dismiss", params(("delivery" = String, Path)),
    tag = "deliveries", request_body = DismissBody, responses((status = 200, body = BodyView), Problems))]
pub(crate) async fn dismiss(
    State(server): State<Server>,
    Tail(id): Tail,
    By(caller): By,
    Body(DismissBody { reason }): Body<DismissBody>,
) -> Result<Json<BodyView>, Problem> {
    server.intake().dismiss(&DeliveryId::new(&*id), &dismissal(&caller.principal, &reason)).await?;
    show(State(server), Tail(id)).await
}

/// Delivers a bad delivery again, for when what made it bad has changed.
#[utoipa::path(post, path = "/v1/deliveries/{delivery}/replay", params(("delivery" = String, Path)),
    tag = "deliveries", responses((status = 202, body = TakenView), Problems))]
pub(crate) async fn replay(
    State(server): State<Server>,
    Tail(id): Tail,
) -> Result<(StatusCode, Json<TakenView>), Problem> {
    let receipt = server.intake().replay(&DeliveryId::new(id)).await?;
    Ok((StatusCode::ACCEPTED, Json(TakenView { delivery: receipt.id.to_string() })))
}
