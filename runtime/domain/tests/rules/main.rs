//! The rules, decided without a store or a clock: each test fails when its rule is deleted.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod approvals;
mod claiming;
mod effects;
mod evidence;
mod expressions;
mod flow;
mod measures;
mod nesting;
mod outages;
mod partial;
mod targets;
mod titles;
mod told;
mod world;
