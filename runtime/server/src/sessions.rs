//! `/v1/sessions`: opening, looking, steering.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use provost_domain::command::{Ask, Command};
use provost_domain::decide;
use provost_domain::event::Settlement;
use provost_domain::ids::{CallId, CmdId, SessionId, ToolName};
use provost_domain::log::Tombstone;
use provost_domain::port::SessionFilter;
use provost_domain::session::Session;
use provost_engine::{Case, EngineError, LogReader, ReadError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{IntoParams, ToSchema};

use crate::app::Server;
use crate::codes::Code;
use crate::extract::{Asked, Body, Named, Search};
use crate::idempotency::Subject;
use crate::problem::{Problem, Problems};
use crate::views::{Page, SessionDetail, SessionView};

/// Rows of a page when the caller does not say.
const PAGE: u32 = 50;
/// Most rows of a page.
const PAGE_MAX: u32 = 500;
/// Longest title, in characters.
const TITLE_MAX: usize = 200;

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => error.into(),
            ReadError::Erased(ref tombstone) => {
                let Tombstone { erased, at } = &**tombstone;
                let problem = Self::new(Code::SessionErased, error.to_string());
                problem.with("by", erased.by.as_str()).with("at", at.to_string()).with("reason", erased.reason.as_str())
            }
            ReadError::Chain(_) | ReadError::Illegal(_) => Self::new(Code::StoreDamaged, error.to_string()),
        }
    }
}

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

/// How many rows a page has.
pub(crate) fn page_size(asked: Option<u32>) -> Result<u32, Problem> {
    match asked.unwrap_or(PAGE) {
        size @ 1..=PAGE_MAX => Ok(size),
        size => Err(Problem::new(Code::InvalidRequest, format!("page_size is 1 to {PAGE_MAX}, not {size}"))),
    }
}

/// Sessions, newest first.
#[utoipa::path(get, path = "/v1/sessions", params(ListQuery), tag = "sessions",
    responses((status = 200, body = Page<SessionView>), Problems))]
pub(crate) async fn list(
    State(server): State<Server>,
    Search(query): Search<ListQuery>,
) -> Result<Json<Page<SessionView>>, Problem> {
    let limit = page_size(query.page_size)?;
    let bad = |_| Problem::new(Code::InvalidRequest, "page_token is not one of ours; begin without one");
    let before = query.page_token.map(|token| token.parse::<SessionId>().map_err(bad)).transpose()?;
    let filter = SessionFilter { status: query.status, pack: query.pack, before, limit };
    let rows = server.engine().reads().sessions(&filter).await?;
    let full = u32::try_from(rows.len()).is_ok_and(|count| count == limit);
    let next_page_token = rows.last().filter(|_| full).map(|row| row.id.to_string());
    Ok(Json(Page { items: rows.iter().map(SessionView::from).collect(), next_page_token }))
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
    /// One line about it; the pack's name otherwise.
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
    let title = body.title.unwrap_or_else(|| body.pack.clone());
    let id = asked.subject.map_or_else(|| SessionId::new(uuid::Uuid::now_v7()), Subject::session);
    let case = Case {
        id,
        title: title.chars().take(TITLE_MAX).collect(),
        pack: body.pack,
        fields: body.fields,
        by: asked.caller.principal,
        parent: None,
        start: body.start,
    };
    // A request repeated after a crash finds the session its first try opened.
    let reads = server.engine().reads();
    let row = match reads.session(id).await {
        Ok(row) if asked.subject.is_some() => row,
        Ok(_) | Err(_) => {
            server.engine().open(case).await?;
            reads.session(id).await?
        }
    };
    let location = format!("/v1/sessions/{id}");
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(SessionView::from(&row))).into_response())
}

/// The folded session and its row.
pub(crate) async fn folded(server: &Server, id: SessionId) -> Result<(Session, SessionDetail), Problem> {
    let reads = server.engine().reads();
    let row = reads.session(id).await?;
    let mut log = LogReader::new(id);
    log.to_end(&**reads).await?;
    let session = log.session().ok_or_else(|| Problem::new(Code::NotFound, "the session has no events yet"))?;
    let detail = SessionDetail::new(&row, session);
    Ok((session.clone(), detail))
}

/// One session, by id or handle, as its log folds.
#[utoipa::path(get, path = "/v1/sessions/{session}", params(("session" = String, Path)), tag = "sessions",
    responses((status = 200, body = SessionDetail), Problems))]
pub(crate) async fn show(State(server): State<Server>, Named(id): Named) -> Result<Json<SessionDetail>, Problem> {
    Ok(Json(folded(&server, id).await?.1))
}

/// What the retry policy would answer.
#[utoipa::path(get, path = "/v1/sessions/{session}/retry", params(("session" = String, Path)), tag = "sessions",
    responses((status = 200, body = Object), Problems))]
pub(crate) async fn preview_retry(State(server): State<Server>, Named(id): Named) -> Result<Json<Value>, Problem> {
    let (session, _) = folded(&server, id).await?;
    let decision = decide::preview_retry(&session, server.engine().pack_of(&session).as_deref())?;
    Ok(Json(json!(decision)))
}

/// The session's report: what was found, done and decided.
#[utoipa::path(get, path = "/v1/sessions/{session}/report", params(("session" = String, Path)), tag = "sessions",
    responses((status = 200, body = Object), Problems))]
pub(crate) async fn report(State(server): State<Server>, Named(id): Named) -> Result<Json<Value>, Problem> {
    let (session, detail) = folded(&server, id).await?;
    Ok(Json(json!({"session": detail, "case": session.case()})))
}

