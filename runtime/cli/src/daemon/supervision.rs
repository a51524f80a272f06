//! What a service manager (systemd) is told: sd-notify datagrams. Without one all of this does nothing.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use sd_notify::{NotifyState, notify, watchdog_enabled};
use tokio::sync::watch;

/// What an orderly end takes besides the drain: closing the store and the last answers.
const END_MAX: Duration = Duration::from_secs(15);

/// The daemon answers; one line about it for `systemctl status`.
pub(crate) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(&line(status))]);
}

/// A reload begins; it ends with [`ready`], whatever came of it.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now, NotifyState::Status("reading the configuration again")]),
        Err(error) => tracing::warn!(%error, "no monotonic time; the service manager is not told of the reload"),
    }
}

/// The end begins and takes at most as long as the drain, and a little.
pub(crate) fn stopping(drain: Duration) {
    let limit = u32::try_from(drain.saturating_add(END_MAX).as_micros()).unwrap_or(u32::MAX);
    let status = NotifyState::Status("finishing what runs; the rest goes on with the next start");
    tell(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(limit), status]);
}

/// Feeds the watchdog, if there is one, from the engine's completed looks for work and from nothing else: an engine that is
/// wedged misses it, and the process is killed and started again.
pub(crate) async fn feed(mut beats: watch::Receiver<u64>) -> Infallible {
    if watchdog_enabled().is_none() {
        return pending().await;
    }
    while beats.changed().await.is_ok() {
        tell(&[NotifyState::Watchdog]);
    }
    pending().await
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = notify(states) {
        tracing::warn!(%error, "telling the service manager");
    }
}

/// The wire has one assignment per line.
fn line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
