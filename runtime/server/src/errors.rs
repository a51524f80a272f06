//! A page for each stable code: what a problem's `type` leads to. Open to everyone, as it says nothing of this server.

use askama::Template;
use axum::Json;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use provost_face::Code;
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::Tail;
use crate::page::{Paths, rendered};
use crate::problem::{Problem, Problems};

/// A stable code of problems.
#[derive(Debug, Template, Serialize, ToSchema)]
#[template(path = "error_code.html")]
pub(crate) struct CodeView {
    /// The stable word to key on.
    #[schema(example = "session_busy")]
    code: &'static str,
    /// The HTTP status it comes with.
    status: u16,
    /// The code in words.
    title: &'static str,
    /// When it comes.
    meaning: &'static str,
    /// What to do next.
    advice: &'static str,
    /// After how many seconds the same request may work; absent when waiting alone does not help.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    #[serde(skip)]
    assets: Paths,
}

impl From<Code> for CodeView {
    fn from(code: Code) -> Self {
        Self {
            code: code.as_str(),
            status: code.http_status(),
            title: code.title(),
            meaning: code.meaning(),
            advice: code.advice(),
            retry_after: code.retry_after(),
            assets: Paths::new(),
        }
    }
}

/// What a code means and what to do: a page for people, or JSON with `Accept: application/json`.
#[utoipa::path(get, path = "/errors/{code}", tag = "errors", security(()),
    params(("code" = String, Path)),
    responses((status = 200, content((String = "text/html"), (CodeView = "application/json"))), Problems))]
pub(crate) async fn error(Tail(word): Tail, headers: HeaderMap) -> Result<Response, Problem> {
    let unknown = || Problem::new(Code::NotFound, "this version has no such code; see the book's list of error codes");
    let view = CodeView::from(Code::named(&word).ok_or_else(unknown)?);
    let response = if wants_json(&headers) { Json(view).into_response() } else { rendered(&view)? };
    Ok(([(header::VARY, "accept")], response).into_response())
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("application/json") && !accept.contains("text/html")
}
