//! What callers look up. Made of rows and snapshots: no answer folds a log from its first event, unless the session has no
//! snapshot of this version yet.
//!
//! It needs only the read side of a store, so that it also works beside the process that holds it.

mod api;
mod approvals;
mod log;
mod sessions;

pub use api::{Lookups, page_size};
pub use approvals::ApprovalQueue;
pub use log::{NarratedEvent, StoredEvent, Timeline};
pub use sessions::SessionState;
