//! Integration tests.
#![expect(clippy::unwrap_used, reason = "tests")]

mod patient;
