//! The lock registry and the store in memory, compiled from their own sources with shuttle's locks in place of the
//! standard library's: a scheduler then decides at every lock who goes on, and a failing order can be replayed.
//!
//! They are included by path and not by a feature of their crates: features of one workspace add up, and shuttle's locks
//! work nowhere but inside its executions.

#[path = "../../../runtime/store/src/bounds.rs"]
mod bounds;
#[path = "../../../runtime/store/src/check.rs"]
mod check;
#[path = "../../../runtime/store/src/guards.rs"]
mod guards;
#[path = "../../../runtime/store/src/memory/mod.rs"]
pub mod memory;
#[path = "../../../runtime/store/src/mentions.rs"]
mod mentions;
#[path = "../../../runtime/store/src/numbers.rs"]
#[expect(dead_code, reason = "what only the store on disk needs")]
mod numbers;
#[path = "../../../runtime/engine/src/registry.rs"]
pub mod registry;
mod sync;

#[cfg(feature = "controls")]
pub use guards::Removed;
