//! The walk of a session: decide what waits and append it, or perform what is owed, or rest.

use std::sync::Arc;

use provost_domain::port::Park;
use provost_domain::session::owed;
use ractor::{ActorProcessingErr, ActorRef};

use super::batch::{Batch, Standpoint};
use super::messages::{End, ToSupervisor};
use super::state::State;

impl State {
    /// The next step, or the end of the actor where none is left.
    pub(super) async fn go_on_or_end(&mut self, myself: &ActorRef<ToSupervisor>) -> Result<(), ActorProcessingErr> {
        self.go_on(myself).await?;
        if let Some(end) = self.end {
            myself.stop(Some(end.word().to_owned()));
        }
        Ok(())
    }

    /// The next step that is possible: decide what waits, or perform and rest.
    pub(super) async fn go_on(&mut self, myself: &ActorRef<ToSupervisor>) -> Result<(), ActorProcessingErr> {
        if self.fence.is_none() || self.batch.is_some() || self.parking || self.end.is_some() {
            return Ok(());
        }
        if let Err(error) = self.look_up_cited().await {
            self.fail(&error);
            return Ok(());
        }
        let mut batch = Batch::at(self.shared.now());
        batch.creates = self.session.is_none();
        batch.before = (!self.inputs.is_empty() && self.offers.may_claim()).then(|| self.standpoint());
        while let Some(input) = self.inputs.pop_front() {
            self.take(input, &mut batch)?;
        }
        if !batch.is_empty() {
            self.append(batch, myself);
            return Ok(());
        }
        self.perform(myself).await?;
        if self.is_resting() {
            self.park(myself);
        }
        Ok(())
    }

    fn standpoint(&self) -> Standpoint {
        Standpoint {
            session: self.session.clone(),
            head_hash: self.head_hash,
            snapshot_seq: self.snapshot_seq,
            released: self.released,
            contents: self.contents.clone(),
            questions: self.questions.clone(),
        }
    }

    /// Whether nothing is owed and nothing is under way.
    fn is_resting(&self) -> bool {
        self.inputs.is_empty() && self.performing.is_idle() && (self.draining || self.owes_nothing())
    }

    fn owes_nothing(&self) -> bool {
        self.session.as_ref().is_none_or(|session| owed(session, self.fence()).is_empty())
    }

    /// Gives the session up. One that still owes work (a drain) is due at once: the next start finds it.
    fn park(&mut self, myself: &ActorRef<ToSupervisor>) {
        if self.released {
            self.end = Some(End::Rested);
            return;
        }
        self.parking = true;
        let park = Park {
            session: self.id(),
            fence: self.fence(),
            owner: self.shared.owner.clone(),
            wake_seq: self.wake_seq,
            next_run_at: if self.owes_nothing() {
                self.session.as_ref().and_then(|session| session.next_timer(self.fence(), self.since))
            } else {
                Some(self.shared.now())
            },
        };
        let store = Arc::clone(&self.shared.ports.store);
        self.shared.tasks.report("parking", myself, async move { store.park(park).await }, ToSupervisor::Parked);
    }
}
