//! The live page: what the API serves to programs, rendered for people. It knows nothing the API does not, sends the same
//! commands, and works without its script; with it, the page follows the sessions as they go on.
//!
//! | file | what |
//! |---|---|
//! | `guard`, `login`, `cookie` | from a cookie to a caller; every form shows that it came from a page of its login |
//! | `frame`, `readable`, `assets` | what surrounds every page; problems as pages; style and script |
//! | `text`, `pieces`, `status` | untrusted text made visible, links to evidence, statuses in words |
//! | `list`, `session`, `approvals`, `tables` | the pages |
//! | `timeline`, `describe`, `facts`, `asks` | a session's parts: its events, what is known of it, what people must do |
//! | `actions` | the forms |

mod actions;
mod approvals;
mod asks;
mod assets;
mod cookie;
mod describe;
mod facts;
mod frame;
mod guard;
mod list;
mod login;
mod pieces;
mod readable;
mod session;
mod status;
mod tables;
pub(crate) mod text;
mod timeline;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::{get, post};
use provost_domain::access::Permission;

use crate::app::Server;

pub(crate) use assets::Paths;
pub(crate) use cookie::{Login, Logins};
pub(crate) use frame::rendered;
pub(crate) use readable::readable;

/// What a browser may load and do on our pages: our own files, nothing inline, no frame around them.
pub(crate) const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

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
    let operates = Router::new()
        .route("/sessions/{session}/stop", post(actions::stop))
        .route("/sessions/{session}/retry", post(actions::retry))
        .route("/sessions/{session}/continue", post(actions::go_on))
        .route("/sessions/{session}/say", post(actions::say))
        .route("/sessions/{session}/settle", post(actions::settle));
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
