//! The outbox at work: messages are stored, then sent in the background until their targets took them. What a dead process
//! left is sent by the next one, under the same keys.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, FuturesUnordered};
use futures::{FutureExt as _, StreamExt as _};
use prometheus::proto::MetricFamily;
use prometheus::{IntCounterVec, IntGauge, Opts, Registry};
use provost_domain::ids::{MessageId, ToolName};
use provost_domain::port::{
    Carried, Carrier, Clock, Message, MessageRow, NewMessage, Outbox, OutboxReads, PAUSE_MAX, StoreError, Then, Tried,
};
use provost_domain::time::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The pause after the first try; each further one is twice as long.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
/// The longest pause of our own; a target may ask for [`PAUSE_MAX`].
const OWN_MAX: Duration = Duration::from_mins(5);
/// Messages to one target that are taken up together.
const TOGETHER: u32 = 16;
/// Messages to one target that are under way at once.
const AT_ONCE: usize = 4;
/// The pause after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// How long it sleeps at most: the machine's clock may be set.
const LOOK_AGAIN: Duration = Duration::from_mins(1);
/// Longest note, in characters.
const NOTE_MAX: usize = 500;

/// Who carries messages, by target.
type Carriers = BTreeMap<ToolName, Arc<dyn Carrier>>;

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
}

#[derive(Debug)]
struct Inner {
    parts: OutgoingParts,
    carriers: RwLock<Carriers>,
    /// Something is due sooner than it was.
    came: Notify,
    registry: Registry,
    tries: IntCounterVec,
    waiting: IntGauge,
}

/// Stores messages and sends them. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Outgoing(Arc<Inner>);

impl Outgoing {
    /// An outbox that sends nothing yet.
    ///
    /// # Errors
    /// Its figures cannot be kept.
    pub fn new(parts: OutgoingParts) -> prometheus::Result<Self> {
        let tries = Opts::new("provost_outbox_tries_total", "Tries at messages to the outside.");
        let tries = IntCounterVec::new(tries, &["target", "result"])?;
        let waiting = IntGauge::new("provost_outbox_waiting", "Messages to the outside that are not sent yet.")?;
        let registry = Registry::new();
        registry.register(Box::new(tries.clone()))?;
        registry.register(Box::new(waiting.clone()))?;
        let carriers = RwLock::default();
        Ok(Self(Arc::new(Inner { parts, carriers, came: Notify::new(), registry, tries, waiting })))
    }

    /// Sends with these from now on.
    pub fn carry_with(&self, carriers: BTreeMap<ToolName, Arc<dyn Carrier>>) {
        *self.0.carriers.write().unwrap_or_else(PoisonError::into_inner) = carriers;
    }

    /// Begins to send: at once what a dead process left, and until `stopped`. What is under way then is sent again by the
    /// next process.
    pub fn start(&self, stopped: CancellationToken) {
        let inner = Arc::clone(&self.0);
        drop(TaskTracker::new().spawn(async move { stopped.run_until_cancelled(inner.run()).await }));
    }

    pub(crate) fn reads(&self) -> &dyn OutboxReads {
        &*self.0.parts.reads
    }

    /// Has a message tried again now. `None` when it was sent.
    pub(crate) async fn again(&self, id: &MessageId) -> Result<Option<MessageRow>, StoreError> {
        let parts = &self.0.parts;
        let waits = parts.outbox.again(id, parts.clock.now()).await?;
        let row = parts.reads.message(id).await?;
        self.0.came.notify_one();
        Ok(waits.then_some(row))
    }

    /// Its figures.
    pub(crate) async fn gather(&self) -> Result<Vec<MetricFamily>, StoreError> {
        let count = self.0.parts.reads.queued().await?.iter().map(|queued| queued.count).sum::<u64>();
        self.0.waiting.set(i64::try_from(count).unwrap_or(i64::MAX));
        Ok(self.0.registry.gather())
    }
}

#[async_trait]
impl Outbox for Outgoing {
    async fn enqueue(&self, message: NewMessage) -> Result<bool, StoreError> {
        let fresh = self.0.parts.outbox.enqueue(message).await?;
        self.0.came.notify_one();
        Ok(fresh)
    }

    async fn tried(&self, tried: &Tried) -> Result<bool, StoreError> {
        self.0.parts.outbox.tried(tried).await
    }

    async fn again(&self, id: &MessageId, at: Timestamp) -> Result<bool, StoreError> {
        let waits = self.0.parts.outbox.again(id, at).await?;
        self.0.came.notify_one();
        Ok(waits)
    }
}

