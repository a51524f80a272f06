//! Answering on a socket until told to stop.

use std::io;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::Server;

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
        axum::serve(listener, self.router()).with_graceful_shutdown(stopped).await?;
        // These are no requests any more.
        self.sockets().close();
        self.sockets().wait().await;
        Ok(())
    }
}
