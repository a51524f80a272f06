//! Integration tests: the engine's handle, stub models, counted tools.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod approvals;
mod busy;
mod flow;
mod patient;
mod recovery;
mod tidy;
