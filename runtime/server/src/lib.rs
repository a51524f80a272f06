//! The HTTP face: turns requests into commands and events into answers. It decides nothing: who may do what stands in the
//! domain's table of permissions, what a session does in the engine.
//!
//! | file | what |
//! |---|---|
//! | `app` | the routes, grouped by the permission they need, and what every request passes |
//! | `access`, `origin` | from a token to a caller; no path but health and error codes answers without one |
//! | `idempotency` | the same request under the same key is done once |
//! | `problem`, `codes`, `errors`, `extract` | the one error form, its stable codes, a page for each, and rejections brought into it |
//! | `sessions`, `approvals`, `packs`, `tokens`, `health`, `metrics` | one group of paths each |
//! | `intake` | deliveries from outside become sessions, each case once |
//! | `hooks`, `deliveries` | where others deliver, and what came of it |
//! | `erasure` | what a session said, gone for good |
//! | `outgoing` | messages to the outside: stored, then sent until their targets took them |
//! | `outbox` | what is told outside and what came of it |
//! | `page` | the same for people: a page that follows the sessions as they go on |
//! | `feed`, `events`, `socket`, `records` | a session's log as a stream, without gaps and without waiting for slow readers; and as it is sealed |
#![expect(unused_qualifications, reason = "utoipa's macro writes them")]

mod access;
mod app;
mod approvals;
mod batch;
mod codes;
mod deliveries;
mod erasure;
mod errors;
mod events;
mod extract;
mod feed;
mod health;
mod hooks;
mod idempotency;
mod intake;
mod metrics;
mod origin;
mod outbox;
mod outgoing;
mod packs;
mod page;
mod problem;
mod records;
mod serve;
mod sessions;
mod socket;
mod tokens;
mod views;

pub use app::{Parts, Server};
pub use codes::Code;
pub use deliveries::dismissal;
pub use idempotency::REQUESTS_KEPT;
pub use intake::{
    BadDelivery, Intake, IntakeError, IntakeParts, IntakeSettings, Opening, Source, SourceSettings, first_case,
};
pub use outgoing::{Outgoing, OutgoingParts};
pub use problem::Problem;
pub use records::RecordView;
pub use tokens::random;
