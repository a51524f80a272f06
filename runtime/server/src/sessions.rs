//! `/v1/sessions`: opening, looking, carrying on.

use provost_face::{AcceptedView, CaseRequest, Code, Page, Receipt, ReportView, SessionDetail, SessionView, page_size};

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use provost_domain::command::Ask;
use provost_domain::ids::{PackName, SessionId};
use provost_domain::origin::CaseOrigin;
use provost_domain::port::SessionFilter;
use provost_domain::status::Status;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use crate::extract::{Asked, Body, By, Named, Search};
use crate::idempotency::Subject;
use crate::problem::{Problem, Problems};
use crate::state::Server;

/// Which sessions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// Only this status.
    status: Option<String>,
    /// Only this pack.
    pack: Option<String>,
    /// At most this many.
    #[param(minimum = 1, maximum = 500)]
    page_size: Option<u32>,
    /// From a page before this one.
    page_token: Option<String>,
}

/// Sessions, newest first.
#[utoipa::path(get, path = "/v1/sessions", params(ListQuery), tag = "sessions",
    responses((status = 200, body = Page<SessionView>), Problems))]
pub(crate) async fn list(
    State(server): State<Server>,
    By(caller): By,
    Search(query): Search<ListQuery>,
) -> Result<Json<Page<SessionView>>, Problem> {
    let bad = |_| Problem::new(Code::InvalidRequest, "page_token is not one of ours; begin without one");
    let before = query.page_token.map(|token| token.parse::<SessionId>().map_err(bad)).transpose()?;
    let limit = page_size(query.page_size)?;
    let filter = SessionFilter {
        status: query.status.as_deref().map(Status::of_word),
        pack: query.pack.map(PackName::new),
        before,
        limit,
    };
    Ok(Json(server.lookups().sessions(&caller, &filter).await?))
}

/// A case to open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenBody {
    /// The pack.
    pack: String,
    /// The session's fields, as the pack's schema says.
    #[schema(value_type = Object)]
    fields: Value,
    /// One line about it; otherwise what the pack says, or the pack's name.
    title: Option<String>,
    /// Whether it begins at once.
    #[serde(default = "yes")]
    start: bool,
}

fn yes() -> bool {
    true
}

/// Opens a session.
#[utoipa::path(post, path = "/v1/sessions", request_body = OpenBody, tag = "sessions",
    responses((status = 201, body = SessionView, headers(("location" = String))), Problems))]
pub(crate) async fn open(
    State(server): State<Server>,
    asked: Asked,
    Body(body): Body<OpenBody>,
) -> Result<Response, Problem> {
    let case = CaseRequest {
        id: asked.subject.map_or_else(CaseRequest::fresh_id, Subject::session),
        repeatable: asked.subject.is_some(),
        pack: PackName::new(body.pack),
        fields: body.fields,
        title: body.title,
        origin: CaseOrigin::default(),
        start: body.start,
    };
    let view = server.operations().open(&asked.caller, case).await?;
    let location = format!("/v1/sessions/{}", view.session);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(view)).into_response())
}

/// One session, by id or handle, as its log folds.
#[utoipa::path(get, path = "/v1/sessions/{session}", params(("session" = String, Path)), tag = "sessions",
    responses((status = 200, body = SessionDetail), Problems))]
pub(crate) async fn show(
    State(server): State<Server>,
    Named(id): Named,
    By(caller): By,
) -> Result<Json<SessionDetail>, Problem> {
    Ok(Json(server.lookups().session(&caller, id).await?.detail()))
}

/// What the retry policy would answer.
#[utoipa::path(get, path = "/v1/sessions/{session}/retry", params(("session" = String, Path)), tag = "sessions",
    responses((status = 200, body = Object), Problems))]
pub(crate) async fn preview_retry(
    State(server): State<Server>,
    Named(id): Named,
    By(caller): By,
) -> Result<Json<Value>, Problem> {
    let state = server.lookups().session(&caller, id).await?;
    Ok(Json(json!(server.operations().preview_retry(&caller, &state)?)))
}

/// The session's report: what was found, done and decided.
#[utoipa::path(get, path = "/v1/sessions/{session}/report", params(("session" = String, Path)), tag = "sessions",
    responses((status = 200, body = Object), Problems))]
pub(crate) async fn report(
    State(server): State<Server>,
    Named(id): Named,
    By(caller): By,
) -> Result<Json<ReportView>, Problem> {
    Ok(Json(server.lookups().session(&caller, id).await?.report()))
}

/// Sends a command and answers with what came of it: at once, or 202 when it is stored and not applied yet.
pub(crate) async fn send(server: &Server, asked: Asked, id: SessionId, ask: Ask) -> Result<Response, Problem> {
    let (caller, request) = asked.request(ask);
    match server.operations().ask(&caller, id, request).await? {
        Receipt::Applied(view) => Ok(Json(view).into_response()),
        Receipt::Stored => {
            let location = format!("/v1/sessions/{id}");
            let body = Json(json!({"pending": true}));
            Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], body).into_response())
        }
    }
}

/// Carries on what is owed; starts a session that was opened without starting.
#[utoipa::path(post, path = "/v1/sessions/{session}/continue", params(("session" = String, Path)), tag = "sessions",
    responses((status = 200, body = AcceptedView), Problems))]
pub(crate) async fn go_on(State(server): State<Server>, Named(id): Named, asked: Asked) -> Result<Response, Problem> {
    let ask = server.operations().carrying_on(&asked.caller, id).await?;
    send(&server, asked, id, ask).await
}
