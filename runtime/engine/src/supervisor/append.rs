//! From verdicts to one durable append, and from a durable append to answers.

use std::sync::Arc;

use provost_domain::event::EventBody;
use provost_domain::ids::{CmdId, Seq};
use provost_domain::log::{AppendRecord, Unsealed};
use provost_domain::port::{Append, Appended, ApprovalChange, CommandOutcome, InboxAck, NewSession, Snapshot};
use provost_domain::session::Session;
use provost_domain::time::Timestamp;
use provost_domain::tool::Content;
use ractor::ActorRef;

use super::state::State;
use super::{Answerer, Settled, ToSupervisor};
use crate::api::EngineError;
use crate::shared::Hint;

/// A snapshot is worth its bytes once this many events would have to be folded instead.
const SNAPSHOT_EVERY: u64 = 48;

/// What one append will hold and whom it answers.
#[derive(Debug)]
pub(super) struct Batch {
    /// When all of it was decided: a record has one time, and the log must fold to the very session that decided on it.
    pub(super) at: Timestamp,
    pub(super) events: Vec<EventBody>,
    pub(super) contents: Vec<Content>,
    pub(super) acks: Vec<(CmdId, Settled)>,
    pub(super) answers: Vec<(Answerer, Settled)>,
    pub(super) turn_ended: bool,
}

impl Batch {
    pub(super) fn at(at: Timestamp) -> Self {
        Self { at, events: Vec::new(), contents: Vec::new(), acks: Vec::new(), answers: Vec::new(), turn_ended: false }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.acks.is_empty() && self.answers.is_empty()
    }
}

impl State {
    /// Seals the batch and sends it to the store. Only what changes something goes there; a mere refusal is answered.
    pub(super) fn append(&mut self, batch: Batch, myself: &ActorRef<ToSupervisor>) {
        let (Some(session), Some(fence)) = (&self.session, self.fence) else { return };
        if batch.events.is_empty() && batch.acks.is_empty() {
            self.batch = Some(batch);
            drop(myself.cast(ToSupervisor::Appended(Ok(Appended { head_seq: session.head() }))));
            return;
        }
        self.appends += 1;
        let head = session.head();
        let after = Seq(head.0 - batch.events.len() as u64);
        let now = batch.at;
        let record = (!batch.events.is_empty()).then(|| {
            AppendRecord::seal(Unsealed {
                session: self.id,
                after,
                fence,
                cmd_id: CmdId::new(format!("{}.{}", fence, self.appends)),
                at: now,
                events: &batch.events,
                salt: self.shared.salt(),
                prev: self.head_hash,
            })
        });
        let hash = record.as_ref().map_or(self.head_hash, |record| record.hash);
        let between_turns = batch.turn_ended || session.turn().is_none();
        let due = between_turns && head.0.saturating_sub(self.snapshot_seq.0) >= SNAPSHOT_EVERY;
        let snapshot = due.then(|| Snapshot { seq: head, hash, header: session.to_snapshot() });
        if due {
            self.snapshot_seq = head;
        }
        let append = Append {
            session: self.id,
            fence,
            owner: self.shared.owner.clone(),
            expected_seq: after,
            record,
            status: session.status().to_string(),
            ended: session.status().is_end(),
            // What still changes the world is waited for and recorded: only then is the session nobody's.
            release: session.status().is_end() && !self.performing.acts(),
            snapshot,
            contents: batch.contents.clone(),
            approvals: ApprovalChange::of(self.id, now, &batch.events),
            acks: batch.acks.iter().map(|(cmd_id, settled)| ack(cmd_id, settled)).collect(),
            progress: batch.events.iter().any(is_progress),
            at: now,
        };
        self.head_hash = hash;
        self.released = append.release;
        self.batch = Some(batch);
        let new = self.new.take();
        #[cfg(feature = "controls")]
        let late = self.is_late();
        let (shared, myself) = (Arc::clone(&self.shared), myself.clone());
        let tasks = shared.tasks.clone();
        drop(tasks.spawn(async move {
            let store = &shared.ports.store;
            #[cfg(feature = "controls")]
            if late {
                tokio::time::sleep(crate::controls::INTENT_LATE).await;
            }
            let began = tokio::time::Instant::now();
            let appended = match new {
                Some(new) => {
                    let created = store.create(NewSession { first: Some(Box::new(append)), ..new }).await;
                    created.map(|()| Appended { head_seq: head })
                }
                None => store.append(append).await,
            };
            shared.meters.committed(began.elapsed());
            drop(myself.cast(ToSupervisor::Appended(appended)));
        }));
    }

    /// Whether the batch holds an intent that must not be stored before its effect.
    #[cfg(feature = "controls")]
    fn is_late(&self) -> bool {
        let intends = |event: &EventBody| matches!(event, EventBody::ToolIntended(_));
        self.does_without(crate::Removed::Intent)
            && self.batch.as_ref().is_some_and(|batch| batch.events.iter().any(intends))
    }

    /// The batch is durable: everybody is told.
    pub(super) fn appended(&mut self) {
        let Some(batch) = self.batch.take() else { return };
        if self.session.as_ref().and_then(Session::turn).is_some_and(|turn| turn.active_at == batch.at) {
            // Nothing of it was handed out before, so nobody was silent meanwhile, however long the store took.
            self.since = self.shared.now();
        }
        self.shared.meters.recorded(&batch.events);
        for (reply, settled) in batch.answers {
            let answer = match settled {
                Settled::Accepted(accepted) => Ok(accepted),
                Settled::Refused(refusal) => Err(EngineError::Refused(refusal)),
            };
            // A caller that stopped waiting reads the outcome from the log.
            drop(reply.send(answer));
        }
        for (cmd_id, settled) in batch.acks {
            self.shared.settled(self.id, &cmd_id, settled);
        }
        if let Some(session) = &self.session {
            let status = session.status().to_string();
            let ended = session.status().is_end();
            self.shared.hint(Hint { session: self.id, head_seq: session.head(), status, ended });
        }
    }
}

fn ack(cmd_id: &CmdId, settled: &Settled) -> InboxAck {
    let outcome = CommandOutcome(serde_json::to_value(settled).unwrap_or_default());
    InboxAck { cmd_id: cmd_id.clone(), outcome }
}

/// Whether an event is more than starting the same work again, which a session that ends its processes does for ever.
fn is_progress(event: &EventBody) -> bool {
    let same_again = matches!(
        event,
        EventBody::CallReissued(_)
            | EventBody::ProbeRequested(_)
            | EventBody::AssignmentRedispatched(_)
            | EventBody::StatusChanged(_)
    );
    !same_again
}
