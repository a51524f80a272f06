//! The routes, grouped by the permission they need, and what every request passes on its way.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Response, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse as _;
use axum::routing::get;
use axum::{Json, Router, body::Body};
use provost_domain::access::Permission;
use provost_face::Code;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::extract::BODY_MAX;
use crate::guard::guard;
use crate::once::once;
use crate::page;
use crate::problem::Problem;
use crate::state::Server;
use crate::{
    approvals, deliveries, erasure, errors, events, health, hooks, metrics, outbox, packs, records, sessions, signed,
    socket, steering, tokens,
};

/// How long a request may take; streams are not bound by it once they began.
const REQUEST_MAX: Duration = Duration::from_secs(30);

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Provost", description = "A runtime for teams of AI agents that do operational work."),
    modifiers(&Bearer),
    security(("token" = []))
)]
struct Documented;

/// The one way in: a bearer token.
struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("pvt_…").build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// The routes of a server.
pub(crate) fn router(server: &Server) -> Router {
    let (router, openapi) = documented(server);
    let openapi = Arc::new(openapi);
    let document = Router::new()
        .route("/openapi.json", get(move || async move { Json(openapi) }))
        .route_layer(from_fn_with_state((server.clone(), Permission::Look), guard));
    router
        .merge(document)
        .merge(page::routes(server))
        .fallback(|| async { Problem::new(Code::NoRoute, "see /openapi.json for the paths there are") })
        .method_not_allowed_fallback(|| async {
            Problem::new(Code::MethodNotAllowed, "see /openapi.json for the methods of this path")
        })
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn(time_limit))
        .layer(from_fn_with_state(server.clone(), log))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(page::readable))
        .layer(fixed(header::CONTENT_SECURITY_POLICY, page::CSP))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "same-origin"))
        .layer(fixed(header::X_FRAME_OPTIONS, "DENY"))
        .layer(fixed(header::CACHE_CONTROL, "no-store"))
        .with_state(server.clone())
}

fn documented(server: &Server) -> (Router<Server>, utoipa::openapi::OpenApi) {
    let looks = OpenApiRouter::new()
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::show))
        .routes(routes!(sessions::preview_retry))
        .routes(routes!(sessions::report))
        .routes(routes!(events::events))
        .routes(routes!(events::stream))
        .routes(routes!(socket::socket))
        .routes(routes!(records::records))
        .routes(routes!(approvals::list))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::show))
        .routes(routes!(outbox::list))
        .routes(routes!(packs::packs))
        .routes(routes!(packs::tools))
        .routes(routes!(metrics::metrics));
    let operates = OpenApiRouter::new()
        .routes(routes!(sessions::open))
        .routes(routes!(sessions::go_on))
        .merge(steering::routes())
        .routes(routes!(deliveries::replay))
        .routes(routes!(deliveries::dismiss))
        .routes(routes!(outbox::retry));
    let delivers = OpenApiRouter::new().routes(routes!(hooks::alertmanager)).routes(routes!(hooks::cloudevents));
    let approves = OpenApiRouter::new().routes(routes!(approvals::decide));
    let administers = OpenApiRouter::new()
        .routes(routes!(tokens::list, tokens::mint))
        .routes(routes!(tokens::revoke))
        .routes(routes!(erasure::erase));
    let open = OpenApiRouter::new()
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(errors::error))
        // These know their callers by a key or a signature.
        .routes(routes!(hooks::enqueue))
        .routes(routes!(signed::github))
        .routes(routes!(signed::pagerduty))
        .routes(routes!(signed::webhook));
    OpenApiRouter::with_openapi(Documented::openapi())
        .merge(guarded(server, Permission::Look, looks))
        .merge(guarded(server, Permission::Operate, repeatable(server, operates)))
        .merge(guarded(server, Permission::Deliver, repeatable(server, delivers)))
        .merge(guarded(server, Permission::Approve, repeatable(server, approves)))
        .merge(guarded(server, Permission::Administer, repeatable(server, administers)))
        .merge(open)
        .split_for_parts()
}

fn repeatable(server: &Server, routes: OpenApiRouter<Server>) -> OpenApiRouter<Server> {
    routes.route_layer(from_fn_with_state(server.clone(), once))
}

fn guarded(server: &Server, permission: Permission, routes: OpenApiRouter<Server>) -> OpenApiRouter<Server> {
    routes.route_layer(from_fn_with_state((server.clone(), permission), guard))
}

fn fixed(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// Ends a request that takes too long. What it started goes on: the log has it.
async fn time_limit(request: Request, next: axum::middleware::Next) -> axum::response::Response {
    tokio::time::timeout(REQUEST_MAX, next.run(request)).await.unwrap_or_else(|_elapsed| {
        Problem::new(Code::Timeout, "what was asked may still happen: look before asking again").into_response()
    })
}

/// One line per request, without query, headers or body: none of them can leak a secret. And its place in the figures.
async fn log(State(server): State<Server>, request: Request, next: axum::middleware::Next) -> axum::response::Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let template = request.extensions().get::<MatchedPath>().cloned();
    let began = tokio::time::Instant::now();
    let response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), began.elapsed());
    server.meters().answered(&method, template.as_ref().map(MatchedPath::as_str), status, took);
    tracing::debug!(%method, path, status, duration_ms = took.as_secs_f64() * 1000.0, "request");
    response
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> Response<Body> {
    Problem::new(Code::Internal, "the request failed by a fault of ours; the log of the process has more")
        .into_response()
}
