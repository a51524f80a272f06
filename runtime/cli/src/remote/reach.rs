//! Who does a command: this process, or a daemon.

use anyhow::{Context as _, Result, bail};
use provost_domain::access::Secret;
use provost_domain::port::StoreError;

use super::address;
use super::client::Remote;
use crate::args::ConfigArgs;
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

/// Opens the store with `open`, or reaches the daemon that was named or that holds it.
pub(crate) async fn reach<T>(
    args: &ConfigArgs,
    open: impl AsyncFnOnce(&Configuration) -> Result<T>,
) -> Result<Reached<T>> {
    if let Some(remote) = named(args)? {
        return Ok(Reached::There(remote));
    }
    let config = wiring::config(args)?;
    let error = match open(&config).await {
        Ok(opened) => return Ok(Reached::Here(opened)),
        Err(error) => error,
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
pub(crate) fn named(args: &ConfigArgs) -> Result<Option<Remote>> {
    let Some(server) = &args.server else { return Ok(None) };
    let secret = token(args)?.context("`--server` needs a token of yours, in PROVOST_TOKEN or `--token-file`")?;
    Remote::new(server, &secret).map(Some)
}

/// The caller's token, if one is given.
fn token(args: &ConfigArgs) -> Result<Option<Secret>> {
    if let Some(text) = wiring::variable("PROVOST_TOKEN") {
        return secret::parse(&text).context("PROVOST_TOKEN").map(Some);
    }
    args.token_file.as_deref().map(secret::read).transpose()
}
