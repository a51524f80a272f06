//! The shipped files load; every mistake is found, with its place.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod digests;
mod expressions;
mod folders;
mod gated;
mod intake;
mod mistakes;
mod own_tools;
mod reports;
mod rosters;
mod senders;
mod shipped;
mod support;
mod together;
mod watches;
