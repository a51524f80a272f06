//! Durable storage behind the domain's ports: SQLite by default, and an in-memory store for tests and simulation. Both
//! pass the same conformance suite (`tests/conformance.rs`).

mod memory;
mod sqlite;

pub use memory::MemoryStore;
pub use sqlite::{Durability, SqliteReads, SqliteStore};
