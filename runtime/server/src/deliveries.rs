//! `/v1/deliveries`: what came in and what came of it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use provost_domain::ids::DeliveryId;
use provost_domain::port::{DeliveryFilter, DeliveryState};
use provost_face::{Code, DeliveryDetail, DeliveryView, Page, TakenView, page_size};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::extract::{Body, By, Search, Tail};
use crate::problem::{Problem, Problems};
use crate::state::Server;

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
    By(caller): By,
    Search(query): Search<ListQuery>,
) -> Result<Json<Page<DeliveryView>>, Problem> {
    let limit = page_size(query.page_size)?;
    let state = query.state.map(|word| word.parse::<DeliveryState>()).transpose();
    let state = state.map_err(|error| Problem::new(Code::InvalidRequest, error.to_string()))?;
    let bad = |_| Problem::new(Code::InvalidRequest, "page_token is not one of ours; begin without one");
    let before = query.page_token.map(|token| token.parse().map_err(bad)).transpose()?;
    let filter = DeliveryFilter { state, before, limit };
    Ok(Json(server.deliveries().lookups().list(&caller, &filter).await?))
}

/// One delivery with what came, as text.
#[utoipa::path(get, path = "/v1/deliveries/{delivery}", params(("delivery" = String, Path)), tag = "deliveries",
    responses((status = 200, body = DeliveryDetail), Problems))]
pub(crate) async fn show(
    State(server): State<Server>,
    Tail(id): Tail,
    By(caller): By,
) -> Result<Json<DeliveryDetail>, Problem> {
    Ok(Json(server.deliveries().lookups().delivery(&caller, &DeliveryId::new(id)).await?))
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
    tag = "deliveries", request_body = DismissBody, responses((status = 200, body = DeliveryDetail), Problems))]
pub(crate) async fn dismiss(
    State(server): State<Server>,
    Tail(id): Tail,
    By(caller): By,
    Body(DismissBody { reason }): Body<DismissBody>,
) -> Result<Json<DeliveryDetail>, Problem> {
    Ok(Json(server.deliveries().dismiss(&caller, &DeliveryId::new(id), &reason).await?))
}

/// Delivers a bad delivery again, for when what made it bad has changed.
#[utoipa::path(post, path = "/v1/deliveries/{delivery}/replay", params(("delivery" = String, Path)),
    tag = "deliveries", responses((status = 202, body = TakenView), Problems))]
pub(crate) async fn replay(
    State(server): State<Server>,
    Tail(id): Tail,
    By(caller): By,
) -> Result<(StatusCode, Json<TakenView>), Problem> {
    let taken = server.deliveries().replay(&caller, server.intake(), &DeliveryId::new(id)).await?;
    Ok((StatusCode::ACCEPTED, Json(taken)))
}
