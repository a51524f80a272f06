//! The store of a configuration, without an engine.

use anyhow::Result;
use provost_domain::ids::{Handle, SessionId};
use provost_domain::port::Reads;
use provost_store::{StoreReads, Stores};

use super::config::Configuration;
use super::engine::bounds;

/// The read side, beside whoever holds the store.
pub(crate) async fn reads(config: &Configuration) -> Result<StoreReads> {
    Ok(provost_store::open_read_only(&config.store).await?)
}

/// The store alone, held by this process.
pub(crate) async fn store(config: &Configuration) -> Result<Stores> {
    let bounds = bounds(config.engine);
    #[cfg(feature = "controls")]
    let bounds = super::controls::without(bounds)?;
    let (options, _) = bounds;
    Ok(provost_store::open(&config.store, options).await?)
}

/// A session by id or handle.
pub(crate) async fn session(reads: &dyn Reads, text: &str) -> Result<SessionId> {
    match text.parse() {
        Ok(id) => Ok(reads.session(id).await?.id),
        Err(_) => Ok(reads.by_handle(&Handle::new(text)).await?),
    }
}
