//! Answering on a socket until told to stop.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rustix::net::sockopt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connections::{Answering, Connection, Peer};
use crate::routes::router;
use crate::state::Server;

/// How long a client may take nothing of what it was sent. Then its connection is closed, and what was kept for it is free;
/// a stream's client comes again and continues where it was.
const UNREAD_MAX: Duration = Duration::from_mins(2);
/// How often connections are looked through for those that ask nothing.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Largest head of a request, and what is read of its body at once, in bytes.
const BUFFER_MAX: usize = 32 * 1024;
/// The pause after a connection could not be taken: without files the next one cannot be either.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// A socket that takes connections.
#[derive(Debug)]
pub enum ServerSocket {
    /// Of the network.
    Tcp(TcpListener),
    /// Of this machine, under a path: who may connect is said by the rights of that path.
    Unix(UnixListener),
}

impl From<TcpListener> for ServerSocket {
    fn from(listener: TcpListener) -> Self {
        Self::Tcp(listener)
    }
}

impl From<UnixListener> for ServerSocket {
    fn from(listener: UnixListener) -> Self {
        Self::Unix(listener)
    }
}

impl Server {
    /// Answers until `stop`; then takes no new connection and no delivery, and returns when the open ones have ended. Streams end with the
    /// engine, so shut it down as well.
    ///
    /// # Errors
    /// None today: a connection that cannot be taken is logged.
    pub async fn serve(&self, listening: impl Into<ServerSocket>, stop: CancellationToken) -> io::Result<()> {
        let listening = listening.into();
        let connections = ConnectionServer {
            server: self.clone(),
            router: router(self),
            stop: stop.clone(),
            tasks: TaskTracker::new(),
        };
        let mut sweeps = interval(SWEEP_EVERY);
        sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = sweeps.tick() => self.connections().sweep(Instant::now()),
                taken = connections.take(&listening) => if let Err(error) = taken {
                    tracing::warn!(%error, "a connection cannot be taken");
                    self.connections().relieve();
                    sleep(ACCEPT_PAUSE).await;
                },
            }
        }
        drop(listening);
        self.intake().close();
        connections.tasks.close();
        loop {
            tokio::select! {
                () = connections.tasks.wait() => break,
                _ = sweeps.tick() => self.connections().sweep(Instant::now()),
            }
        }
        // These are no requests any more.
        self.sockets().close();
        self.sockets().wait().await;
        Ok(())
    }
}

/// What every connection is served with.
struct ConnectionServer {
    server: Server,
    router: Router,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl ConnectionServer {
    /// Takes the next connection, and attends to it in a task of its own.
    async fn take(&self, listening: &ServerSocket) -> io::Result<()> {
        match listening {
            ServerSocket::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                if let Err(error) = prepare(&stream) {
                    tracing::warn!(%error, "a connection is served without its limits");
                }
                self.attend(stream, address.ip().into());
            }
            ServerSocket::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                self.attend(stream, Peer::Local);
            }
        }
        Ok(())
    }

    fn attend(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer) {
        let Some(connection) = self.server.connections().open(peer, Instant::now()) else {
            tracing::debug!(?peer, "every connection is being answered; a new one is closed");
            return;
        };
        let work = attend(stream, connection, self.router.clone(), self.stop.clone());
        drop(self.tasks.spawn(work));
    }
}

/// Answers a connection's requests until it ends, has to go, or is the last to end.
async fn attend<S>(stream: S, connection: Arc<Connection>, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let closed = connection.closed().clone();
    let io = TokioIo::new(CountedStream { stream, connection: Arc::clone(&connection) });
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request| answer(&router, &connection, request));
    let http = http1::Builder::new().header_read_timeout(None).max_buf_size(BUFFER_MAX).serve_connection(io, service);
    let mut http = pin!(http.with_upgrades());
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = http.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ends");
                }
                return;
            }
            () = closed.cancelled() => return,
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                http.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Answers one request; the connection counts as busy until the last byte of its answer.
fn answer(
    router: &TowerToHyperService<Router>,
    connection: &Arc<Connection>,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<CountedBody>, Infallible>> + use<> {
    let answering = Arc::new(connection.answering());
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(Arc::clone(&answering));
    let response = router.call(request);
    async move { Ok(response.await?.map(|body| CountedBody { body, _answering: answering })) }
}

/// An answer's body.
struct CountedBody {
    body: Body,
    _answering: Arc<Answering>,
}

impl HttpBody for CountedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that tells its connection when bytes came.
struct CountedStream<S> {
    stream: S,
    connection: Arc<Connection>,
}

impl<S: AsyncRead + Unpin> AsyncRead for CountedStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.connection.received(Instant::now());
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CountedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
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
