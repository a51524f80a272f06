//! Live events for many readers of few sessions: each followed session is read from the store and rendered once, however
//! many follow it. A reader that falls behind reads the store itself; nobody waits for it, and what it costs is bounded.
//!
//! The more readers a session has, the more of its events come to them at once: what it costs to wake and to serve them
//! stays a small share of the machine, and one reader alone waits for nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use provost_domain::ids::{SessionId, TokenId};
use provost_domain::port::StoreError;
use provost_engine::{Engine, Hint, ReadError, Tail};
use provost_face::Code;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, broadcast};
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

use crate::batch::Batch;
use crate::problem::Problem;

/// Batches kept for a slow reader of a session; one that falls behind further reads the store.
const BATCHES_MAX: usize = 32;
/// Where a batch ends, in bytes: those kept of a session are some two mebibytes, whatever it does.
const BATCH_BYTES: usize = 64 * 1024;
/// The pause between two batches for each reader: to serve one takes some ten microseconds, and 500 get ten batches a
/// second.
const PAUSE_PER_READER: Duration = Duration::from_micros(200);
/// Streams at once: bounds memory. They never take more than half of the connections.
const STREAMS_MAX: usize = 2000;

#[derive(Debug)]
struct Followed {
    /// The session's log grew.
    grown: Arc<Notify>,
    sender: broadcast::Sender<Arc<Batch>>,
}

type Sessions = Arc<Mutex<HashMap<SessionId, Followed>>>;

/// The live events of one engine's sessions.
#[derive(Debug)]
pub(crate) struct Feed {
    engine: Engine,
    sessions: Sessions,
    tasks: TaskTracker,
    streams: Arc<Semaphore>,
    /// How many streams there may be, and how many of them one token may have.
    most: usize,
    most_by_token: usize,
    by_token: Arc<Mutex<HashMap<TokenId, usize>>>,
}

/// The right to keep a stream open, given back when dropped.
#[derive(Debug)]
pub(crate) struct StreamPermit {
    token: TokenId,
    by_token: Arc<Mutex<HashMap<TokenId, usize>>>,
    _of_all: OwnedSemaphorePermit,
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut by_token = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_token.get_mut(&self.token) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                by_token.remove(&self.token);
            }
        }
    }
}

fn lock(sessions: &Sessions) -> MutexGuard<'_, HashMap<SessionId, Followed>> {
    // A panic elsewhere cannot leave a half-done change.
    sessions.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Feed {
    /// Begins to follow the engine's hints, until it stops; for a server with so many connections.
    pub(crate) fn start(engine: &Engine, connections: usize) -> Self {
        let (sessions, tasks) = (Sessions::default(), TaskTracker::new());
        let most = STREAMS_MAX.min(connections / 2).max(1);
        let feed = Self {
            engine: engine.clone(),
            sessions: Arc::clone(&sessions),
            tasks,
            streams: Arc::new(Semaphore::new(most)),
            most,
            most_by_token: most.div_ceil(4),
            by_token: Arc::default(),
        };
        feed.spawn(pass_on(engine.hints(), sessions));
        feed
    }

    /// Runs until the engine stops.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopped = self.engine.stopped();
        drop(self.tasks.spawn(async move { stopped.run_until_cancelled(work).await }));
    }

    /// How many streams are open.
    pub(crate) fn streams(&self) -> usize {
        self.most.saturating_sub(self.streams.available_permits())
    }

    /// The right to keep a stream open, for the holder of a token.
    pub(crate) fn permit(&self, token: &TokenId) -> Result<StreamPermit, Problem> {
        let full = |many: usize, whose: &str| {
            Problem::new(Code::TooManyStreams, format!("{many} streams {whose}are open; close some and try again"))
        };
        let of_all = Arc::clone(&self.streams).try_acquire_owned().map_err(|_full| full(self.most, ""))?;
        let mut by_token = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        let count = by_token.entry(token.clone()).or_default();
        if *count >= self.most_by_token {
            return Err(full(self.most_by_token, "of this token "));
        }
        *count += 1;
        Ok(StreamPermit { token: token.clone(), by_token: Arc::clone(&self.by_token), _of_all: of_all })
    }

    /// The session's events from about now on; what came before is in the store.
    pub(crate) async fn follow(&self, id: SessionId) -> Result<broadcast::Receiver<Arc<Batch>>, StoreError> {
        if let Some(followed) = lock(&self.sessions).get(&id) {
            return Ok(followed.sender.subscribe());
        }
        let head = self.engine.reads().session(id).await?.head_seq;
        let mut sessions = lock(&self.sessions);
        if let Some(followed) = sessions.get(&id) {
            return Ok(followed.sender.subscribe());
        }
        let (sender, receiver) = broadcast::channel(BATCHES_MAX);
        let followed = Followed { grown: Arc::default(), sender };
        let reading = Reading {
            engine: self.engine.clone(),
            sessions: Arc::clone(&self.sessions),
            id,
            tail: Tail::new(id, head),
            grown: Arc::clone(&followed.grown),
            sender: followed.sender.clone(),
        };
        self.spawn(reading.run());
        sessions.insert(id, followed);
        Ok(receiver)
    }
}

/// Wakes the readings of sessions that grew.
async fn pass_on(mut hints: broadcast::Receiver<Hint>, sessions: Sessions) {
    loop {
        match hints.recv().await {
            Ok(hint) => lock(&sessions).get(&hint.session).into_iter().for_each(|followed| followed.grown.notify_one()),
            // Some hints are lost: any session may have grown.
            Err(RecvError::Lagged(_)) => lock(&sessions).values().for_each(|followed| followed.grown.notify_one()),
            Err(RecvError::Closed) => return,
        }
    }
}

/// Reads one followed session as it grows, as long as anybody follows it.
struct Reading {
    engine: Engine,
    sessions: Sessions,
    id: SessionId,
    tail: Tail,
    grown: Arc<Notify>,
    sender: broadcast::Sender<Arc<Batch>>,
}

impl Reading {
    async fn run(mut self) {
        loop {
            // First of all once without a hint: it may have come before anybody followed.
            if let Err(error) = self.publish().await {
                tracing::warn!(session = %self.id, %error, "a followed session cannot be read; its readers begin anew");
                lock(&self.sessions).remove(&self.id);
                return;
            }
            let readers = u32::try_from(self.sender.receiver_count()).unwrap_or(u32::MAX);
            sleep(PAUSE_PER_READER.saturating_mul(readers)).await;
            tokio::select! {
                () = self.grown.notified() => {}
                () = self.sender.closed() => if self.is_forgotten() { return }
            }
        }
    }

    /// Reads what is new and hands it to the readers.
    async fn publish(&mut self) -> Result<(), ReadError> {
        loop {
            let events = self.tail.next(&**self.engine.reads()).await?;
            if events.is_empty() {
                return Ok(());
            }
            for batch in Batch::all(&events, BATCH_BYTES) {
                // Nobody listening any more is fine.
                drop(self.sender.send(batch));
            }
        }
    }

    /// Whether there is still no reader; then the next one begins anew.
    fn is_forgotten(&self) -> bool {
        let mut sessions = lock(&self.sessions);
        let unread = self.sender.receiver_count() == 0;
        if unread {
            sessions.remove(&self.id);
        }
        unread
    }
}
