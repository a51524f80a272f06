//! The page's forms: the same commands as the API's, under the looker's own name.

use askama::Template;
use axum::extract::{Form, FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Redirect, Response};
use provost_domain::command::{Answer, Ask};
use provost_domain::ids::{ApprovalId, SessionId};
use provost_face::{Code, Receipt, Steer};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::frame::rendered;
use crate::extract::{Asked, Named, Tail};
use crate::problem::Problem;
use crate::state::Server;

/// A form's fields. That it is one of our own, the guard has seen.
#[derive(Debug)]
pub(crate) struct Fields<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Fields<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let form = Form::<Vec<(String, String)>>::from_request(request, state).await;
        let Form(mut fields) = form.map_err(|error| Problem::new(Code::InvalidBody, error.body_text()))?;
        // The guard's own, seen by it.
        fields.retain(|(name, _)| name != "csrf");
        let bad = |error: &dyn std::fmt::Display| Problem::new(Code::InvalidBody, format!("the form: {error}"));
        let form = serde_urlencoded::to_string(&fields).map_err(|error| bad(&error))?;
        serde_urlencoded::from_str(&form).map(Self).map_err(|error| bad(&error))
    }
}

#[derive(Template)]
#[template(path = "said.html")]
struct Said<'s> {
    text: &'s str,
}

/// What is asked of which session, and what to say when it is done.
struct Wish {
    session: SessionId,
    ask: Ask,
    said: &'static str,
}

/// Sends a command; a browser goes back to the session, the page's script gets a line to show.
async fn perform(server: &Server, headers: &HeaderMap, asked: Asked, wish: Wish) -> Result<Response, Problem> {
    let Wish { session, ask, said } = wish;
    let (caller, request) = asked.request(ask);
    let text = match server.operations().ask(&caller, session, request).await? {
        Receipt::Applied(_) => said,
        Receipt::Stored => "Stored. It takes effect as soon as the session is carried on.",
    };
    if !headers.contains_key("hx-request") {
        return Ok(Redirect::to(&format!("/sessions/{session}")).into_response());
    }
    let mut response = rendered(&Said { text })?;
    response.headers_mut().insert("hx-trigger", HeaderValue::from_static("news"));
    Ok(response)
}

/// An answer's kind and what belongs to it.
#[derive(Debug, Deserialize)]
pub(crate) struct DecideForm {
    answer: String,
    #[serde(default)]
    args: String,
    #[serde(default)]
    text: String,
    /// Why, beside an answer that needs no words.
    #[serde(default)]
    reason: String,
}

impl DecideForm {
    fn answer(self) -> Result<(Answer, &'static str), Problem> {
        match self.answer.as_str() {
            "approve" => Ok((Answer::Approve, "Approved.")),
            "edit" => Ok((Answer::Edit { args: arguments(&self.args)? }, "Approved with your arguments.")),
            "reject" => Ok((Answer::Reject { reason: said(self.text, "a reason")? }, "Rejected.")),
            "respond" => Ok((Answer::Respond { text: said(self.text, "an answer")? }, "Answered; it does not run.")),
            other => Err(Problem::new(Code::InvalidBody, format!("no answer `{other}`; reload the page"))),
        }
    }
}

fn arguments(text: &str) -> Result<Map<String, Value>, Problem> {
    serde_json::from_str(text).map_err(|error| {
        Problem::new(Code::InvalidBody, format!("the arguments are no JSON object: {error}; correct them"))
    })
}

fn said(text: String, what: &str) -> Result<String, Problem> {
    let missing = || Problem::new(Code::InvalidBody, format!("{what} is needed; write one"));
    if text.trim().is_empty() { Err(missing()) } else { Ok(text) }
}

/// Answers an approval.
pub(crate) async fn decide(
    State(server): State<Server>,
    Tail(approval): Tail,
    asked: Asked,
    headers: HeaderMap,
    Fields(form): Fields<DecideForm>,
) -> Result<Response, Problem> {
    let reason = Some(form.reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    let (answer, said) = form.answer()?;
    let (session, ask) =
        server.operations().answering(&asked.caller, ApprovalId::new(approval), (answer, reason)).await?;
    perform(&server, &headers, asked, Wish { session, ask, said }).await
}

/// Steers a session.
pub(crate) async fn steer<S: Steer>(
    State(server): State<Server>,
    Named(session): Named,
    asked: Asked,
    headers: HeaderMap,
    Fields(body): Fields<S>,
) -> Result<Response, Problem> {
    if body.words().is_some_and(|words| words.trim().is_empty()) {
        return Err(Problem::new(Code::InvalidBody, "words are missing; write some"));
    }
    perform(&server, &headers, asked, Wish { session, ask: body.ask(), said: S::SAID }).await
}

/// Why it is erased, and that it is meant.
#[derive(Debug, Deserialize)]
pub(crate) struct EraseForm {
    #[serde(default)]
    text: String,
    /// The session's handle, typed by hand.
    #[serde(default)]
    handle: String,
}

/// Erases what a session said, for good.
pub(crate) async fn erase(
    State(server): State<Server>,
    Named(session): Named,
    asked: Asked,
    headers: HeaderMap,
    Fields(EraseForm { text, handle }): Fields<EraseForm>,
) -> Result<Response, Problem> {
    let own = server.lookups().row(&asked.caller, session).await?.handle;
    if handle.trim() != own.as_str() {
        let detail = format!("type the session's handle, {own}, to show that you mean it; nothing was erased");
        return Err(Problem::new(Code::InvalidBody, detail));
    }
    let gone = server.operations().erase(&asked.caller, session, said(text, "a reason")?).await?;
    if let Some(left) = gone.left {
        let text =
            format!("Erased, but files of the store may still hold bytes of it, which are removed later: {left}");
        return rendered(&Said { text: &text });
    }
    // The session's own page is gone, too.
    if !headers.contains_key("hx-request") {
        return Ok(Redirect::to("/sessions").into_response());
    }
    let mut response = rendered(&Said { text: "Erased." })?;
    response.headers_mut().insert("hx-redirect", HeaderValue::from_static("/sessions"));
    Ok(response)
}

/// Carries on, or starts what was only opened.
pub(crate) async fn go_on(
    State(server): State<Server>,
    Named(session): Named,
    asked: Asked,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ask = server.operations().carrying_on(&asked.caller, session).await?;
    perform(&server, &headers, asked, Wish { session, ask, said: "It goes on." }).await
}
