//! From verdicts to one durable append, and from a durable append to answers.

use std::sync::Arc;

use provost_domain::event::{EncodeError, EventBody};
use provost_domain::ids::{CallId, CmdId, Fence, Seq};
use provost_domain::log::{AppendRecord, Unsealed};
use provost_domain::port::{Append, Appended, ApprovalChange, InboxAck, NewSession, Obstacle, Snapshot, StoreError};
use provost_domain::session::Session;
use ractor::ActorRef;

use super::batch::{Batch, Standpoint};
use super::journal;
use super::messages::{Input, ToSupervisor};
use super::state::State;
use crate::answer::StoredAnswer;
use crate::hint::Hint;

/// A snapshot is worth its bytes once this many events would have to be folded instead.
const SNAPSHOT_EVERY: u64 = 48;

/// A batch as bytes.
struct SealedBatch {
    record: Option<AppendRecord>,
    /// The header for a snapshot, where one is due.
    header: Option<Vec<u8>>,
    acks: Vec<InboxAck>,
}

impl State {
    fn sealed(&self, batch: &Batch, session: &Session, fence: Fence, due: bool) -> Result<SealedBatch, EncodeError> {
        let record = (!batch.events.is_empty()).then(|| {
            AppendRecord::seal(Unsealed {
                session: self.id(),
                after: Seq(session.head().0 - batch.events.len() as u64),
                fence,
                cmd_id: CmdId::new(format!("{}.{}", fence, self.appends)),
                at: batch.at,
                events: &batch.events,
                salt: self.shared.salt(),
                prev: self.head_hash,
            })
        });
        Ok(SealedBatch {
            record: record.transpose()?,
            header: due.then(|| session.to_snapshot()).transpose()?,
            acks: batch.acks.iter().map(ack).collect::<Result<_, _>>()?,
        })
    }

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
        let between_turns = batch.turn_ended || session.works().is_empty();
        let grown = between_turns && head.0.saturating_sub(self.snapshot_seq.0) >= SNAPSHOT_EVERY;
        // What waits for people is shown from the snapshot alone.
        let due = grown || batch.events.iter().any(asks_people);
        let SealedBatch { record, header, acks } = match self.sealed(&batch, session, fence, due) {
            Ok(sealed) => sealed,
            Err(error) => {
                // Nothing of the batch is stored, and whoever waits for it is told.
                self.batch = Some(batch);
                self.fail(&error.into());
                return;
            }
        };
        let hash = record.as_ref().map_or(self.head_hash, |record| record.hash);
        let snapshot = header.map(|header| Snapshot { seq: head, hash, header });
        if due {
            self.snapshot_seq = head;
        }
        let append = Append {
            session: self.id(),
            fence,
            owner: self.shared.owner.clone(),
            expected_seq: after,
            record,
            status: session.status().clone(),
            ended: session.status().is_end(),
            // What still changes the world is waited for and recorded: only then is the session nobody's.
            release: session.status().is_end() && !self.performing.acts(),
            snapshot,
            contents: batch.contents.clone(),
            approvals: ApprovalChange::of(self.id(), now, &batch.events),
            claims: batch.claims.clone(),
            acks,
            progress: batch.events.iter().any(EventBody::is_progress),
            at: now,
        };
        self.head_hash = hash;
        self.released = append.release;
        self.batch = Some(batch);
        let new = self.new.take();
        let shared = Arc::clone(&self.shared);
        let work = async move {
            let store = &shared.ports.store;
            let began = tokio::time::Instant::now();
            let appended = match new {
                Some(new) => {
                    let created = store.create(NewSession { first: Some(Box::new(append)), ..new }).await;
                    created.map(|()| Appended { head_seq: head })
                }
                None => store.append(append).await,
            };
            shared.meters.committed(began.elapsed());
            appended
        };
        self.shared.tasks.report("appending", myself, work, ToSupervisor::Appended);
    }

    /// A call cannot act on its target now, so nothing was written: all of it is decided again with that fact.
    pub(super) fn decide_again(&mut self, call: CallId, obstacle: Obstacle) {
        let Some(before) = self.batch.as_mut().and_then(|batch| batch.before.take()) else {
            return self.fail(&StoreError::NotClaimed { call, obstacle });
        };
        let inputs = self.batch.take().map(|batch| batch.inputs).unwrap_or_default();
        let Standpoint { session, head_hash, snapshot_seq, released, contents, questions } = before;
        (self.contents, self.questions) = (contents, questions);
        (self.session, self.head_hash, self.snapshot_seq, self.released) = (session, head_hash, snapshot_seq, released);
        tracing::info!(session = %self.id(), %call, ?obstacle, "a call cannot act on its target now");
        self.obstacles.note(call, obstacle);
        for input in inputs.into_iter().rev() {
            self.inputs.push_front(input);
        }
    }

    /// The batch is durable: everybody is told.
    pub(super) fn appended(&mut self) {
        let Some(batch) = self.batch.take() else { return };
        if self.session.as_ref().is_some_and(|session| session.works().values().any(|work| work.active_at == batch.at))
        {
            // Nothing of it was handed out before, so nobody was silent meanwhile, however long the store took.
            self.since = self.shared.now();
        }
        self.shared.meters.recorded(&batch.events);
        if let Some(session) = &self.session {
            journal::tell(session, &batch.events);
        }
        self.obstacles.clear();
        let mut replies: Vec<_> = batch.inputs.into_iter().map(Input::answerer).collect();
        for (place, answer) in batch.answers {
            let Some(reply) = replies.get_mut(place).and_then(Option::take) else { continue };
            // A caller that stopped waiting reads the outcome from the log.
            drop(reply.send(answer.into_result()));
        }
        for (cmd_id, answer) in batch.acks {
            self.shared.answered(self.id(), &cmd_id, answer);
        }
        if let Some(session) = &self.session {
            let status = Some(session.status().clone());
            let ended = session.status().is_end();
            self.shared.hint(Hint { session: self.id(), head_seq: session.head(), status, ended });
        }
    }
}

fn ack((cmd_id, answer): &(CmdId, StoredAnswer)) -> Result<InboxAck, EncodeError> {
    Ok(InboxAck { cmd_id: cmd_id.clone(), outcome: answer.encode()? })
}

/// Whether an event changes what people are asked to approve, other than by deciding it.
fn asks_people(event: &EventBody) -> bool {
    matches!(event, EventBody::ApprovalRequested(_) | EventBody::ApprovalAnswered(_) | EventBody::ApprovalExtended(_))
}
