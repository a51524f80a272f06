//! Integration tests: the engine's handle, stub models, counted tools.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod accounts;
mod ancestor;
mod approvals;
mod arrivals;
mod authority;
mod bad_input;
mod beats;
mod busy;
mod claims;
mod crash_points;
mod demo;
mod docs;
mod drain;
mod flow;
mod hostile;
mod http;
mod intake;
mod kills;
mod limits;
mod model_failures;
mod monitoring;
mod outbox;
mod page;
mod page_actions;
mod page_browser;
mod patient;
mod program;
mod provider;
mod recovery;
mod remote;
mod socket;
mod systemd;
mod tidy;
mod tls;
mod unserved;
