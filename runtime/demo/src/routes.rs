//! The shop's HTTP face.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Query, Request as HttpRequest, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use crate::metrics;
use crate::posts;
use crate::request::ShopAnswer;
use crate::service::ShopService;
use crate::shop::Shop;

/// Largest request body taken, in bytes: an on-call message is a few kilobytes, and the witness keeps some of them.
const BODY_MAX: usize = 16 * 1024;

type Shared = State<Arc<ShopService>>;

/// Everything the shop answers to.
pub(crate) fn router(service: Arc<ShopService>) -> Router {
    let recorded = Router::new()
        .route("/admin/releases", get(releases))
        .route("/admin/status", get(status))
        .route("/admin/requests", get(requests))
        .route("/admin/release", post(posts::release))
        .route("/admin/rollback", post(posts::rollback))
        .route("/admin/restart", post(posts::restart))
        .route("/oncall", post(posts::oncall))
        .layer(from_fn_with_state(Arc::clone(&service), record));
    Router::new()
        .merge(recorded)
        .route("/checkout", get(checkout))
        .route("/metrics", get(metrics_page))
        .route("/healthz", get(async || "ok\n"))
        .route("/admin/witness", get(witness))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(service)
}

/// Logs an admin or on-call request and brings the witness file up to date before the answer leaves: who has the
/// answer can rely on its being counted.
async fn record(State(service): Shared, request: HttpRequest, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    if method == Method::GET {
        service.with(Shop::count_admin_read);
    }
    let key = posts::key(request.headers()).ok().flatten().map(str::to_owned);
    let response = next.run(request).await;
    let fields = json!({
        "method": method.as_str(),
        "path": path,
        "status": response.status().as_u16(),
        "idempotency_key": key,
        "release": service.with(|shop| shop.releases().live().to_owned()),
    });
    let logged = service.log().info("admin request", fields).await;
    let recorded = match logged {
        Ok(()) => service.keep_witness().await,
        Err(error) => Err(anyhow::Error::new(error).context("failed to write the log")),
    };
    match recorded {
        Ok(()) => response,
        Err(error) => failed(&error),
    }
}

async fn checkout(State(service): Shared) -> Response {
    match service.check_out().await {
        Ok(checkout) if checkout.fails => {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            ShopAnswer::refusal(status, "the checkout failed: see the shop's log").into_response()
        }
        Ok(checkout) => Json(json!({"order": checkout.order})).into_response(),
        Err(error) => failed(&error),
    }
}

async fn metrics_page(State(service): Shared) -> impl IntoResponse {
    let (figures, succeeded, failed) = service.with(|shop| shop.figures(Instant::now()));
    let page = metrics::page(figures, succeeded, failed);
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], page)
}

async fn releases(State(service): Shared) -> impl IntoResponse {
    Json(json!({"releases": service.with(|shop| shop.releases().list())}))
}

/// The key of a request that may have arrived.
#[derive(Deserialize)]
struct Lookup {
    key: String,
}

async fn requests(State(service): Shared, Query(lookup): Query<Lookup>) -> impl IntoResponse {
    Json(service.with(|shop| shop.look_up(&lookup.key)))
}

async fn status(State(service): Shared) -> impl IntoResponse {
    Json(service.with(|shop| shop.health(Instant::now())))
}

async fn witness(State(service): Shared) -> impl IntoResponse {
    Json(service.with(|shop| shop.witness().clone()))
}

fn failed(error: &anyhow::Error) -> Response {
    ShopAnswer::refusal(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error:#}")).into_response()
}
