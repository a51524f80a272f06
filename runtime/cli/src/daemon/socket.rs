//! The socket: handed over by the service manager, or opened here.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use listenfd::ListenFd;
use provost_server::ServerSocket;
use tokio::net::{TcpListener, TcpSocket, UnixListener};

/// Connections that may wait to be taken; the kernel allows at most `net.core.somaxconn`.
const BACKLOG: u32 = 4096;

/// A socket to answer on, and where it is.
#[derive(Debug)]
pub(crate) struct DaemonSocket {
    pub(crate) listening: ServerSocket,
    pub(crate) place: SocketPlace,
}

/// Where a socket is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SocketPlace {
    /// An address of the network.
    Address(SocketAddr),
    /// A path of this machine; `None` for a socket without one.
    Path(Option<PathBuf>),
}

impl std::fmt::Display for SocketPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => write!(f, "http://{address}"),
            Self::Path(Some(path)) => write!(f, "unix:{}", path.display()),
            Self::Path(None) => f.write_str("unix: (a socket without a path)"),
        }
    }
}

/// The socket to answer on. One handed over goes before the configuration: its unit says where it listens, and it takes
/// connections while this process is not there.
pub(crate) fn socket(wanted: SocketAddr) -> Result<DaemonSocket> {
    let mut handed = ListenFd::from_env();
    match handed.len() {
        0 => {
            return of_tcp(bind(wanted).with_context(|| {
                format!("cannot listen on {wanted}; is another program there? `--listen 127.0.0.1:0` takes a free port")
            })?);
        }
        1 => {}
        many => bail!("the service manager hands over {many} sockets; keep one `ListenStream=` in the socket unit"),
    }
    if let Ok(Some(socket)) = handed.take_unix_listener(0) {
        socket.set_nonblocking(true)?;
        let path = socket.local_addr()?.as_pathname().map(PathBuf::from);
        return Ok(DaemonSocket { listening: UnixListener::from_std(socket)?.into(), place: SocketPlace::Path(path) });
    }
    let socket =
        handed.take_tcp_listener(0).context("the service manager must hand over a TCP or a Unix stream socket")?;
    let socket = socket.context("the service manager's socket was taken already; report this as a bug")?;
    socket.set_nonblocking(true)?;
    of_tcp(TcpListener::from_std(socket)?)
}

fn of_tcp(listener: TcpListener) -> Result<DaemonSocket> {
    let place = SocketPlace::Address(listener.local_addr()?);
    Ok(DaemonSocket { listening: listener.into(), place })
}

/// Whether it could be listened on, without listening.
pub(crate) fn try_bind(wanted: SocketAddr) -> std::io::Result<()> {
    bound(wanted).map(drop)
}

fn bind(wanted: SocketAddr) -> std::io::Result<TcpListener> {
    bound(wanted)?.listen(BACKLOG)
}

fn bound(wanted: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = if wanted.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As `TcpListener::bind` does: a restart need not wait for the last connections of the process before.
    socket.set_reuseaddr(true)?;
    socket.bind(wanted)?;
    Ok(socket)
}
