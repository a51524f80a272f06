//! Notices: stored by the real tool, sent by the real outbox, taken by a target that may lose them, answer late, or refuse.

use std::sync::Arc;

use async_trait::async_trait;
use provost_domain::ids::MessageId;
use provost_domain::port::{
    AgainAnswer, Carried, Carrier, EnqueueAnswer, Message, MessageFilter, MessageRow, NewMessage, Outbox, OutboxReads,
    Queued, StoreError, Then, Tried, TryAnswer,
};
use provost_domain::time::Timestamp;
use provost_domain::tool::{EffectClass, ToolCall, ToolOutcome};
use serde_json::Value;

use crate::dice::Dice;
use crate::gate::Gate;
use crate::ledger::Ledger;
use crate::link::Link;
use crate::witness::{Witness, beside};

/// The slowest way to a target or back.
const WAY_MS: u64 = 2_000;
/// The longest pause a target asks for.
const ASKED_MS: u64 = 20_000;

/// The target of all notices as one node reaches it.
#[derive(Debug)]
pub(crate) struct Courier {
    witness: Arc<Witness>,
    gate: Gate,
    dice: Dice,
}

impl Courier {
    /// Of one node.
    pub(crate) fn new(witness: Arc<Witness>, gate: Gate, dice: Dice) -> Arc<Self> {
        Arc::new(Self { witness, gate, dice })
    }

    /// Sends it. It arrives, whatever becomes of its node.
    async fn send(&self, call: &ToolCall) {
        let request = self.witness.begin(call, EffectClass::Idempotent, self.gate.life());
        let (way, witness, call) = (self.dice.millis(WAY_MS), Arc::clone(&self.witness), call.clone());
        let arrived = beside(async move {
            tokio::time::sleep(way).await;
            witness.arrive(&call, request, &ToolOutcome::Ok { content: Value::Null })
        });
        drop(arrived.await);
    }
}

#[async_trait]
impl Carrier for Courier {
    async fn carry(&self, call: &ToolCall) -> Carried {
        self.gate.pass().await;
        let mood = self.dice.below(100);
        if !matches!(mood, 0..10) {
            self.send(call).await;
        }
        tokio::time::sleep(self.dice.millis(WAY_MS)).await;
        self.gate.pass().await;
        match mood {
            0 => {
                self.witness.refuse(call);
                Carried::Refused { why: "as told".to_owned() }
            }
            1..4 => Carried::NotYet { why: "busy".to_owned(), after: Some(self.dice.millis(ASKED_MS)) },
            4..20 => Carried::NotYet { why: "the answer was lost".to_owned(), after: None },
            _ => Carried::Taken,
        }
    }
}

#[async_trait]
impl Outbox for Ledger {
    async fn enqueue(&self, message: NewMessage) -> Result<EnqueueAnswer, StoreError> {
        let call = &message.call;
        if let Some(problem) = self.undue(call.session, &call.call, &call.args) {
            self.problem(call.session, &format!("a notice of {} was stored {problem}", call.call));
        }
        self.store().enqueue(message).await
    }

    async fn tried(&self, tried: &Tried) -> Result<TryAnswer, StoreError> {
        let noted = self.store().tried(tried).await?;
        if noted == TryAnswer::Counted && tried.then == Then::Sent {
            let row = self.store().message(&tried.id).await?;
            if !self.deeds().happened_under(&row.key) {
                self.problem(row.session, &format!("the notice {} counts as sent, and was not", row.key));
            }
        }
        Ok(noted)
    }

    async fn again(&self, id: &MessageId, at: Timestamp) -> Result<AgainAnswer, StoreError> {
        self.store().again(id, at).await
    }
}

#[async_trait]
impl Outbox for Link {
    async fn enqueue(&self, message: NewMessage) -> Result<EnqueueAnswer, StoreError> {
        let stored = self.through("enqueue", || self.ledger().enqueue(message.clone())).await;
        if stored.is_ok() {
            self.ledger().told_of_notice(message.call.session, &message.call.call);
        }
        stored
    }

    async fn tried(&self, tried: &Tried) -> Result<TryAnswer, StoreError> {
        self.through("tried", || self.ledger().tried(tried)).await
    }

    async fn again(&self, id: &MessageId, at: Timestamp) -> Result<AgainAnswer, StoreError> {
        self.through("again", || self.ledger().again(id, at)).await
    }
}

#[async_trait]
impl OutboxReads for Link {
    async fn queued(&self) -> Result<Vec<Queued>, StoreError> {
        self.through("queued", || self.ledger().store().queued()).await
    }

    async fn due(&self, target: &str, now: Timestamp, limit: u32) -> Result<Vec<Message>, StoreError> {
        self.through("due", || self.ledger().store().due(target, now, limit)).await
    }

    async fn message(&self, id: &MessageId) -> Result<MessageRow, StoreError> {
        self.through("message", || self.ledger().store().message(id)).await
    }

    async fn messages(&self, filter: &MessageFilter) -> Result<Vec<MessageRow>, StoreError> {
        self.through("messages", || self.ledger().store().messages(filter)).await
    }
}
