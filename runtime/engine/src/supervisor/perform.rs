//! Performing what is owed: each thing once, through the worker of the work that owes it.

use std::sync::Arc;
use std::time::Duration;

use provost_domain::call::Call;
use provost_domain::ids::AssignmentId;
use provost_domain::session::{Owed, Session, owed};
use provost_domain::time::Timestamp;
use provost_domain::tool::EffectClass;
use ractor::{Actor as _, ActorProcessingErr, ActorRef};
use tokio_util::sync::CancellationToken;

use super::messages::ToSupervisor;
use super::performing::{Carrier, UnderWay, carried_by};
use super::state::State;
use crate::gateway::{Inquiry, Permit};
use crate::worker::{ToWorker, Worker, WorkerArguments};

/// The share of an agent's patience that a question may take, so that its failure comes before the silence.
const PATIENCE_SHARE: f64 = 0.9;

impl State {
    /// Performs all that is owed and not under way. Everything here stands in the durable log already.
    pub(super) async fn perform(&mut self, myself: &ActorRef<ToSupervisor>) -> Result<(), ActorProcessingErr> {
        let Some(session) = &self.session else { return Ok(()) };
        if session.status().is_end() {
            self.performing.forget_answers();
            return Ok(());
        }
        self.performing.keep_open(session);
        let (mut due, mut begun, now) = (Vec::new(), Vec::new(), self.shared.now());
        for owed in owed(session, self.fence()) {
            let (assignment, what) = match owed {
                // A drain finishes what was begun and asks nothing new.
                Owed::AskModel { .. } if self.draining => continue,
                Owed::AskModel { assignment, .. } if self.asks_later(session, assignment, now) => continue,
                Owed::AskModel { assignment, round } => (assignment, UnderWay::Asking(round)),
                Owed::Run(call) => (carried_by(call), made(call)),
                Owed::Probe(call) => (carried_by(call), UnderWay::Probing(call.id.clone())),
                // Planned by `Report::TakenOver` before anything is performed; a pause and a poll are timers.
                Owed::InDoubt(_) | Owed::Paused(_) | Owed::Poll { .. } => continue,
            };
            if self.performing.has(assignment, &what) {
                continue;
            }
            if let Some(message) = self.message(session, &owed) {
                together(&mut due, assignment, message);
                begun.push((assignment, what));
            }
        }
        let timer = session.next_timer(self.fence(), self.since, now).filter(|_| !self.draining);
        for (assignment, message) in due {
            self.worker(assignment, myself).await?.cast(message)?;
        }
        for (assignment, what) in begun {
            self.performing.begun(assignment, what);
        }
        self.set_timer(timer, myself);
        Ok(())
    }

    /// Whether a question waits for its model still.
    fn asks_later(&self, session: &Session, assignment: AssignmentId, now: Timestamp) -> bool {
        session.asks_at(assignment, self.fence(), self.since).is_some_and(|at| now < at)
    }

    /// What a worker is told, so that it performs what is owed.
    fn message(&self, session: &Session, owed: &Owed<'_>) -> Option<ToWorker> {
        match owed {
            Owed::AskModel { assignment, round } => {
                let work = session.works().get(assignment)?;
                let question = self.questions.get(assignment).filter(|question| question.request.round == *round)?;
                Some(ToWorker::Ask(Arc::clone(question), work.patience.mul_f64(PATIENCE_SHARE)))
            }
            Owed::Run(call) => Permit::of(session.id(), call).map(|permit| ToWorker::Calls(vec![permit])),
            Owed::Probe(call) => Inquiry::of(session.id(), call).map(ToWorker::Probe),
            Owed::InDoubt(_) | Owed::Paused(_) | Owed::Poll { .. } => None,
        }
    }

    /// The worker of an assignment, spawned where there is none.
    async fn worker(
        &mut self,
        assignment: AssignmentId,
        myself: &ActorRef<ToSupervisor>,
    ) -> Result<ActorRef<ToWorker>, ActorProcessingErr> {
        if let Some(carrier) = self.performing.carrier(assignment) {
            return Ok(carrier.worker.clone());
        }
        let cancelled = CancellationToken::new();
        let arguments = WorkerArguments {
            shared: Arc::clone(&self.shared),
            resources: Arc::clone(&self.resources),
            supervisor: myself.clone(),
            assignment,
            cancelled: cancelled.clone(),
        };
        let (worker, _joined) = Worker::spawn_linked(None, Worker, arguments, myself.get_cell()).await?;
        self.performing.carry(assignment, Carrier::new(worker.clone(), cancelled));
        Ok(worker)
    }

    /// One timer for the next instant at which time itself changes something. One that rings before is left as it is: every
    /// sign of life moves that instant on, and what rings early finds nothing to do and is set anew.
    fn set_timer(&mut self, at: Option<Timestamp>, myself: &ActorRef<ToSupervisor>) {
        let set = self.performing.timer.as_ref().map(|(set, _)| *set);
        if set.zip(at).is_some_and(|(set, at)| set <= at) || set == at {
            return;
        }
        if let Some((_, timer)) = self.performing.timer.take() {
            timer.abort();
        }
        let Some(at) = at else { return };
        let wait = at.since(self.shared.now()).max(Duration::from_millis(1));
        let timer = myself.send_after(wait, || ToSupervisor::Tick);
        self.performing.timer = Some((at, timer.abort_handle()));
    }
}

/// Adds what a worker is told. Calls that are due at one time are made side by side, so that their results can be recorded
/// together.
fn together(due: &mut Vec<(AssignmentId, ToWorker)>, assignment: AssignmentId, message: ToWorker) {
    match (due.last_mut(), message) {
        (Some((of, ToWorker::Calls(calls))), ToWorker::Calls(more)) if *of == assignment => calls.extend(more),
        (_, message) => due.push((assignment, message)),
    }
}

fn made(call: &Call) -> UnderWay {
    match call.intent().map(|intent| intent.effect) {
        Some(EffectClass::Read) => UnderWay::Reading(call.id.clone()),
        Some(EffectClass::Idempotent | EffectClass::Probe | EffectClass::Unsafe) | None => {
            UnderWay::Acting(call.id.clone())
        }
    }
}
