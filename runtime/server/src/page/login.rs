//! Logging in with a token, and out.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use provost_domain::access::Permission;
use provost_face::Code;
use serde::Deserialize;

use super::assets::Paths;
use super::frame::rendered;
use super::guard::Viewer;
use crate::origin::{Origin, is_https, origin};
use crate::problem::Problem;
use crate::state::Server;

/// Where a login leads when nothing else was asked for.
const HOME: &str = "/sessions";

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    assets: Paths,
    next: String,
    problem: Option<String>,
}

/// Where to go afterwards.
#[derive(Debug, Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    next: String,
}

/// A path of our own, or home.
fn local(next: &str) -> &str {
    let own = next.starts_with('/') && !next.starts_with("//") && next.chars().all(|c| c.is_ascii_graphic());
    if own && !next.contains('\\') { next } else { HOME }
}

/// The login form.
pub(crate) async fn page(Query(Next { next }): Query<Next>) -> Result<Response, Problem> {
    rendered(&LoginPage { assets: Paths::new(), next: local(&next).to_owned(), problem: None })
}

#[derive(Deserialize)]
pub(crate) struct Credentials {
    token: String,
    #[serde(default)]
    next: String,
}

/// Begins a login.
pub(crate) async fn login(
    State(server): State<Server>,
    headers: HeaderMap,
    form: Result<Form<Credentials>, axum::extract::rejection::FormRejection>,
) -> Result<Response, Problem> {
    let Form(Credentials { token, next }) =
        form.map_err(|rejection| Problem::new(Code::InvalidRequest, rejection.body_text()))?;
    if !is_own_origin(&headers) {
        return Err(Problem::new(Code::Forbidden, "log in on this server's own page"));
    }
    let token = server.access().logging_in(token.trim()).await.and_then(|(token, caller)| {
        caller.require(Permission::Look)?;
        Ok(token)
    });
    match token {
        Ok(token) => {
            let cookie = server.logins().begin(&token, server.access().now(), is_https(&headers));
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(local(&next))).into_response())
        }
        Err(problem) => {
            let next = local(&next).to_owned();
            let status = problem.status();
            let page = LoginPage { assets: Paths::new(), next, problem: Some(problem.detail().to_owned()) };
            Ok((status, rendered(&page)?).into_response())
        }
    }
}

/// Ends a login.
pub(crate) async fn logout(State(server): State<Server>, viewer: Viewer) -> Response {
    let cookie = server.logins().end(&viewer.login, server.access().now());
    ([(header::SET_COOKIE, cookie)], Redirect::to("/login")).into_response()
}

/// Whether a form was sent by a page of this server, or by something that is no browser.
fn is_own_origin(headers: &HeaderMap) -> bool {
    origin(headers) != Origin::Foreign
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_our_own_pages_only() {
        assert_eq!(local("/sessions/INC-1"), "/sessions/INC-1");
        for elsewhere in ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb"] {
            assert_eq!(local(elsewhere), HOME, "{elsewhere:?}");
        }
    }
}
