//! Integration tests: the engine's handle, stub models, counted tools.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod ancestor;
mod approvals;
mod authority;
mod busy;
mod demo;
mod flow;
mod kills;
mod patient;
mod program;
mod recovery;
mod tidy;
