//! The shipped files load; every mistake is found, with its place.
#![expect(clippy::unwrap_used, reason = "tests")]

mod digests;
mod folders;
mod mistakes;
mod shipped;
mod support;
mod together;
