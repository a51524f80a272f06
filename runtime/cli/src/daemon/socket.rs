//! The socket: handed over by the service manager, or opened here.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use listenfd::ListenFd;
use tokio::net::TcpListener;

/// The socket to answer on. One handed over goes before the configuration: its unit says where it listens, and it takes
/// connections while this process is not there.
pub(crate) async fn listener(wanted: SocketAddr) -> Result<TcpListener> {
    let mut handed = ListenFd::from_env();
    if handed.len() > 1 {
        bail!("the service manager hands over {} sockets; keep one `ListenStream=` in the socket unit", handed.len());
    }
    let taken = handed.take_tcp_listener(0).context("the service manager must hand over a TCP socket")?;
    let Some(socket) = taken else {
        return TcpListener::bind(wanted).await.with_context(|| {
            format!("cannot listen on {wanted}; is another program there? `--listen 127.0.0.1:0` takes a free port")
        });
    };
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket)?)
}
