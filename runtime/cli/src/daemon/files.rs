//! How many files this process may open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Enough for every connection, the store, tools and models.
const WANTED: u64 = 65_536;
/// With fewer the daemon answers few callers at once.
const FEW: u64 = 1024;

/// Raises the limit as far as it is needed and allowed. The server takes as many connections as it leaves room for.
pub(crate) fn raise_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // No limit is written as `None`.
    let Some(now) = current.filter(|now| *now < WANTED) else { return };
    let raised = maximum.map_or(WANTED, |maximum| maximum.min(WANTED)).max(now);
    if raised > now
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum })
    {
        tracing::warn!(%error, files = now, "the limit of open files stays as it is");
    } else if raised < FEW {
        tracing::warn!(
            files = raised,
            "few files may be open, so few callers are answered at once; raise `LimitNOFILE=`"
        );
    }
}
