//! The HTTP face: turns requests into commands and events into answers. It decides nothing: who may do what stands in the
//! domain's table of permissions, what a session does in the engine.
//!
//! | file | what |
//! |---|---|
//! | `app` | the routes, grouped by the permission they need, and what every request passes |
//! | `access` | from a token to a caller; no path but health answers without one |
//! | `idempotency` | the same request under the same key is done once |
//! | `problem`, `codes`, `extract` | the one error form, its stable codes, and rejections brought into it |
//! | `sessions`, `approvals`, `packs`, `tokens`, `health` | one group of paths each |
//! | `page` | the same for people: a page that follows the sessions as they go on |
//! | `feed`, `events` | a session's log as a stream, without gaps and without waiting for slow readers |
#![expect(unused_qualifications, reason = "utoipa's macro writes them")]

mod access;
mod app;
mod approvals;
mod codes;
mod events;
mod extract;
mod feed;
mod health;
mod idempotency;
mod packs;
mod page;
mod problem;
mod serve;
mod sessions;
mod tokens;
mod views;

pub use app::{Parts, Server};
pub use codes::Code;
pub use problem::Problem;
pub use tokens::random;
