//! From a request to a caller. Deny by default: a route is reached only through [`guard`]. Operations check access; it is
//! asked here once more, before a body is read or a key is taken.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use provost_domain::access::Permission;
use provost_face::Code;

use crate::access::Admission;
use crate::problem::Problem;
use crate::state::Server;

/// Lets a request on to its route when its token may do what the route needs.
pub(crate) async fn guard(
    State((server, permission)): State<(Server, Permission)>,
    mut request: Request,
    next: Next,
) -> Response {
    match admit(&server, permission, request.method(), request.headers()).await {
        Ok(Admission { token, caller }) => {
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(token);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// The caller, if it may.
pub(crate) async fn admit(
    server: &Server,
    permission: Permission,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Admission, Problem> {
    let admitted = still_admitted(server, permission, method, headers).await?;
    // Deliveries have a bound of their own, which is answered so that senders try again.
    if permission != Permission::Deliver {
        server.access().within_rate(&admitted.token)?;
    }
    Ok(admitted)
}

/// The caller, if it may; not counted as a request.
pub(crate) async fn still_admitted(
    server: &Server,
    permission: Permission,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Admission, Problem> {
    let admitted = match headers.get(header::AUTHORIZATION) {
        Some(value) => server.access().by_secret(bearer(value).ok_or_else(missing)?).await?,
        None => by_login(server, method, headers).await?,
    };
    admitted.caller.require(permission)?;
    Ok(admitted)
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, secret) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// A page's script uses the API by its login; what changes something must show that it comes from such a page.
async fn by_login(server: &Server, method: &Method, headers: &HeaderMap) -> Result<Admission, Problem> {
    let login = server.logins().of(headers, server.access().now()).await?.ok_or_else(missing)?;
    let csrf = headers.get("x-csrf-token").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !method.is_safe() && !login.is_own(csrf) {
        return Err(Problem::new(Code::Forbidden, "send a bearer token, or the page's own `X-CSRF-Token`"));
    }
    server.access().logged_in(&login).await
}

fn missing() -> Problem {
    let detail = "send `Authorization: Bearer TOKEN`; `provost tokens create NAME --role ROLE` mints one";
    Problem::new(Code::Unauthenticated, detail)
}
