//! Which connections are open, and which may stay: so many in all and by one address, none for long without a whole request. A new
//! one never finds the door shut by connections that ask nothing: the one that has waited longest makes way for it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a request's head may take from its first byte: it is one packet, or a few.
const HEAD_MAX: Duration = Duration::from_secs(10);
/// How long a connection may ask nothing: longer than proxies keep an idle one, so that it is they who close it.
const IDLE_MAX: Duration = Duration::from_secs(90);
/// Most connections in all: some hundred bytes each while they wait, some kilobytes while they are answered.
const TOTAL_MAX: usize = 4096;
/// Files that connections leave to the store, the tools and the models.
const FILES_KEPT: usize = 256;

/// Whose connection it is, as far as the network tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Peer {
    /// An address; of IPv6 the network, because a host has as many addresses there as it likes.
    Address(IpAddr),
    /// This machine, by a Unix socket.
    Local,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Local => f.write_str("this machine"),
        }
    }
}

impl From<IpAddr> for Peer {
    fn from(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
            address @ IpAddr::V4(_) => address,
        })
    }
}

/// How many connections there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionLimits {
    pub(crate) total: usize,
    pub(crate) per_address: usize,
}

impl ConnectionLimits {
    /// What fits into the files this process may open.
    pub(crate) fn of_process() -> Self {
        let files =
            getrlimit(Resource::Nofile).current.map_or(usize::MAX, |files| files.try_into().unwrap_or(usize::MAX));
        Self::within(files)
    }

    fn within(files: usize) -> Self {
        let kept = FILES_KEPT.min(files / 2);
        let total = (files - kept).clamp(1, TOTAL_MAX);
        // A proxy in front of everybody is one address, too.
        Self { total, per_address: (total / 4 * 3).max(1) }
    }
}

/// All open connections.
#[derive(Debug)]
pub(crate) struct Connections {
    limits: ConnectionLimits,
    table: Arc<Mutex<ConnectionTable>>,
}

#[derive(Debug, Default)]
struct ConnectionTable {
    last: u64,
    open: BTreeMap<u64, OpenConnection>,
    by_peer: HashMap<Peer, usize>,
}

#[derive(Debug)]
struct OpenConnection {
    peer: Peer,
    phase: Phase,
    closed: CancellationToken,
}

/// What a connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It asks nothing since then.
    Idle(Instant),
    /// A request began then, and its head is not whole.
    Head(Instant),
    /// So many requests are answered.
    Answering(usize),
}

impl Phase {
    /// Since when it waits; `None` while it is answered.
    fn waits_since(self) -> Option<Instant> {
        match self {
            Self::Idle(since) | Self::Head(since) => Some(since),
            Self::Answering(_) => None,
        }
    }

    fn is_overdue(self, now: Instant) -> bool {
        match self {
            Self::Idle(since) => now.duration_since(since) > IDLE_MAX,
            Self::Head(since) => now.duration_since(since) > HEAD_MAX,
            Self::Answering(_) => false,
        }
    }
}

fn lock(table: &Mutex<ConnectionTable>) -> MutexGuard<'_, ConnectionTable> {
    // A panic elsewhere cannot leave a half-done change.
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connections {
    pub(crate) fn new(limits: ConnectionLimits) -> Self {
        Self { limits, table: Arc::default() }
    }

    pub(crate) fn limits(&self) -> ConnectionLimits {
        self.limits
    }

    /// Counts a new connection in; for it, one that waits may have to go. `None` when all are being answered.
    pub(crate) fn open(&self, peer: Peer, now: Instant) -> Option<Arc<Connection>> {
        let mut table = lock(&self.table);
        let of_peer = table.by_peer.get(&peer).copied().unwrap_or_default();
        let crowded = peer != Peer::Local && of_peer >= self.limits.per_address;
        if crowded {
            table.close_longest_waiting(|connection| connection.peer == peer)?;
        } else if table.open.len() >= self.limits.total {
            table.close_longest_waiting(|_| true)?;
        }
        table.last += 1;
        let (id, closed) = (table.last, CancellationToken::new());
        *table.by_peer.entry(peer).or_default() += 1;
        table.open.insert(id, OpenConnection { peer, phase: Phase::Idle(now), closed: closed.clone() });
        Some(Arc::new(Connection { id, peer, closed, table: Arc::clone(&self.table) }))
    }

    /// Closes those that take too long to ask.
    pub(crate) fn sweep(&self, now: Instant) {
        let mut table = lock(&self.table);
        let overdue = table.open.iter().filter(|(_, connection)| connection.phase.is_overdue(now)).map(|(id, _)| *id);
        for id in overdue.collect::<Vec<_>>() {
            table.close(id);
        }
    }

    /// Closes the one that has waited longest, where the process has run out of files after all.
    pub(crate) fn relieve(&self) {
        lock(&self.table).close_longest_waiting(|_| true);
    }
}

impl ConnectionTable {
    /// `None` when none of those waits.
    fn close_longest_waiting(&mut self, which: impl Fn(&OpenConnection) -> bool) -> Option<()> {
        let waiting = self.open.iter().filter(|(_, connection)| which(connection));
        let waiting = waiting.filter_map(|(id, connection)| Some((connection.phase.waits_since()?, *id)));
        let (_, id) = waiting.min()?;
        self.close(id);
        Some(())
    }

