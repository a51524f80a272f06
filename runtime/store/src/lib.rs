//! Durable storage behind the domain's ports. [`open`] gives a store as its ports: SQLite by default, or the memory of this
//! process for tests and simulation. Both pass the same conformance suite (`tests/it`).
//!
//! | file | what |
//! |---|---|
//! | `url`, `options`, `open`, `stores` | from an address to the ports |
//! | `sqlite`, `memory` | the stores |
//! | `leases` | who of the nodes is alive, where there is one |
//! | `examine`, `transfer` | over the ports: what must hold of a store, and sessions as files |
//! | `check`, `mentions`, `numbers`, `bounds` | what every store does alike |

mod bounds;
mod check;
mod examine;
mod guards;
mod leases;
mod memory;
mod mentions;
mod numbers;
mod open;
mod options;
mod sqlite;
mod stores;
mod sync;
mod transfer;
mod url;

pub use examine::{Examination, Examined, Heads, examine};
#[cfg(feature = "controls")]
pub use guards::Removed;
pub use memory::MemoryStore;
pub use open::{look, open, open_read_only};
pub use options::{OpenOptions, StorePlace};
pub use sqlite::{Durability, SqliteReads, SqliteStore};
pub use stores::{StoreReads, Stores};
pub use transfer::{Imported, Importer, SessionFile, TransferError, export};
pub use url::{StoreUrl, UnknownStore};
