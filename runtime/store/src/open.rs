//! Opening a store by its address.

use std::sync::Arc;

use provost_domain::port::StoreError;

use crate::memory::MemoryStore;
use crate::options::{OpenOptions, StorePlace};
use crate::sqlite::{self, SqliteStore};
use crate::stores::{StoreReads, Stores};
use crate::url::StoreUrl;

/// Opens a store for writing, creating it when absent, and holds it until it is closed.
///
/// # Errors
/// Another process holds it, what is there is no store of ours or is newer than this program, or the storage fails. In each
/// case it is as it was.
pub async fn open(url: &StoreUrl, options: OpenOptions) -> Result<Stores, StoreError> {
    match url {
        StoreUrl::Sqlite(path) => Ok(SqliteStore::open_within(path, options).await?.into()),
        StoreUrl::Memory => Ok(Arc::new(in_memory(options)).into()),
    }
}

/// Opens a store for reading, also beside a process that holds it.
///
/// # Errors
/// It is missing, no store of ours, or of another version than this program's.
pub async fn open_read_only(url: &StoreUrl) -> Result<StoreReads, StoreError> {
    match url {
        StoreUrl::Sqlite(path) => Ok(SqliteStore::open_read_only(path).await?.into()),
        StoreUrl::Memory => Err(StoreError::Failed {
            detail: "a store in memory is seen by its own process only; name the file of a store".to_owned(),
        }),
    }
}

/// Looks at what [`open`] would find: takes no lock, makes nothing and changes nothing.
///
/// # Errors
/// Opening it for writing would fail.
pub async fn look(url: &StoreUrl) -> Result<StorePlace, StoreError> {
    match url {
        StoreUrl::Sqlite(path) => sqlite::look(path).await,
        StoreUrl::Memory => Ok(StorePlace::Empty),
    }
}

#[cfg(feature = "controls")]
fn in_memory(options: OpenOptions) -> MemoryStore {
    options.removed.map_or_else(MemoryStore::new, MemoryStore::without)
}

#[cfg(not(feature = "controls"))]
fn in_memory(_: OpenOptions) -> MemoryStore {
    MemoryStore::new()
}
