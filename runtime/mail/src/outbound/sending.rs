//! Sends what waits: a ticker looks for targets that something is due to, and has each served in a task of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream;
use futures::{FutureExt as _, StreamExt as _};
use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Registry};
use provost_domain::ids::ToolName;
use provost_domain::port::{
    Carried, Carrier, Clock, Message, Outbox, OutboxReads, Queued, StoreError, Then, Tried, TryAnswer,
};
use provost_domain::time::Timestamp;
use provost_engine::{Backoff, Next, Tasks, TickFailure, Ticker, TickerSettings};
use tokio::sync::Notify;

use super::retry::follow;

/// Messages to one target that are taken up together.
const TOGETHER: u32 = 16;
/// Messages to one target that are under way at once.
const AT_ONCE: usize = 4;
/// The pause after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// How long it sleeps at most: the machine's clock may be set.
const LOOK_AGAIN: Duration = Duration::from_mins(1);
/// How long one look may take: it reads counts from the store.
const LOOK_MAX: Duration = Duration::from_mins(1);

/// What the outbox stands on.
#[derive(Debug)]
pub struct OutgoingParts {
    /// Where messages are stored.
    pub outbox: Arc<dyn Outbox>,
    /// Where they are read.
    pub reads: Arc<dyn OutboxReads>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// How long a message is tried before it counts as failed.
    pub give_up_after: Duration,
    /// Where its figures are registered.
    pub metrics: Registry,
}

/// What the outbox and its rounds share.
#[derive(Debug)]
pub(super) struct MessageQueue {
    pub(super) parts: OutgoingParts,
    /// Who carries messages, by target.
    pub(super) carriers: RwLock<BTreeMap<ToolName, Arc<dyn Carrier>>>,
    /// Something is due sooner than it was.
    pub(super) came: Arc<Notify>,
    /// The targets that are being served.
    pub(super) busy: Mutex<BTreeSet<String>>,
    /// The targets whose last try did not work, since when.
    pub(super) away: Mutex<BTreeMap<String, Timestamp>>,
    pub(super) away_figure: IntGaugeVec,
    pub(super) tries: IntCounterVec,
    pub(super) waiting: IntGauge,
}

/// Looks for messages that are due: when one comes or a target is free again, and when the next one is due.
#[derive(Debug)]
pub(super) struct OutboxTicker {
    pub(super) queue: Arc<MessageQueue>,
    pub(super) tasks: Tasks,
}

#[async_trait]
impl Ticker for OutboxTicker {
    fn settings(&self) -> TickerSettings {
        TickerSettings {
            name: "outbox",
            first: Duration::ZERO,
            period: LOOK_AGAIN,
            jitter: 0.0,
            limit: LOOK_MAX,
            backoff: Backoff::doubling(STORE_PAUSE, LOOK_AGAIN),
        }
    }

    fn wake(&self) -> Option<Arc<Notify>> {
        Some(Arc::clone(&self.queue.came))
    }

    /// Has the targets served that something is due to. No target holds up another.
    async fn tick(&mut self) -> Result<Next, TickFailure> {
        let queued = self.queue.parts.reads.queued().await?;
        let now = self.queue.parts.clock.now();
        let busy = self.queue.busy().clone();
        let idle = queued.into_iter().filter(|queued| !busy.contains(&queued.target));
        let (due, later): (Vec<_>, Vec<_>) = idle.partition(|queued| queued.due_at(now) <= now);
        let next = later.iter().map(|queued| queued.due_at(now).since(now)).min();
        for Queued { target, .. } in due {
            self.serve(target);
        }
        Ok(next.map_or(Next::Period, Next::After))
    }
}

impl OutboxTicker {
    /// Serves a target in a task of its own.
    fn serve(&self, target: String) {
        self.queue.busy().insert(target.clone());
        let serving = Serving { queue: Arc::clone(&self.queue), target };
        drop(self.tasks.spawn_until_stopped("outbox", async move { serving.queue.serve(&serving.target).await }));
    }
}

/// A target that is being served, until this is dropped.
struct Serving {
    queue: Arc<MessageQueue>,
    target: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.queue.busy().remove(&self.target);
        self.queue.came.notify_one();
    }
}

impl MessageQueue {
    fn busy(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // A panic elsewhere cannot leave a half-done change.
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries what is due to one target, as much as is taken up together.
    async fn serve(&self, target: &str) {
        let sent = self.parts.reads.due(target, self.parts.clock.now(), TOGETHER).await;
        let tried = match sent {
            Ok(messages) => {
                let pause = self.carrier_to(target).and_then(|carrier| carrier.pause());
                let each = stream::iter(messages).map(|message| self.attempt(message, pause).boxed());
                let at_once = if pause.is_some() { 1 } else { AT_ONCE };
                each.buffer_unordered(at_once).fold(Ok(()), |all, one| ready(all.and(one))).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = tried {
            tracing::warn!(target, %error, "the outbox could not be kept; what was sent may be sent again");
            tokio::time::sleep(STORE_PAUSE).await;
        }
    }

    /// Whether a target takes what it is sent, after a try; a failing one since its first failure.
    fn note_away(&self, target: &ToolName, failed: Option<Timestamp>) {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        match failed {
            Some(at) => {
                away.entry(target.to_string()).or_insert(at);
            }
            None => {
                away.remove(target.as_str());
            }
        }
        self.away_figure.with_label_values(&[target.as_str()]).set(i64::from(failed.is_some()));
    }

    fn carrier_to(&self, target: &str) -> Option<Arc<dyn Carrier>> {
        let carriers = self.carriers.read().unwrap_or_else(PoisonError::into_inner);
        carriers.get(&ToolName::new(target)).cloned()
    }

    /// One try, and what it came to; then the pause that its target wants.
    async fn attempt(&self, message: Message, pause: Option<Duration>) -> Result<(), StoreError> {
        let Message { id, call, tries, since } = message;
        let result = match self.carrier_to(call.tool.as_str()) {
            Some(carrier) => carrier.carry(&call).await,
            None => Carried::NotYet { why: "its target is not configured; add it again".to_owned(), after: None },
        };
        let at = self.parts.clock.now();
        let (then, note) = follow(result, tries, at, since.plus(self.parts.give_up_after));
        let (target, session) = (&call.tool, call.session);
        let word = match then {
            Then::Sent => {
                tracing::info!(message = %id, %target, %session, "a message was sent");
                "sent"
            }
            Then::Again { at } => {
                tracing::warn!(message = %id, %target, %session, note, next = %at, "a message is tried again");
                "again"
            }
            Then::Failed => {
                tracing::error!(message = %id, %target, %session, note, "a message is not sent: see /v1/outbox");
                "failed"
            }
        };
        self.tries.with_label_values(&[target.as_str(), word]).inc();
        self.note_away(target, (then != Then::Sent).then_some(at));
        match self.parts.outbox.tried(&Tried { id: id.clone(), at, then, note }).await? {
            TryAnswer::Counted => {}
            TryAnswer::NotWaiting => tracing::warn!(message = %id, "a message was tried that does not wait any more"),
        }
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }
}
