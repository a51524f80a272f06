//! `/v1/packs`, `/v1/tools`: what this server can work with.

use axum::Json;
use axum::extract::State;

use crate::app::Server;
use crate::problem::Problems;
use crate::views::{PackView, Page, ToolView};

/// The loaded packs.
#[utoipa::path(get, path = "/v1/packs", tag = "packs",
    responses((status = 200, body = Page<PackView>), Problems))]
pub(crate) async fn packs(State(server): State<Server>) -> Json<Page<PackView>> {
    let items = server.engine().packs().into_values().map(PackView::from).collect();
    Json(Page { items, next_page_token: None })
}

/// The tools there are.
#[utoipa::path(get, path = "/v1/tools", tag = "packs",
    responses((status = 200, body = Page<ToolView>), Problems))]
pub(crate) async fn tools(State(server): State<Server>) -> Json<Page<ToolView>> {
    let items = server.engine().catalog().values().map(|spec| ToolView::from(&**spec)).collect();
    Json(Page { items, next_page_token: None })
}
