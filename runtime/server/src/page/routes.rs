//! The page's routes, grouped by the permission they need.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::{get, post};
use provost_domain::access::Permission;
use provost_face::{Steer, SteerVisitor, steers};

use super::{actions, approvals, assets, guard, list, login, session, tables};
use crate::state::Server;

/// The page's routes, grouped by the permission they need.
pub(crate) fn routes(server: &Server) -> Router<Server> {
    let guarded = |permission, routes: Router<Server>| {
        routes.route_layer(from_fn_with_state((server.clone(), permission), guard::guard))
    };
    let looks = Router::new()
        .route("/sessions", get(list::sessions))
        .route("/sessions/{session}", get(session::session))
        .route("/sessions/{session}/events/{seq}", get(session::event))
        .route("/approvals", get(approvals::approvals))
        .route("/packs", get(tables::packs))
        .route("/tools", get(tables::tools))
        .route("/logout", post(login::logout));
    let operates = steering().route("/sessions/{session}/continue", post(actions::go_on));
    let approves = Router::new().route("/approvals/{approval}/decide", post(actions::decide));
    let administers =
        Router::new().route("/tokens", get(tables::tokens)).route("/sessions/{session}/erase", post(actions::erase));
    Router::new()
        .route("/", get(|| async { Redirect::to("/sessions") }))
        .route("/login", get(login::page).post(login::login))
        .route("/assets/{name}", get(assets::asset))
        .merge(guarded(Permission::Look, looks))
        .merge(guarded(Permission::Operate, operates))
        .merge(guarded(Permission::Approve, approves))
        .merge(guarded(Permission::Administer, administers))
}

/// A route for every body that steers a session.
fn steering() -> Router<Server> {
    let mut all = SteerForms(Router::new());
    steers(&mut all);
    all.0
}

struct SteerForms(Router<Server>);

impl SteerVisitor for SteerForms {
    fn visit<S: Steer>(&mut self) {
        let path = format!("/sessions/{{session}}/{}", S::VERB);
        self.0 = std::mem::take(&mut self.0).route(&path, post(actions::steer::<S>));
    }
}
