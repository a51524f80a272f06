//! A session's events over a WebSocket: the feed of the stream, one event per text message. What the peer says is
//! ignored; that it says something now and then is not.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseCode, CloseFrame, Message, Utf8Bytes, WebSocketUpgrade, close_code};
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use futures::stream::{iter, unfold};
use futures::{Sink, SinkExt as _, Stream, StreamExt as _};
use provost_domain::ids::Seq;
use provost_face::Code;
use serde::Deserialize;
use tokio::time::{MissedTickBehavior, interval, timeout};
use utoipa::IntoParams;

use crate::batch::Batch;
use crate::connections::Answering;
use crate::events::Following;
use crate::extract::{ByToken, Named, Search};
use crate::origin::{Origin, origin};
use crate::problem::{Problem, Problems};
use crate::standing::Standing;
use crate::state::Server;

/// A ping this often: the peer's answer shows that it is there.
const PING: Duration = Duration::from_secs(15);
/// A peer that says nothing for three pings is gone.
const SILENCE: Duration = Duration::from_secs(45);
/// How long the last message may take: a daemon that ends waits for it.
const FAREWELL: Duration = Duration::from_secs(2);
/// Largest message from the peer, in bytes: none is needed.
const MESSAGE_MAX: usize = 64 * 1024;
/// Buffers of a connection, in bytes: most events fit, and a thousand connections cost some megabytes.
const BUFFER: usize = 8 * 1024;

/// From where.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SocketQuery {
    /// Only events after this one.
    after: Option<u64>,
}

/// A request to become a WebSocket, by who may ask for one.
#[derive(Debug)]
pub(crate) struct Handshake {
    upgrade: WebSocketUpgrade,
    headers: HeaderMap,
    /// The connection counts as long as the socket is open.
    answering: Option<Arc<Answering>>,
}

impl<S: Send + Sync> FromRequestParts<S> for Handshake {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // Browsers let any page open a socket with our cookie.
        let by_cookie = !parts.headers.contains_key(header::AUTHORIZATION);
        if by_cookie && origin(&parts.headers) != Origin::Own {
            return Err(Problem::new(Code::Forbidden, "send a bearer token, or open it from this server's own page"));
        }
        let upgrade = WebSocketUpgrade::from_request_parts(parts, state).await;
        let upgrade = upgrade.map_err(|error| Problem::new(Code::UpgradeRequired, error.body_text()))?;
        Ok(Self { upgrade, headers: parts.headers.clone(), answering: parts.extensions.get().cloned() })
    }
}

/// A session's events as a WebSocket: each is a text message, an object with its `seq`, and it goes on as the session
/// does. `after` continues it without a gap. It closes with 1001 when the server ends, with 1008 and a problem's code as
/// the reason when the token is no longer worth anything.
#[utoipa::path(get, path = "/v1/sessions/{session}/socket", tag = "sessions",
    params(("session" = String, Path), SocketQuery),
    responses((status = 101, description = "The connection is a WebSocket from here on."), Problems))]
pub(crate) async fn socket(
    State(server): State<Server>,
    handshake: Handshake,
    Named(id): Named,
    ByToken(caller, token): ByToken,
    Search(query): Search<SocketQuery>,
) -> Result<Response, Problem> {
    let after = Seq(query.after.unwrap_or(0));
    server.lookups().reached(&caller, id, after).await?;
    let following = Following::begin(&server, &token, id, after).await?;
    let Handshake { upgrade, headers, answering } = handshake;
    let standing = Standing::begin(&server, &headers);
    let upgrade = upgrade
        .max_message_size(MESSAGE_MAX)
        .max_frame_size(MESSAGE_MAX)
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER);
    let open = server.sockets().token();
    Ok(upgrade.on_upgrade(async move |socket| {
        let (sink, source) = socket.split();
        talk(sink, source, events(&server, following), ended(&server, standing)).await;
        drop((open, answering));
    }))
}

fn frame(code: CloseCode, why: Code) -> CloseFrame {
    CloseFrame { code, reason: why.as_str().into() }
}

/// An event as JSON, or why there are no more.
type Next = Result<Utf8Bytes, CloseFrame>;

/// The session's events; the last item says why there are no more.
fn events(server: &Server, following: Following) -> impl Stream<Item = Next> {
    let stopped = server.engine().stopped();
    let batches = unfold(Some((following, stopped)), |state| async move {
        let (mut following, stopped) = state?;
        Some(match following.next().await {
            Some((batch, after)) => (messages(&batch, after), Some((following, stopped))),
            None if stopped.is_cancelled() => (vec![Err(frame(close_code::AWAY, Code::ShuttingDown))], None),
            None => (vec![Err(frame(close_code::ERROR, Code::StoreFailed))], None),
        })
    });
    batches.flat_map(iter)
}

