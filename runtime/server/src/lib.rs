//! The HTTP face: turns requests into operations and their views into answers. It decides nothing: operations, views and
//! words are those of every face, what a session does stands in the engine.
//!
//! | file | what |
//! |---|---|
//! | `state` | what handlers need: the engine, who is let in, live events, mail, figures |
//! | `routes`, `serve` | the paths, grouped by the permission they need, and what every request passes; the socket |
//! | `connections`, `bodies` | which connections may stay; bodies that are read under a budget |
//! | `access`, `guard`, `cookie`, `attempts`, `origin` | from a token to a caller; no path but health and error codes answers without one |
//! | `idempotency`, `once` | the same request under the same key is done once |
//! | `problem`, `errors`, `extract` | the one error form, a page for each stable code, and rejections brought into it |
//! | `sessions`, `steering`, `approvals`, `packs`, `tokens`, `health`, `metrics`, `meters` | one group of paths each |
//! | `hooks`, `deliveries` | where others deliver, and what came of it |
//! | `erasure` | what a session said, gone for good |
//! | `outbox` | what is told outside and what came of it |
//! | `page` | the same for people: a page that follows the sessions as they go on |
//! | `feed`, `events`, `socket`, `standing`, `records` | a session's log as a stream, without gaps and without waiting for slow readers; and as it is sealed |
#![expect(unused_qualifications, reason = "utoipa's macro writes them")]

mod access;
mod approvals;
mod attempts;
mod batch;
mod bodies;
mod connections;
mod cookie;
mod deliveries;
mod erasure;
mod errors;
mod events;
mod extract;
mod feed;
mod guard;
mod health;
mod hooks;
mod idempotency;
mod meters;
mod metrics;
mod once;
mod origin;
mod outbox;
mod packs;
mod page;
mod problem;
mod records;
mod routes;
mod serve;
mod sessions;
mod signed;
mod socket;
mod standing;
mod state;
mod steering;
mod tokens;

pub use access::RequestRate;
pub use idempotency::REQUESTS_KEPT;
pub use problem::Problem;
pub use serve::ServerSocket;
pub use state::{Parts, Server};
