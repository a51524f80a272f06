//! Deny by default for the page: a login in force with the right role, and for every form the login's own token.

use axum::RequestExt as _;
use axum::body::{Body, to_bytes};
use axum::extract::{Form, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use provost_domain::access::Permission;
use provost_face::{Caller, Code};
use serde::Deserialize;

use crate::access::Admission;
use crate::cookie::Login;
use crate::problem::Problem;
use crate::state::Server;

/// Largest form, in bytes: a call's arguments, edited, stay far below.
const FORM_MAX: usize = 256 * 1024;

/// Who looks at a page.
#[derive(Debug, Clone)]
pub(crate) struct Viewer {
    pub(crate) caller: Caller,
    pub(crate) login: Login,
    /// Goes into every form.
    pub(crate) csrf: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Viewer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let missing = || Problem::new(Code::Internal, "a page without a guard; report this as a bug");
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }
}

/// Lets a request on to its page.
pub(crate) async fn guard(
    State((server, permission)): State<(Server, Permission)>,
    request: Request,
    next: Next,
) -> Response {
    match admit(&server, permission, request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn admit(server: &Server, permission: Permission, request: Request) -> Result<Request, Problem> {
    let logged_out = || Problem::new(Code::Unauthenticated, "log in with a token");
    let login = server.logins().of(request.headers(), server.access().now()).await?.ok_or_else(logged_out)?;
    let Admission { token, caller } = server.access().logged_in(&login).await?;
    server.access().within_rate(&token)?;
    caller.require(permission)?;
    let mut request = if request.method().is_safe() { request } else { own_form(&login, request).await? };
    let csrf = login.csrf().to_owned();
    request.extensions_mut().insert(caller.clone());
    request.extensions_mut().insert(Viewer { caller, login, csrf });
    Ok(request)
}

#[derive(Deserialize)]
struct Own {
    #[serde(default)]
    csrf: String,
}

/// Lets a form through that came from a page of this login.
async fn own_form(login: &Login, request: Request) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    let too_large = |_| Problem::new(Code::BodyTooLarge, format!("a form is at most {FORM_MAX} bytes"));
    let bytes = to_bytes(body, FORM_MAX).await.map_err(too_large)?;
    let looked_at = Request::from_parts(parts.clone(), Body::from(bytes.clone()));
    let form = looked_at.extract::<Form<Own>, _>().await;
    if !form.is_ok_and(|Form(Own { csrf })| login.is_own(&csrf)) {
        return Err(Problem::new(Code::Forbidden, "this form is not from a page of your login; reload it, try again"));
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}