fn messages(batch: &Batch, after: Seq) -> Vec<Next> {
    batch.json(after).map(|event| Ok(event.into())).collect()
}

/// Waits until the server ends or the caller may no longer look.
async fn ended(server: &Server, standing: Standing) -> CloseFrame {
    match server.engine().stopped().run_until_cancelled(standing.lost()).await {
        Some(problem) => CloseFrame { code: close_code::POLICY, reason: problem.code().into() },
        None => frame(close_code::AWAY, Code::ShuttingDown),
    }
}

/// Sends events and pings until one side ends it, then says why.
async fn talk(
    mut sink: impl Sink<Message, Error = axum::Error> + Unpin,
    mut source: impl Stream<Item = Result<Message, axum::Error>> + Unpin,
    events: impl Stream<Item = Next>,
    ended: impl Future<Output = CloseFrame>,
) {
    let why = tokio::select! {
        why = write(&mut sink, events) => why,
        why = listen(&mut source) => why,
        why = ended => Some(why),
    };
    let farewell = async {
        if let Some(why) = why {
            sink.send(Message::Close(Some(why))).await?;
        }
        // The peer's own last word.
        while source.next().await.transpose()?.is_some() {}
        Ok::<_, axum::Error>(())
    };
    match timeout(FAREWELL, farewell).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a socket ends without its last message"),
        Err(_elapsed) => tracing::debug!("a socket ends without its last message"),
    }
}

/// Sends until there are no more events; `None` when the peer is gone.
async fn write(
    sink: &mut (impl Sink<Message, Error = axum::Error> + Unpin),
    events: impl Stream<Item = Next>,
) -> Option<CloseFrame> {
    let mut events = std::pin::pin!(events);
    let mut pings = interval(PING);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            event = events.next() => match event? {
                Ok(event) => Message::Text(event),
                Err(why) => return Some(why),
            },
            _ = pings.tick() => Message::Ping(Vec::new().into()),
        };
        sink.send(message).await.ok()?;
    }
}

/// Ignores what the peer says until it says nothing any more; `None` when it has closed.
async fn listen(source: &mut (impl Stream<Item = Result<Message, axum::Error>> + Unpin)) -> Option<CloseFrame> {
    loop {
        match timeout(SILENCE, source.next()).await {
            Ok(None | Some(Ok(Message::Close(_)))) => return None,
            Ok(Some(Ok(_))) => {}
            // Too large, no WebSocket any more, or cut.
            Ok(Some(Err(error))) => {
                tracing::debug!(%error, "a socket's peer cannot be read");
                return Some(frame(close_code::POLICY, Code::InvalidRequest));
            }
            Err(_elapsed) => return Some(frame(close_code::POLICY, Code::Timeout)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use futures::channel::mpsc::{Receiver, Sender, channel};
    use futures::stream;

    use super::*;

    type Wire = (Sender<Result<Message, axum::Error>>, Receiver<Message>);

    /// A conversation without events, and the peer's side of it.
    fn conversation(ended: impl Future<Output = CloseFrame>) -> (impl Future<Output = ()>, Wire) {
        let (to_peer, from_server) = channel(64);
        let (to_server, from_peer) = channel(64);
        let sink = to_peer.sink_map_err(axum::Error::new);
        (talk(sink, from_peer, stream::pending(), ended), (to_server, from_server))
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_never_says_anything_is_pinged_and_then_left() {
        let (talk, (_silent, from_server)) = conversation(pending());
        talk.await;
        let said: Vec<_> = from_server.collect().await;
        let (last, pings) = said.split_last().unwrap();
        assert!(pings.len() >= 3 && pings.iter().all(|message| matches!(message, Message::Ping(_))), "{said:?}");
        assert_eq!(*last, Message::Close(Some(frame(close_code::POLICY, Code::Timeout))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_answers_pings_is_kept() {
        let (talk, (mut to_server, mut from_server)) = conversation(pending());
        let peer = async move {
            for _ in 0..20 {
                assert_eq!(from_server.next().await, Some(Message::Ping(Vec::new().into())));
                to_server.send(Ok(Message::Pong(Vec::new().into()))).await.unwrap();
            }
        };
        tokio::join!(talk, peer);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_may_no_longer_look_is_told() {
        let why = frame(close_code::POLICY, Code::Unauthenticated);
        let (talk, (_silent, from_server)) = conversation(ready(why.clone()));
        talk.await;
        assert_eq!(from_server.collect::<Vec<_>>().await.last(), Some(&Message::Close(Some(why))));
    }
}
