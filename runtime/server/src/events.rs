//! A session's log as pages and as a stream, and hints about all sessions. A client that goes away cancels nothing.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::sse::{Event as Sent, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::stream::unfold;
use provost_domain::ids::{Seq, SessionId, TokenId};
use provost_domain::port::{Reads, SessionFilter};
use provost_domain::status::Status;
use provost_engine::{Engine, Hint, ReadError, Tail};
use provost_face::{Caller, Code, EventView, Page};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};
use utoipa::IntoParams;

use crate::batch::Batch;
use crate::extract::{ByToken, Named, Search};
use crate::feed::StreamPermit;
use crate::problem::{Problem, Problems};
use crate::standing::Standing;
use crate::state::Server;

/// A comment this often keeps proxies from closing a quiet stream.
const HEARTBEAT: Duration = Duration::from_secs(10);
const QUIET: &[u8] = b":\n\n";
/// Appends a reader of the store takes at once, and where its batches end, in bytes: a client that stopped reading costs
/// what was read for it and is not sent yet.
const CATCH_UP: u32 = 32;
const CATCH_UP_BYTES: usize = 4 * 1024;
/// Events of a page when the caller does not say.
const PAGE: usize = 200;
/// Most events of a page.
const PAGE_MAX: usize = 1000;
/// Sessions in the snapshot a stream of hints begins with: the newest.
const SNAPSHOT_MAX: u32 = 500;

/// From where.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventsQuery {
    /// Only events after this one.
    after: Option<u64>,
    /// At most this many, for pages.
    #[param(minimum = 1, maximum = 1000)]
    page_size: Option<usize>,
}

/// A session's events: a page of JSON, or with `Accept: text/event-stream` a stream that goes on as the session does. The
/// stream's ids are the log's positions; `Last-Event-ID` or `after` continues it without a gap.
#[utoipa::path(get, path = "/v1/sessions/{session}/events", tag = "sessions",
    params(("session" = String, Path), EventsQuery),
    responses((status = 200, content((Page<EventView> = "application/json"), (String = "text/event-stream"))),
        Problems))]
pub(crate) async fn events(
    State(server): State<Server>,
    Named(id): Named,
    Search(query): Search<EventsQuery>,
    ByToken(caller, token): ByToken,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = Seq(last_event_id(&headers)?.or(query.after).unwrap_or(0));
    if wants_stream(&headers) {
        server.lookups().reached(&caller, id, after).await?;
        let body = Following::begin(&server, &token, id, after).await?.body(Standing::begin(&server, &headers));
        let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
        return Ok((headers, body).into_response());
    }
    let size = match query.page_size.unwrap_or(PAGE) {
        size @ 1..=PAGE_MAX => size,
        size => return Err(Problem::new(Code::InvalidRequest, format!("page_size is 1 to {PAGE_MAX}, not {size}"))),
    };
    Ok(Json(server.lookups().log_page(&caller, id, after, size).await?).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| Problem::new(Code::InvalidRequest, "Last-Event-ID is the position of an event"))
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/event-stream"))
}

/// One reader of a session's events: from the store until it has caught up, then from the feed; on a gap, from the store
/// again.
#[derive(Debug)]
pub(crate) struct Following {
    engine: Engine,
    id: SessionId,
    after: Seq,
    /// Set while it reads the store.
    tail: Option<Tail>,
    ready: VecDeque<Arc<Batch>>,
    live: Receiver<Arc<Batch>>,
    /// Given back when the stream ends.
    _permit: StreamPermit,
}

impl Following {
    /// Begins after a position the log has reached.
    pub(crate) async fn begin(server: &Server, token: &TokenId, id: SessionId, after: Seq) -> Result<Self, Problem> {
        let reads = server.engine().reads();
        // What stood before its tombstone is gone; whoever has read that far is told of the tombstone itself.
        if reads.session(id).await?.erased_at.is_some()
            && let Some(tombstone) = provost_engine::tombstone(&**reads, id).await?
            && after.0 < tombstone.erased.events
        {
            return Err(ReadError::Erased(Box::new(tombstone)).into());
        }
        let permit = server.feed().permit(token)?;
        let live = server.feed().follow(id).await?;
        let tail = Some(Tail::new(id, after));
        Ok(Self { engine: server.engine().clone(), id, after, tail, ready: VecDeque::new(), live, _permit: permit })
    }

