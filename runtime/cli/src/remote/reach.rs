//! Who does a command: this process, or a daemon.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use provost_domain::access::Secret;
use provost_domain::port::StoreError;
use provost_store::Stores;

use super::address;
use super::client::Remote;
use crate::args::ReachArgs;
use crate::wiring::Configuration;
use crate::{secret, wiring};

/// Where a command is done.
#[derive(Debug)]
pub(crate) enum Reached<T> {
    /// In this process, which holds the store now.
    Here(T),
    /// By a daemon.
    There(Remote),
}

/// Takes the store and opens the rest with `open`, or reaches the daemon that was named or that holds it. Who holds the
/// store is known before `prepare` is asked for what this process needs to do the command itself; a store that is not there
/// is held by nobody, and is made only once the rest is known to be good.
pub(crate) async fn reach<P, T>(
    args: &ReachArgs,
    prepare: impl FnOnce(&Configuration) -> Result<P>,
    open: impl AsyncFnOnce(&Configuration, P, Stores) -> Result<T>,
) -> Result<Reached<T>> {
    if let Some(remote) = named(args)? {
        return Ok(Reached::There(remote));
    }
    let config = wiring::config(&args.store)?;
    let error = if config.store.file().is_some_and(Path::exists) {
        match wiring::store(&config).await {
            Ok(store) => match prepare(&config) {
                Ok(prepared) => return open(&config, prepared, store).await.map(Reached::Here),
                Err(error) => {
                    store.close().await;
                    return Err(error);
                }
            },
            Err(error) => error,
        }
    } else {
        let prepared = prepare(&config)?;
        match wiring::store(&config).await {
            Ok(store) => return open(&config, prepared, store).await.map(Reached::Here),
            Err(error) => error,
        }
    };
    let Some(StoreError::Held { detail }) = error.downcast_ref() else { return Err(error) };
    let known = config.store.file().map(address::read).transpose().with_context(|| detail.clone())?;
    let Some(server) = known.flatten() else {
        bail!("{detail}; if it is a daemon, name it with `--server URL`, and a token of yours in PROVOST_TOKEN");
    };
    let Some(secret) = token(args)? else {
        bail!("{detail}; it is the daemon at {server}: give a token of yours in PROVOST_TOKEN or `--token-file`");
    };
    Ok(Reached::There(Remote::new(&server, &secret)?))
}

/// The daemon that was named, if one was.
pub(crate) fn named(args: &ReachArgs) -> Result<Option<Remote>> {
    let Some(server) = &args.server else { return Ok(None) };
    let secret = token(args)?.context("`--server` needs a token of yours, in PROVOST_TOKEN or `--token-file`")?;
    Remote::new(server, &secret).map(Some)
}

/// The caller's token, if one is given.
fn token(args: &ReachArgs) -> Result<Option<Secret>> {
    if let Some(text) = wiring::variable("PROVOST_TOKEN") {
        return secret::parse(&text).context("PROVOST_TOKEN").map(Some);
    }
    args.token_file.as_deref().map(secret::read).transpose()
}
