//! Integration tests: the engine's handle, stub models, counted tools.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod ancestor;
mod approvals;
mod authority;
mod busy;
mod demo;
mod docs;
mod flow;
mod http;
mod kills;
mod model_failures;
mod page;
mod page_actions;
mod page_browser;
mod patient;
mod program;
mod provider;
mod recovery;
mod tidy;