    /// Its task ends soon; it counts no more.
    fn close(&mut self, id: u64) {
        if let Some(connection) = self.open.remove(&id) {
            connection.closed.cancel();
            let left = self.by_peer.entry(connection.peer).or_default();
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.by_peer.remove(&connection.peer);
            }
        }
    }

    fn phase(&mut self, id: u64) -> Option<&mut Phase> {
        self.open.get_mut(&id).map(|connection| &mut connection.phase)
    }
}

/// An open connection. It counts until its last clone is dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    id: u64,
    peer: Peer,
    closed: CancellationToken,
    table: Arc<Mutex<ConnectionTable>>,
}

impl Connection {
    /// Cancelled when it has to go.
    pub(crate) fn closed(&self) -> &CancellationToken {
        &self.closed
    }

    /// Bytes came.
    pub(crate) fn received(&self, now: Instant) {
        if let Some(phase @ Phase::Idle(_)) = lock(&self.table).phase(self.id) {
            *phase = Phase::Head(now);
        }
    }

    /// A request's head is whole: the connection stays as long as the answer, which ends with this value.
    pub(crate) fn answering(self: &Arc<Self>) -> Answering {
        if let Some(phase) = lock(&self.table).phase(self.id) {
            *phase = match *phase {
                Phase::Answering(count) => Phase::Answering(count + 1),
                Phase::Idle(_) | Phase::Head(_) => Phase::Answering(1),
            };
        }
        Answering(Arc::clone(self))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        lock(&self.table).close(self.id);
    }
}

/// A request of a connection is being answered.
#[derive(Debug)]
pub(crate) struct Answering(Arc<Connection>);

impl Answering {
    /// Whose request it is.
    pub(crate) fn peer(&self) -> Peer {
        self.0.peer
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if let Some(phase @ Phase::Answering(_)) = lock(&self.0.table).phase(self.0.id) {
            *phase = match *phase {
                Phase::Answering(count) if count > 1 => Phase::Answering(count - 1),
                Phase::Answering(_) | Phase::Idle(_) | Phase::Head(_) => Phase::Idle(Instant::now()),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> Peer {
        text.parse::<IpAddr>().unwrap().into()
    }

    fn connections(total: usize, per_address: usize) -> (Connections, Instant) {
        (Connections::new(ConnectionLimits { total, per_address }), Instant::now())
    }

    #[test]
    fn who_waits_longest_makes_way_and_who_is_answered_does_not() {
        let (connections, now) = connections(3, 3);
        let open = |peer, after| connections.open(peer, now + Duration::from_secs(after)).unwrap();
        let (answered, flood) = (open(peer("10.0.0.1"), 0), open(peer("10.0.0.2"), 1));
        let answer = answered.answering();
        let second = open(peer("10.0.0.2"), 2);
        let third = open(peer("10.0.0.3"), 3);
        assert!(flood.closed().is_cancelled() && !answered.closed().is_cancelled() && !second.closed().is_cancelled());
        let (a, b) = (second.answering(), third.answering());
        assert!(connections.open(peer("10.0.0.4"), now).is_none(), "all are answered");
        drop((answer, a, b));
        assert!(connections.open(peer("10.0.0.4"), now).is_some());
    }

    #[test]
    fn one_address_closes_its_own_only() {
        let (connections, now) = connections(10, 2);
        let other = connections.open(peer("10.0.0.9"), now).unwrap();
        let mine: Vec<_> =
            (1..=3).map(|n| connections.open(peer("10.0.0.1"), now + Duration::from_secs(n)).unwrap()).collect();
        let closed: Vec<bool> = mine.iter().map(|connection| connection.closed().is_cancelled()).collect();
        assert_eq!(closed, [true, false, false]);
        assert!(!other.closed().is_cancelled());
        assert_eq!(peer("2001:db8::1"), peer("2001:db8::2"), "one network");
        assert_eq!(peer("::ffff:10.0.0.1"), peer("10.0.0.1"));
        // A dropped one counts no more.
        drop(mine);
        let again: Vec<_> = (0..2).map(|_| connections.open(peer("10.0.0.1"), now).unwrap()).collect();
        assert!(again.iter().all(|connection| !connection.closed().is_cancelled()));
    }

    #[test]
    fn a_head_has_seconds_and_an_idle_connection_longer() {
        let (connections, now) = connections(10, 10);
        let (idle, head, answered) = (
            connections.open(Peer::Local, now).unwrap(),
            connections.open(Peer::Local, now).unwrap(),
            connections.open(Peer::Local, now).unwrap(),
        );
        head.received(now);
        let answer = answered.answering();
        answered.received(now);
        connections.sweep(now + HEAD_MAX);
        assert!(!head.closed().is_cancelled());
        connections.sweep(now + HEAD_MAX + Duration::from_secs(1));
        assert!(head.closed().is_cancelled() && !idle.closed().is_cancelled());
        connections.sweep(now + IDLE_MAX + Duration::from_secs(1));
        assert!(idle.closed().is_cancelled() && !answered.closed().is_cancelled());
        drop(answer);
        connections.sweep(now + IDLE_MAX * 2);
        assert!(answered.closed().is_cancelled(), "it waits again");
    }

    #[test]
    fn connections_leave_files_to_others() {
        let limits = |files| ConnectionLimits::within(files).total;
        assert_eq!((limits(1024), limits(1_000_000), limits(100), limits(0)), (768, TOTAL_MAX, 50, 1));
    }
}