impl Inner {
    async fn run(&self) {
        let mut busy = BTreeSet::new();
        let mut under_way = FuturesUnordered::new();
        loop {
            let (due, pause) = self.look(&busy).await;
            for target in due {
                busy.insert(target.clone());
                under_way.push(self.serve(target));
            }
            tokio::select! {
                // In order, not by lot: the simulation replays it.
                biased;
                Some(target) = under_way.next() => drop(busy.remove(&target)),
                () = self.came.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// The targets to send to now, and how long until the next one. No target holds up another.
    async fn look(&self, busy: &BTreeSet<String>) -> (Vec<String>, Duration) {
        let queued = match self.parts.reads.queued().await {
            Ok(queued) => queued,
            Err(error) => {
                tracing::warn!(%error, "looking for messages to send");
                return (Vec::new(), STORE_PAUSE);
            }
        };
        let now = self.parts.clock.now();
        let idle = queued.into_iter().filter(|queued| !busy.contains(&queued.target));
        let (due, later): (Vec<_>, Vec<_>) = idle.partition(|queued| queued.due_at(now) <= now);
        let next = later.iter().map(|queued| queued.due_at(now).since(now)).min();
        let due = due.into_iter().map(|queued| queued.target).collect();
        (due, next.unwrap_or(LOOK_AGAIN).min(LOOK_AGAIN))
    }

    /// Tries what is due to one target, as much as is taken up together. Returns the target.
    async fn serve(&self, target: String) -> String {
        let sent = self.parts.reads.due(&target, self.parts.clock.now(), TOGETHER).await;
        let tried = match sent {
            Ok(messages) => {
                let each = stream::iter(messages).map(|message| self.attempt(message).boxed());
                each.buffer_unordered(AT_ONCE).fold(Ok(()), |all, one| ready(all.and(one))).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = tried {
            tracing::warn!(target, %error, "the outbox could not be kept; what was sent may be sent again");
            tokio::time::sleep(STORE_PAUSE).await;
        }
        target
    }

    /// One try, and what it came to.
    async fn attempt(&self, message: Message) -> Result<(), StoreError> {
        let Message { id, call, tries, since } = message;
        let carrier = self.carriers.read().unwrap_or_else(PoisonError::into_inner).get(&call.tool).cloned();
        let result = match carrier {
            Some(carrier) => carrier.carry(&call).await,
            None => Carried::NotYet { why: "no such target is configured; add it again".to_owned(), after: None },
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
        self.parts.outbox.tried(&Tried { id, at, then, note }).await.map(drop)
    }
}

/// What follows a try, the last one no later than `end`.
fn follow(carried: Carried, tries: u64, now: Timestamp, end: Timestamp) -> (Then, String) {
    let (why, after) = match carried {
        Carried::Taken => return (Then::Sent, String::new()),
        Carried::Refused { why } => return (Then::Failed, short(&why)),
        Carried::NotYet { why, after } => (why, after),
    };
    let doubled = PAUSE_FIRST.saturating_mul(1 << tries.min(16)).min(OWN_MAX);
    let next = now.plus(doubled.max(after.unwrap_or_default().min(PAUSE_MAX)));
    if next > end {
        return (Then::Failed, short(&format!("tried for long enough; last: {why}")));
    }
    (Then::Again { at: next }, short(&why))
}

fn short(note: &str) -> String {
    note.chars().take(NOTE_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later(after: Option<Duration>) -> Carried {
        Carried::NotYet { why: "busy".to_owned(), after }
    }

    #[test]
    fn pauses_double_up_to_a_bound_and_are_as_long_as_asked() {
        let (now, end) = (Timestamp::default(), Timestamp::default().plus(Duration::from_hours(24)));
        let pause = |tries, after| match follow(later(after), tries, now, end) {
            (Then::Again { at }, note) => {
                assert_eq!(note, "busy");
                at.since(now)
            }
            other => panic!("{other:?}"),
        };
        let seconds: Vec<u64> = (0..11).map(|tries| pause(tries, None).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(pause(u64::MAX, None), OWN_MAX);
        assert_eq!(pause(0, Some(Duration::from_secs(90))).as_secs(), 90);
        assert_eq!(pause(3, Some(Duration::from_secs(2))).as_secs(), 8);
        assert_eq!(pause(0, Some(Duration::from_hours(900))), PAUSE_MAX);
    }

    #[test]
    fn a_refusal_and_old_age_are_final() {
        let (now, end) = (Timestamp::from_micros(0), Timestamp::from_micros(1_000_000));
        assert_eq!(follow(Carried::Taken, 9, now, now), (Then::Sent, String::new()));
        let refused = Carried::Refused { why: "x".repeat(900) };
        assert_eq!(follow(refused, 0, now, end), (Then::Failed, "x".repeat(NOTE_MAX)));
        assert_eq!(follow(later(None), 0, now, end).0, Then::Again { at: end });
        let (then, note) = follow(later(None), 1, now, end);
        assert_eq!((then, note.as_str()), (Then::Failed, "tried for long enough; last: busy"));
    }
}
