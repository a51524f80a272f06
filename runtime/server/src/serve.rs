//! Answering on a socket until told to stop.

use std::io;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::Server;

impl Server {
    /// Answers until `stop`; then takes no new connection and returns when the open ones have ended. Streams end with the
    /// engine, so shut it down as well.
    ///
    /// # Errors
    /// The socket fails.
    pub async fn serve(&self, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
        let stopped = async move { stop.cancelled().await };
        axum::serve(listener, self.router()).with_graceful_shutdown(stopped).await
    }
}
