//! What callers may have done. Each operation checks who asks, finds what it is about, does it and answers with a view.

mod api;
mod commands;
mod erasure;
mod open;

pub use api::Operations;
pub use commands::{CommandRequest, Receipt};
pub use open::CaseRequest;
