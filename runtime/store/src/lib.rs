//! Durable storage behind the domain's ports: SQLite by default, and an in-memory store for tests and simulation. Both
//! pass the same conformance suite (`tests/it`).

mod check;
mod guards;
mod memory;
mod numbers;
mod sqlite;
mod sync;

#[cfg(feature = "controls")]
pub use guards::Removed;
pub use memory::MemoryStore;
pub use sqlite::{
    Durability, Examination, Examined, Heads, Imported, Importer, Limits, SqliteReads, SqliteStore, TransferError,
};

/// Longest list one call returns.
const LIST_MAX: u32 = 500;
