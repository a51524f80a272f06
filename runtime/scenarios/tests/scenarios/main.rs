//! Whole scenarios, played as `provost packs test` plays them.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails where it is wrong")]

mod differences;
mod mistakes;
mod schemas;
mod shipped;
mod support;
mod tutorial;
