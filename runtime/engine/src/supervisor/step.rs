//! The walk of a session: decide what waits and append it, or perform what is owed, or rest.

use std::sync::Arc;
use std::time::Duration;

use provost_domain::port::Park;
use provost_domain::session::{Owed, owed};
use provost_domain::time::Timestamp;
use ractor::{ActorProcessingErr, ActorRef};

use super::batch::{Batch, Standpoint};
use super::messages::{End, ToSupervisor};
use super::state::State;

/// A session that pauses for so long is given up until then: it holds no memory, and whichever process looks takes it up.
const PARKED_FROM: Duration = Duration::from_secs(5);

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

    /// Whether nothing is under way, and nothing is owed now.
    fn is_resting(&self) -> bool {
        let rests = || self.draining || self.owes_nothing() || self.pauses_until().is_some();
        self.inputs.is_empty() && self.performing.is_idle() && rests()
    }

    /// When something is due next, where all that is owed pauses until servers answer again, and long enough to be given up
    /// meanwhile.
    fn pauses_until(&self) -> Option<Timestamp> {
        let (session, now) = (self.session.as_ref()?, self.shared.now());
        let later = |owed: Owed<'_>| match owed {
            Owed::AskModel { assignment, .. } => {
                session.asks_at(assignment, self.fence(), self.since).is_some_and(|at| at > now)
            }
            Owed::Paused(_) => true,
            Owed::Run(_) | Owed::InDoubt(_) | Owed::Probe(_) | Owed::Poll { .. } => false,
        };
        let timer = session.next_timer(self.fence(), self.since, now)?;
        let pauses = owed(session, self.fence()).into_iter().all(later);
        (pauses && timer.since(now) >= PARKED_FROM).then_some(timer)
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
                let now = self.shared.now();
                self.session.as_ref().and_then(|session| session.next_timer(self.fence(), self.since, now))
            } else {
                self.pauses_until().or_else(|| Some(self.shared.now()))
            },
        };
        let store = Arc::clone(&self.shared.ports.store);
        self.shared.tasks.report("parking", myself, async move { store.park(park).await }, ToSupervisor::Parked);
    }
}
