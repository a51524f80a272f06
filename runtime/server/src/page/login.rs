//! Logging in with a token, and out.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::{Form, RequestExt as _};
use provost_domain::access::Permission;
use provost_domain::ids::TokenId;
use provost_face::Code;
use serde::Deserialize;
use tokio::time::Instant;

use super::assets::Paths;
use super::frame::rendered;
use super::guard::Viewer;
use crate::access::Admission;
use crate::attempts::asker;
use crate::bodies::BodyLimit;
use crate::connections::{Answering, Peer};
use crate::origin::{Origin, origin};
use crate::problem::Problem;
use crate::state::Server;

/// Where a login leads when nothing else was asked for.
const HOME: &str = "/sessions";
/// Largest login form, in bytes: a token, and where to go.
const FORM_MAX: usize = 8 * 1024;

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
pub(crate) async fn login(State(server): State<Server>, request: Request) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    if !is_own_origin(&headers) {
        return Err(Problem::new(Code::Forbidden, "log in on this server's own page"));
    }
    let peer = request.extensions().get::<Arc<Answering>>().map_or(Peer::Local, |answering| answering.peer());
    let Credentials { token, next } = credentials(&server, request).await?;
    let token = admit(&server, asker(peer, &headers), token.trim()).await;
    match token {
        Ok(token) => {
            let cookie = server.logins().begin(token, server.access().now(), &headers).await?;
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(local(&next))).into_response())
        }
        Err(problem) => {
            let next = local(&next).to_owned();
            let status = problem.status();
            let page = LoginPage { assets: Paths::new(), next, problem: Some(problem.detail().to_owned()) };
            let mut response = (status, rendered(&page)?).into_response();
            response.headers_mut().extend(problem.retry_after().map(|seconds| (header::RETRY_AFTER, seconds.into())));
            Ok(response)
        }
    }
}

/// The form, from somebody whom nobody knows yet.
async fn credentials(server: &Server, request: Request) -> Result<Credentials, Problem> {
    let (parts, body) = request.into_parts();
    let body = server.strangers().read(&parts.headers, body, BodyLimit::of(FORM_MAX)).await?;
    let form = Request::from_parts(parts, Body::from(body.bytes)).extract::<Form<Credentials>, _>().await;
    form.map(|Form(form)| form).map_err(|rejection| Problem::new(Code::InvalidRequest, rejection.body_text()))
}

/// The token of a login, unless its address has to wait.
async fn admit(server: &Server, peer: Peer, secret: &str) -> Result<TokenId, Problem> {
    let pause = server.wrong_logins().pause(peer, Instant::now());
    if !pause.is_zero() {
        let seconds = u32::try_from(pause.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        let detail = format!("too many wrong logins from your address; wait {seconds} seconds, then try again");
        return Err(Problem::new(Code::RateLimited, detail).after(seconds));
    }
    let admitted = server.access().by_secret(secret).await;
    let Admission { token, caller } = admitted.inspect_err(|problem| {
        if problem.status() == StatusCode::UNAUTHORIZED {
            let in_a_row = server.wrong_logins().wrong(peer, Instant::now());
            tracing::warn!(%peer, in_a_row, "a wrong login at the page");
        }
    })?;
    server.access().within_rate(&token)?;
    caller.require(Permission::Look)?;
    server.wrong_logins().right(peer);
    tracing::info!(%peer, by = %caller.principal, "a login at the page");
    Ok(token)
}

/// Ends a login.
pub(crate) async fn logout(
    State(server): State<Server>,
    viewer: Viewer,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let cookie = server.logins().end(&viewer.login, &headers).await?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/login")).into_response())
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