    /// As server-sent events, as long as the caller may look.
    fn body(self, standing: Standing) -> Body {
        Body::from_stream(unfold((self, standing), |(mut following, mut standing)| async move {
            standing.check().await.ok()?;
            let bytes = match timeout_at(pause_end(&standing), following.next()).await {
                Ok(Some((batch, after))) => batch.stream(after),
                Ok(None) => return None,
                Err(_quiet) => Bytes::from_static(QUIET),
            };
            Some((Ok::<_, Infallible>(bytes), (following, standing)))
        }))
    }

    /// The next events: those of a batch after a position. `None` when the engine ends or the store fails: the client
    /// comes again and continues. Nothing is lost when this is not waited for to its end.
    pub(crate) async fn next(&mut self) -> Option<(Arc<Batch>, Seq)> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                let after = std::mem::replace(&mut self.after, batch.last());
                return Some((batch, after));
            }
            if let Some(tail) = &mut self.tail {
                let reads: &dyn Reads = &**self.engine.reads();
                match tail.next_of(reads, CATCH_UP).await {
                    Ok(events) if events.is_empty() => self.tail = None,
                    Ok(events) => self.ready.extend(Batch::all(&events, CATCH_UP_BYTES)),
                    Err(error) => {
                        tracing::warn!(session = %self.id, %error, "a stream ends");
                        return None;
                    }
                }
                continue;
            }
            let stopped = self.engine.stopped();
            match stopped.run_until_cancelled(self.live.recv()).await? {
                Ok(batch) if batch.last() <= self.after => {}
                Ok(batch) if batch.first() <= self.after.next() => self.ready.push_back(batch),
                Ok(_) | Err(RecvError::Lagged(_)) => self.tail = Some(Tail::new(self.id, self.after)),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

/// How long a quiet stream waits: until a heartbeat is due, or another look at the caller.
fn pause_end(standing: &Standing) -> Instant {
    standing.due().min(Instant::now() + HEARTBEAT)
}

/// Wake-ups about all sessions as a stream: first a `snapshot` of the newest, then a `hint` whenever a log grew. A hint
/// says where the head is; the events are read per session. After an overload there is another snapshot.
#[utoipa::path(get, path = "/v1/stream", tag = "sessions",
    responses((status = 200, content((String = "text/event-stream"))), Problems))]
pub(crate) async fn stream(
    State(server): State<Server>,
    ByToken(caller, token): ByToken,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let permit = server.feed().permit(&token)?;
    let standing = Standing::begin(&server, &headers);
    let hints = server.engine().hints();
    let hinting = Hinting { server, caller, hints, snapshot_due: true, _permit: permit };
    let stream = unfold((hinting, standing), |(mut hinting, mut standing)| async move {
        standing.check().await.ok()?;
        let sent = match timeout_at(pause_end(&standing), hinting.next()).await {
            Ok(sent) => sent?,
            Err(_quiet) => Sent::default().comment(""),
        };
        Some((Ok::<_, Infallible>(sent), (hinting, standing)))
    });
    Ok(Sse::new(stream).into_response())
}

struct Hinting {
    server: Server,
    caller: Caller,
    hints: Receiver<Hint>,
    snapshot_due: bool,
    /// Given back when the stream ends.
    _permit: StreamPermit,
}

impl Hinting {
    async fn next(&mut self) -> Option<Sent> {
        loop {
            if self.snapshot_due {
                let snapshot = self.snapshot().await;
                self.snapshot_due = false;
                return snapshot;
            }
            let stopped = self.server.engine().stopped();
            match stopped.run_until_cancelled(self.hints.recv()).await? {
                Ok(hint) => {
                    let status = hint.status.as_ref().map_or("", Status::as_str);
                    let data = json!({
                        "session": hint.session, "head_seq": hint.head_seq, "status": status, "ended": hint.ended,
                    });
                    return Some(Sent::default().event("hint").data(data.to_string()));
                }
                Err(RecvError::Lagged(_)) => self.snapshot_due = true,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    async fn snapshot(&self) -> Option<Sent> {
        let filter = SessionFilter { limit: SNAPSHOT_MAX, ..SessionFilter::default() };
        match self.server.lookups().sessions(&self.caller, &filter).await {
            Ok(page) => Some(Sent::default().event("snapshot").data(json!(page.items).to_string())),
            Err(error) => {
                tracing::warn!(%error, "a stream ends");
                None
            }
        }
    }
}
