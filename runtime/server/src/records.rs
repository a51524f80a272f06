//! A session's sealed log: what a caller needs to check the chain itself, and to fold events it can trust.

use provost_face::{Page, RecordView, page_size};

use axum::Json;
use axum::extract::State;
use provost_domain::ids::Seq;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::extract::{By, Named, Search};
use crate::problem::{Problem, Problems};
use crate::state::Server;

/// From where.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordsQuery {
    /// Only records that hold events after this one.
    after: Option<u64>,
    /// At most this many.
    #[param(minimum = 1, maximum = 500)]
    page_size: Option<u32>,
}

/// A session's log as it is sealed: the next page is after the last record's last event.
#[utoipa::path(get, path = "/v1/sessions/{session}/records", tag = "sessions",
    params(("session" = String, Path), RecordsQuery),
    responses((status = 200, body = Page<RecordView>), Problems))]
pub(crate) async fn records(
    State(server): State<Server>,
    Named(id): Named,
    By(caller): By,
    Search(query): Search<RecordsQuery>,
) -> Result<Json<Page<RecordView>>, Problem> {
    let (after, limit) = (Seq(query.after.unwrap_or(0)), page_size(query.page_size)?);
    Ok(Json(server.lookups().records(&caller, id, after, limit).await?))
}
