//! `/v1/packs`, `/v1/tools`: what this server can work with.

use provost_face::{PackView, Page, ToolView};

use axum::Json;
use axum::extract::State;

use crate::extract::By;
use crate::problem::{Problem, Problems};
use crate::state::Server;

/// The loaded packs.
#[utoipa::path(get, path = "/v1/packs", tag = "packs",
    responses((status = 200, body = Page<PackView>), Problems))]
pub(crate) async fn packs(State(server): State<Server>, By(caller): By) -> Result<Json<Page<PackView>>, Problem> {
    Ok(Json(server.operations().packs(&caller)?))
}

/// The tools there are.
#[utoipa::path(get, path = "/v1/tools", tag = "packs",
    responses((status = 200, body = Page<ToolView>), Problems))]
pub(crate) async fn tools(State(server): State<Server>, By(caller): By) -> Result<Json<Page<ToolView>>, Problem> {
    Ok(Json(server.operations().tools(&caller)?))
}
