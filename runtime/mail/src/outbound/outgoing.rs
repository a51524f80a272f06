//! The outbox at work: messages are stored, then sent in the background until their targets took them. What a dead process
//! left is sent by the next one, under the same keys.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Opts};
use provost_domain::ids::{MessageId, ToolName};
use provost_domain::port::{
    AgainAnswer, Carrier, EnqueueAnswer, MessageRow, NewMessage, Outbox, OutboxReads, StoreError, Tried, TryAnswer,
};
use provost_domain::time::Timestamp;
use provost_engine::Engine;

use super::sending::{MessageQueue, OutboxTicker, OutgoingParts};

/// Stores messages and sends them. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Outgoing(Arc<MessageQueue>);

impl Outgoing {
    /// An outbox that sends nothing yet.
    ///
    /// # Errors
    /// Its figures cannot be kept.
    pub fn new(parts: OutgoingParts) -> prometheus::Result<Self> {
        let tries = Opts::new("provost_outbox_tries_total", "Tries at messages to the outside.");
        let tries = IntCounterVec::new(tries, &["target", "result"])?;
        let waiting = IntGauge::new("provost_outbox_waiting", "Messages to the outside that are not sent yet.")?;
        let away_figure = Opts::new("provost_outbox_target_away", "Whether the last try at a target failed.");
        let away_figure = IntGaugeVec::new(away_figure, &["target"])?;
        parts.metrics.register(Box::new(away_figure.clone()))?;
        parts.metrics.register(Box::new(tries.clone()))?;
        parts.metrics.register(Box::new(waiting.clone()))?;
        let carriers = RwLock::default();
        Ok(Self(Arc::new(MessageQueue {
            parts,
            carriers,
            came: Arc::default(),
            busy: Mutex::default(),
            away: Mutex::default(),
            away_figure,
            tries,
            waiting,
        })))
    }

    /// Sends with these from now on.
    pub fn carry_with(&self, carriers: BTreeMap<ToolName, Arc<dyn Carrier>>) {
        *self.0.carriers.write().unwrap_or_else(PoisonError::into_inner) = carriers;
    }

    /// Begins to send: at once what a dead process left, and until the engine stops. What is under way then is sent again
    /// by the next process.
    pub fn start(&self, engine: &Engine) {
        let ticker = OutboxTicker { queue: Arc::clone(&self.0), tasks: engine.tasks().clone() };
        // It goes on until the engine stops.
        drop(engine.start_ticker(ticker));
    }

    /// The targets whose last try did not work, each with when that began, as far as this process knows.
    pub fn away(&self) -> BTreeMap<String, Timestamp> {
        self.0.away.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where messages are read.
    pub fn reads(&self) -> &Arc<dyn OutboxReads> {
        &self.0.parts.reads
    }

    /// Looks for messages now: some were stored beside it.
    pub(crate) fn wake(&self) {
        self.0.came.notify_one();
    }

    /// Has a message tried again now. `None` when it was sent.
    pub async fn again(&self, id: &MessageId) -> Result<Option<MessageRow>, StoreError> {
        let parts = &self.0.parts;
        let again = parts.outbox.again(id, parts.clock.now()).await?;
        let row = parts.reads.message(id).await?;
        self.0.came.notify_one();
        Ok(match again {
            AgainAnswer::Due => Some(row),
            AgainAnswer::NothingToSend => None,
        })
    }

    /// Brings the figures up to date that the store alone knows.
    pub async fn measure(&self) -> Result<(), StoreError> {
        let count = self.0.parts.reads.queued().await?.iter().map(|queued| queued.count).sum::<u64>();
        self.0.waiting.set(i64::try_from(count).unwrap_or(i64::MAX));
        Ok(())
    }
}

#[async_trait]
impl Outbox for Outgoing {
    async fn enqueue(&self, message: NewMessage) -> Result<EnqueueAnswer, StoreError> {
        let fresh = self.0.parts.outbox.enqueue(message).await?;
        self.0.came.notify_one();
        Ok(fresh)
    }

    async fn tried(&self, tried: &Tried) -> Result<TryAnswer, StoreError> {
        self.0.parts.outbox.tried(tried).await
    }

    async fn again(&self, id: &MessageId, at: Timestamp) -> Result<AgainAnswer, StoreError> {
        let waits = self.0.parts.outbox.again(id, at).await?;
        self.0.came.notify_one();
        Ok(waits)
    }
}
