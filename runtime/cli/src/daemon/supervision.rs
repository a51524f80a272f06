//! What a service manager (systemd) is told: sd-notify datagrams. Without one all of this does nothing.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use sd_notify::{NotifyState, watchdog_enabled};
use tokio::sync::watch;

use crate::wiring::variable;

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
    let Some(place) = variable("NOTIFY_SOCKET") else { return };
    if let Err(error) = send(&place, states) {
        tracing::warn!(%error, "telling the service manager");
    }
}

/// One datagram to the service manager's socket: a path, or after `@` a name that is in no filesystem.
fn send(place: &str, states: &[NotifyState<'_>]) -> io::Result<()> {
    let address = match place.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(place)?,
    };
    let lines: Vec<_> = states.iter().map(NotifyState::to_string).collect();
    let text = lines.join("\n") + "\n";
    let sent = UnixDatagram::unbound()?.send_to_addr(text.as_bytes(), &address)?;
    if sent == text.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// The wire has one assignment per line.
fn line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(place: &str, address: &SocketAddr) {
        let manager = UnixDatagram::bind_addr(address).unwrap();
        send(place, &[NotifyState::Ready, NotifyState::Status("it works")]).unwrap();
        let mut text = [0; 64];
        let length = manager.recv(&mut text).unwrap();
        assert_eq!(std::str::from_utf8(&text[..length]), Ok("READY=1\nSTATUS=it works\n"), "{place}");
    }

    #[test]
    fn a_service_manager_is_told_by_path_and_by_abstract_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        check(path.to_str().unwrap(), &SocketAddr::from_pathname(&path).unwrap());
        let name = format!("provost-test-{}", uuid::Uuid::new_v4());
        check(&format!("@{name}"), &SocketAddr::from_abstract_name(&name).unwrap());
    }
}
