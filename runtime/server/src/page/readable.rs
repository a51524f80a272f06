//! Problems as pages, for those who asked for a page.

use askama::Template;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::assets::Paths;
use super::frame::rendered;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    assets: Paths,
    problem: &'a Problem,
}

#[derive(Template)]
#[template(path = "problem_fragment.html")]
struct Fragment<'a> {
    problem: &'a Problem,
}

/// What asks, by its headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asker {
    /// A program: gets problems as they are.
    Program,
    /// A form sent by the page's script: gets a part of a page.
    Script,
    /// A browser: gets a page.
    Browser,
}

fn asker(headers: &HeaderMap) -> Asker {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if headers.contains_key("hx-request") {
        Asker::Script
    } else if accepts.contains("text/html") {
        Asker::Browser
    } else {
        Asker::Program
    }
}

/// Turns a problem into what the asker can read; who is not logged in is led to the login.
pub(crate) async fn readable(request: Request, next: Next) -> Response {
    let asker = asker(request.headers());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    let problem = response.extensions().get::<Problem>().cloned();
    match (asker, problem) {
        (Asker::Program, _) | (_, None) => response,
        (asker, Some(problem)) => shown(asker, &problem, &method, &path).unwrap_or(response),
    }
}

fn shown(asker: Asker, problem: &Problem, method: &Method, path: &str) -> Option<Response> {
    let status = problem.status();
    let logged_out = status == axum::http::StatusCode::UNAUTHORIZED;
    if asker == Asker::Script {
        let mut response = (status, rendered(&Fragment { problem }).ok()?).into_response();
        if logged_out {
            response.headers_mut().insert("hx-redirect", HeaderValue::from_static("/login"));
        }
        return Some(response);
    }
    if logged_out && method == Method::GET {
        let fits = !path.contains(['&', '+', '%', '#']);
        let to = if fits { format!("/login?next={path}") } else { "/login".to_owned() };
        return Some(Redirect::to(&to).into_response());
    }
    let page = rendered(&ProblemPage { assets: Paths::new(), problem }).ok()?;
    Some((status, page).into_response())
}
