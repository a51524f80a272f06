//! Live events for many readers of few sessions: each followed session is read from the store once, however many follow
//! it. A reader that falls behind reads the store itself; nobody waits for it, and what it costs is bounded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use provost_domain::event::Event;
use provost_domain::ids::{Seq, SessionId};
use provost_domain::port::StoreError;
use provost_engine::{Engine, Hint, ReadError, Tail};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc};
use tokio_util::task::TaskTracker;

use crate::codes::Code;
use crate::problem::Problem;

/// Events kept for a slow reader of a session; one that falls behind further reads the store.
const EVENTS_MAX: usize = 256;
/// Streams at once: bounds memory and open connections.
const STREAMS_MAX: usize = 2000;
/// Sessions that newly want to be followed and wait for it.
const POKES_MAX: usize = 1024;

/// An event as every reader sends it, rendered once.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) seq: Seq,
    pub(crate) kind: &'static str,
    pub(crate) json: String,
}

impl From<&Event> for Shown {
    fn from(event: &Event) -> Self {
        Self { seq: event.seq, kind: event.body.kind(), json: event.to_json().to_string() }
    }
}

#[derive(Debug)]
struct Followed {
    tail: Tail,
    sender: broadcast::Sender<Arc<Shown>>,
}

type Sessions = Arc<Mutex<HashMap<SessionId, Followed>>>;

/// The live events of one engine's sessions.
#[derive(Debug)]
pub(crate) struct Feed {
    engine: Engine,
    sessions: Sessions,
    pokes: mpsc::Sender<SessionId>,
    streams: Arc<Semaphore>,
}

fn lock(sessions: &Sessions) -> MutexGuard<'_, HashMap<SessionId, Followed>> {
    // A panic elsewhere cannot leave a half-done change.
    sessions.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Feed {
    /// Begins to follow the engine's hints, until it stops.
    pub(crate) fn start(engine: &Engine) -> Self {
        let (pokes, asked) = mpsc::channel(POKES_MAX);
        let sessions = Sessions::default();
        let hub = Hub { engine: engine.clone(), sessions: Arc::clone(&sessions), hints: engine.hints(), asked };
        let tasks = TaskTracker::new();
        let stopped = engine.stopped();
        drop(tasks.spawn(async move { stopped.run_until_cancelled(hub.run()).await }));
        Self { engine: engine.clone(), sessions, pokes, streams: Arc::new(Semaphore::new(STREAMS_MAX)) }
    }

    /// How many streams are open.
    pub(crate) fn streams(&self) -> usize {
        STREAMS_MAX.saturating_sub(self.streams.available_permits())
    }

    /// The right to keep a stream open.
    pub(crate) fn permit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.streams).try_acquire_owned().map_err(|_full| {
            Problem::new(Code::TooManyStreams, format!("{STREAMS_MAX} streams are open; close some and try again"))
        })
    }

    /// The session's events from about now on; what came before is in the store.
    pub(crate) async fn follow(&self, id: SessionId) -> Result<broadcast::Receiver<Arc<Shown>>, StoreError> {
        if let Some(followed) = lock(&self.sessions).get(&id) {
            return Ok(followed.sender.subscribe());
        }
        let head = self.engine.reads().session(id).await?.head_seq;
        let receiver = {
            let mut sessions = lock(&self.sessions);
            let fresh = || Followed { tail: Tail::new(id, head), sender: broadcast::channel(EVENTS_MAX).0 };
            sessions.entry(id).or_insert_with(fresh).sender.subscribe()
        };
        // Events between the read above and the entry have had their hint already.
        if self.pokes.send(id).await.is_err() {
            tracing::debug!(session = %id, "the engine ends");
        }
        Ok(receiver)
    }
}

/// Reads the followed sessions, one after the other, as hints come.
struct Hub {
    engine: Engine,
    sessions: Sessions,
    hints: broadcast::Receiver<Hint>,
    asked: mpsc::Receiver<SessionId>,
}

impl Hub {
    async fn run(mut self) {
        loop {
            let due = tokio::select! {
                hint = self.hints.recv() => match hint {
                    Ok(hint) => vec![hint.session],
                    // Some hints are lost: any session may have grown.
                    Err(RecvError::Lagged(_)) => lock(&self.sessions).keys().copied().collect(),
                    Err(RecvError::Closed) => return,
                },
                Some(session) = self.asked.recv() => vec![session],
            };
            for session in due {
                if let Err(error) = self.read(session).await {
                    tracing::warn!(%session, %error, "a followed session cannot be read; its readers begin anew");
                    lock(&self.sessions).remove(&session);
                }
            }
        }
    }

    /// Reads what is new of a followed session and hands it to its readers.
    async fn read(&self, session: SessionId) -> Result<(), ReadError> {
        let found = lock(&self.sessions).get(&session).map(|followed| (followed.tail.clone(), followed.sender.clone()));
        let Some((mut tail, sender)) = found else { return Ok(()) };
        if sender.receiver_count() == 0 {
            self.forget_unread(session);
            return Ok(());
        }
        loop {
            let events = tail.next(&**self.engine.reads()).await?;
            if events.is_empty() {
                break;
            }
            for event in &events {
                // Nobody listening any more is fine.
                drop(sender.send(Arc::new(Shown::from(event))));
            }
        }
        if let Some(followed) = lock(&self.sessions).get_mut(&session) {
            followed.tail = tail;
        }
        Ok(())
    }

    fn forget_unread(&self, session: SessionId) {
        let mut sessions = lock(&self.sessions);
        if sessions.get(&session).is_some_and(|followed| followed.sender.receiver_count() == 0) {
            sessions.remove(&session);
        }
    }
}