/// What a command came to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AcceptedView {
    /// The session.
    session: String,
    /// The session's version after it.
    version: u64,
}

/// Sends a command and answers with what came of it: at once, or 202 when it is stored and not applied yet.
pub(crate) async fn send(server: &Server, asked: Asked, id: SessionId, ask: Ask) -> Result<Response, Problem> {
    let cmd_id = asked.subject.map_or_else(|| CmdId::new(uuid::Uuid::now_v7().to_string()), Subject::command);
    let command = Command { by: asked.caller.principal, if_version: asked.if_version, ask };
    match server.engine().command(id, &cmd_id, command).await {
        Ok(accepted) => Ok(Json(AcceptedView { session: id.to_string(), version: accepted.version.0 }).into_response()),
        Err(EngineError::Pending) => {
            let location = format!("/v1/sessions/{id}");
            let body = Json(json!({"pending": true}));
            Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], body).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// Why it is stopped.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StopBody {
    /// For the log and for people.
    reason: String,
}

/// Stops a session for good. Never busy.
#[utoipa::path(post, path = "/v1/sessions/{session}/stop", params(("session" = String, Path)), tag = "sessions",
    request_body = StopBody, responses((status = 200, body = AcceptedView), Problems))]
pub(crate) async fn stop(
    State(server): State<Server>,
    Named(id): Named,
    asked: Asked,
    Body(body): Body<StopBody>,
) -> Result<Response, Problem> {
    send(&server, asked, id, Ask::Stop { reason: body.reason }).await
}

/// How to retry.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryBody {
    /// Also where the policy says no.
    #[serde(default)]
    force: bool,
}

/// Tries again after an end that a person can leave.
#[utoipa::path(post, path = "/v1/sessions/{session}/retry", params(("session" = String, Path)), tag = "sessions",
    request_body = RetryBody, responses((status = 200, body = AcceptedView), Problems))]
pub(crate) async fn retry(
    State(server): State<Server>,
    Named(id): Named,
    asked: Asked,
    Body(body): Body<RetryBody>,
) -> Result<Response, Problem> {
    send(&server, asked, id, Ask::Retry { force: body.force }).await
}

/// Carries on what is owed; starts a session that was opened without starting.
#[utoipa::path(post, path = "/v1/sessions/{session}/continue", params(("session" = String, Path)), tag = "sessions",
    responses((status = 200, body = AcceptedView), Problems))]
pub(crate) async fn go_on(State(server): State<Server>, Named(id): Named, asked: Asked) -> Result<Response, Problem> {
    let ask = going_on(&server, id).await?;
    send(&server, asked, id, ask).await
}

/// What carrying a session on is: one that was only opened is started.
pub(crate) async fn going_on(server: &Server, id: SessionId) -> Result<Ask, Problem> {
    let row = server.engine().reads().session(id).await?;
    Ok(if row.status == "new" { Ask::Start } else { Ask::Continue })
}

/// An operator's words.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SayBody {
    /// The words.
    text: String,
}

/// Says what the operator was asked for.
#[utoipa::path(post, path = "/v1/sessions/{session}/say", params(("session" = String, Path)), tag = "sessions",
    request_body = SayBody, responses((status = 200, body = AcceptedView), Problems))]
pub(crate) async fn say(
    State(server): State<Server>,
    Named(id): Named,
    asked: Asked,
    Body(body): Body<SayBody>,
) -> Result<Response, Problem> {
    send(&server, asked, id, Ask::Speak { text: body.text }).await
}

/// What is true of a call whose outcome nobody knows.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Truth {
    /// It happened.
    Happened,
    /// It did not happen.
    DidNotHappen,
    /// Nobody will ever know.
    GiveUp,
}

impl Truth {
    /// With what was seen.
    pub(crate) fn settlement(self, note: String) -> Settlement {
        match self {
            Self::Happened => Settlement::Happened { note },
            Self::DidNotHappen => Settlement::DidNotHappen { note },
            Self::GiveUp => Settlement::GiveUp { note },
        }
    }
}

/// How a doubtful call is settled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettleBody {
    /// The call.
    call: String,
    /// What is true.
    what: Truth,
    /// What was seen.
    #[serde(default)]
    note: String,
}

/// Settles a call of which nobody knows whether it happened.
#[utoipa::path(post, path = "/v1/sessions/{session}/settle", params(("session" = String, Path)), tag = "sessions",
    request_body = SettleBody, responses((status = 200, body = AcceptedView), Problems))]
pub(crate) async fn settle(
    State(server): State<Server>,
    Named(id): Named,
    asked: Asked,
    Body(body): Body<SettleBody>,
) -> Result<Response, Problem> {
    let SettleBody { call, what, note } = body;
    let ask = Ask::Settle { call: CallId::new(call), settlement: what.settlement(note) };
    send(&server, asked, id, ask).await
}

/// A person's own terminal claim.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimBody {
    /// A terminal tool of the session's pack.
    tool: String,
    /// Its arguments.
    args: Map<String, Value>,
}

/// Closes a session by a terminal tool of its pack, under the caller's own name.
#[utoipa::path(post, path = "/v1/sessions/{session}/claim", params(("session" = String, Path)), tag = "sessions",
    request_body = ClaimBody, responses((status = 200, body = AcceptedView), Problems))]
pub(crate) async fn claim(
    State(server): State<Server>,
    Named(id): Named,
    asked: Asked,
    Body(ClaimBody { tool, args }): Body<ClaimBody>,
) -> Result<Response, Problem> {
    send(&server, asked, id, Ask::Claim { tool: ToolName::new(tool), args }).await
}
