//! Answering on a socket until told to stop.

use std::io;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use rustix::net::sockopt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::routes::router;
use crate::state::Server;

/// How long a client may take nothing of what it was sent. Then its connection is closed, and what was kept for it is free;
/// a stream's client comes again and continues where it was.
const UNREAD_MAX: Duration = Duration::from_mins(2);

impl Server {
    /// Answers until `stop`; then takes no new connection and no delivery, and returns when the open ones have ended. Streams end with the
    /// engine, so shut it down as well.
    ///
    /// # Errors
    /// The socket fails.
    pub async fn serve(&self, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
        let intake = self.intake().clone();
        let stopped = async move {
            stop.cancelled().await;
            intake.close();
        };
        let listener = listener.tap_io(|stream| {
            if let Err(error) = prepare(stream) {
                tracing::warn!(%error, "a connection is served without its limits");
            }
        });
        axum::serve(listener, router(self)).with_graceful_shutdown(stopped).await?;
        // These are no requests any more.
        self.sockets().close();
        self.sockets().wait().await;
        Ok(())
    }
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    // A small event goes out at once.
    stream.set_nodelay(true)?;
    let unread_ms = u32::try_from(UNREAD_MAX.as_millis()).unwrap_or(u32::MAX);
    Ok(sockopt::set_tcp_user_timeout(stream, unread_ms)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_kernel_gives_up_clients_that_take_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (served, _) = listener.accept().await.unwrap();
        prepare(&served).unwrap();
        assert_eq!(u128::from(sockopt::tcp_user_timeout(&served).unwrap()), UNREAD_MAX.as_millis());
        assert!(served.nodelay().unwrap());
        drop(client);
    }
}
