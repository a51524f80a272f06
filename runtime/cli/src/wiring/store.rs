//! The store of a configuration, without an engine.

use anyhow::Result;
use provost_domain::ids::{Handle, SessionId};
use provost_domain::port::Reads;
use provost_store::{OpenOptions, StoreReads, Stores};

use super::config::Configuration;

/// The read side, beside whoever holds the store.
pub(crate) async fn reads(config: &Configuration) -> Result<StoreReads> {
    Ok(provost_store::open_read_only(&config.store).await?)
}

/// The store alone, held by this process.
pub(crate) async fn store(config: &Configuration) -> Result<Stores> {
    Ok(provost_store::open(&config.store, OpenOptions::default()).await?)
}

/// A session by id or handle.
pub(crate) async fn session(reads: &dyn Reads, text: &str) -> Result<SessionId> {
    match text.parse() {
        Ok(id) => Ok(reads.session(id).await?.id),
        Err(_) => Ok(reads.by_handle(&Handle::new(text)).await?),
    }
}
