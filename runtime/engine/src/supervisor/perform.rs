//! Performing what is owed: each thing once, through the worker of the open assignment.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use provost_domain::command::Report;
use provost_domain::ids::{AssignmentId, CallId};
use provost_domain::model::ToolOffer;
use provost_domain::request;
use provost_domain::session::{Owed, owed};
use provost_domain::time::Timestamp;
use provost_domain::tool::EffectClass;
use ractor::{Actor as _, ActorId, ActorProcessingErr, ActorRef};
use tokio_util::sync::CancellationToken;

use super::ToSupervisor;
use super::state::State;
use crate::gateway::{Inquiry, Permit};
use crate::worker::{ToWorker, Worker, WorkerArguments};

/// The share of an agent's patience that a question may take, so that its failure comes before the silence.
const PATIENCE_SHARE: f64 = 0.9;

/// One thing under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum UnderWay {
    Asking(AssignmentId, u32),
    Reading(CallId),
    Acting(CallId),
    Probing(CallId),
}

/// What is under way, and who carries it.
#[derive(Debug, Default)]
pub(crate) struct Performing {
    under_way: HashSet<UnderWay>,
    carrier: Option<Carrier>,
    timer: Option<(Timestamp, tokio::task::AbortHandle)>,
}

/// The worker of an assignment.
#[derive(Debug)]
struct Carrier {
    assignment: AssignmentId,
    worker: ActorRef<ToWorker>,
    offers: Arc<[ToolOffer]>,
    /// Cancels what it has under way.
    cancelled: CancellationToken,
}

impl Drop for Performing {
    fn drop(&mut self) {
        if let Some((_, timer)) = &self.timer {
            timer.abort();
        }
    }
}

impl Performing {
    pub(super) fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }

    /// A report came: what it reports is not under way any more.
    pub(super) fn ended(&mut self, report: &Report) {
        match report {
            Report::Replied { assignment, round, .. } => {
                self.under_way.remove(&UnderWay::Asking(*assignment, *round));
            }
            Report::Returned { call, .. } => {
                self.under_way.remove(&UnderWay::Reading(call.clone()));
                self.under_way.remove(&UnderWay::Acting(call.clone()));
            }
            Report::Probed { call, .. } => {
                self.under_way.remove(&UnderWay::Probing(call.clone()));
            }
            Report::Tick => self.timer = None,
            Report::TakenOver | Report::GivenUp { .. } | Report::WorkerLost { .. } => {}
        }
    }

    /// Whether a call is under way that may change the world.
    pub(super) fn acts(&self) -> bool {
        self.under_way.iter().any(|what| matches!(what, UnderWay::Acting(_)))
    }

    /// Whether this call is under way.
    pub(super) fn makes(&self, call: &CallId) -> bool {
        self.under_way.contains(&UnderWay::Acting(call.clone()))
    }

    /// Nobody waits for answers any more, only for what was done.
    fn forget_answers(&mut self) {
        self.under_way.retain(|what| matches!(what, UnderWay::Acting(_)));
        if self.is_idle() {
            self.dismiss();
        }
    }

    /// Ends the worker and with it all it has under way, at once: it may be dismissed because it does not listen any more.
    pub(super) fn dismiss(&mut self) {
        self.under_way.clear();
        if let Some(Carrier { worker, cancelled, .. }) = self.carrier.take() {
            cancelled.cancel();
            worker.kill();
        }
    }

    /// Whether this worker is the one that performs.
    pub(super) fn is_carried_by(&self, id: ActorId) -> bool {
        self.carrier.as_ref().is_some_and(|carrier| carrier.worker.get_id() == id)
    }

    /// The worker of this id is gone without having been dismissed; its assignment.
    pub(super) fn gone(&mut self, id: ActorId) -> Option<AssignmentId> {
        let Carrier { assignment, cancelled, .. } = self.carrier.take_if(|carrier| carrier.worker.get_id() == id)?;
        cancelled.cancel();
        self.under_way.clear();
        Some(assignment)
    }
}

impl State {
    /// Performs all that is owed and not under way. Everything here stands in the durable log already.
    pub(super) async fn perform(&mut self, myself: &ActorRef<ToSupervisor>) -> Result<(), ActorProcessingErr> {
        let Some(session) = self.session.clone() else { return Ok(()) };
        if session.status().is_end() {
            self.performing.forget_answers();
            return Ok(());
        }
        let assignment = session.turn().map_or(AssignmentId(0), |turn| turn.assignment);
        if self.performing.carrier.as_ref().is_some_and(|carrier| carrier.assignment != assignment) {
            self.performing.dismiss();
        }
        for owed in owed(&session, self.fence()) {
            let (what, message) = match owed {
                // A drain finishes what was begun and asks nothing new.
                Owed::AskModel { .. } if self.draining => continue,
                Owed::AskModel { assignment, round } => {
                    let (Some(turn), Some(pack)) = (session.turn(), self.served.pack().cloned()) else { continue };
                    let Some(agent) = pack.agents.get(&turn.agent) else { continue };
                    let what = UnderWay::Asking(assignment, round);
                    if self.performing.under_way.contains(&what) {
                        continue;
                    }
                    let (_, offers) = self.worker(assignment, myself).await?;
                    let request = Box::new(request::build(&session, turn, agent, &offers));
                    (what, ToWorker::Ask(request, turn.patience.mul_f64(PATIENCE_SHARE)))
                }
                Owed::Run(call) => {
                    let Some(permit) = Permit::of(session.id(), call) else { continue };
                    #[cfg(feature = "controls")]
                    let permit = if self.does_without(crate::Removed::Key) {
                        permit.under_a_key_of_its_own(self.fence())
                    } else {
                        permit
                    };
                    let reads = call.intent().is_some_and(|intent| intent.effect == EffectClass::Read);
                    let id = call.id.clone();
                    (if reads { UnderWay::Reading(id) } else { UnderWay::Acting(id) }, ToWorker::Call(permit))
                }
                Owed::Probe(call) => {
                    let Some(inquiry) = Inquiry::of(session.id(), call) else { continue };
                    (UnderWay::Probing(call.id.clone()), ToWorker::Probe(inquiry))
                }
                // Planned by `Report::TakenOver` before anything is performed; a poll is a timer.
                Owed::InDoubt(_) | Owed::Poll { .. } => continue,
            };
            if self.performing.under_way.insert(what) {
                let (worker, _) = self.worker(assignment, myself).await?;
                worker.cast(message)?;
            }
        }
        let timer = session.next_timer(self.fence(), self.since).filter(|_| !self.draining);
        self.set_timer(timer, myself);
        Ok(())
    }

    /// The worker of the open assignment, spawned when there is none.
    async fn worker(
        &mut self,
        assignment: AssignmentId,
        myself: &ActorRef<ToSupervisor>,
    ) -> Result<(ActorRef<ToWorker>, Arc<[ToolOffer]>), ActorProcessingErr> {
        if let Some(Carrier { worker, offers, .. }) = &self.performing.carrier {
            return Ok((worker.clone(), Arc::clone(offers)));
        }
        let agent = self.session.as_ref().and_then(|session| session.turn()).map(|turn| turn.agent.clone());
        let offers = match (self.served.pack(), agent) {
            (Some(pack), Some(agent)) => pack
                .agents
                .get(&agent)
                .map_or_else(|| Arc::from([]), |agent| request::offers(agent, pack, &self.gear.catalog)),
            (Some(_) | None, _) => Arc::from([]),
        };
        let cancelled = CancellationToken::new();
        let arguments = WorkerArguments {
            shared: Arc::clone(&self.shared),
            gear: Arc::clone(&self.gear),
            supervisor: myself.clone(),
            assignment,
            cancelled: cancelled.clone(),
        };
        let (worker, _joined) = Worker::spawn_linked(None, Worker, arguments, myself.get_cell()).await?;
        let (given, offers) = (worker.clone(), Arc::clone(&offers));
        self.performing.carrier = Some(Carrier { assignment, worker, offers: Arc::clone(&offers), cancelled });
        Ok((given, offers))
    }

    /// One timer for the next instant at which time itself changes something.
    fn set_timer(&mut self, at: Option<Timestamp>, myself: &ActorRef<ToSupervisor>) {
        if self.performing.timer.as_ref().map(|(at, _)| *at) == at {
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

#[cfg(test)]
mod tests {
    use ractor::Actor;
    use tokio::sync::Notify;

    use super::*;

    /// A worker whose handler never comes back.
    struct Wedged;

    impl Actor for Wedged {
        type Msg = ToWorker;
        type State = Arc<Notify>;
        type Arguments = Arc<Notify>;

        async fn pre_start(
            &self,
            _myself: ActorRef<ToWorker>,
            entered: Arc<Notify>,
        ) -> Result<Arc<Notify>, ActorProcessingErr> {
            Ok(entered)
        }

        async fn handle(
            &self,
            _myself: ActorRef<ToWorker>,
            _message: ToWorker,
            entered: &mut Arc<Notify>,
        ) -> Result<(), ActorProcessingErr> {
            entered.notify_one();
            std::future::pending().await
        }
    }

    fn question() -> ToWorker {
        let request = provost_domain::model::ModelRequest {
            session: provost_domain::ids::SessionId::new(uuid::Uuid::nil()),
            agent: "a".into(),
            assignment: AssignmentId(1),
            round: 1,
            model: String::new(),
            system: "".into(),
            messages: Vec::new(),
            tools: [].into(),
            case: Arc::default(),
        };
        ToWorker::Ask(Box::new(request), Duration::from_secs(1))
    }

    /// Red if a dismissed worker were only asked to stop: it would never come to that.
    #[tokio::test]
    async fn a_wedged_worker_is_dismissed_all_the_same_and_with_it_what_it_has_under_way() {
        let entered = Arc::new(Notify::new());
        let (worker, joined) = Wedged::spawn(None, Wedged, Arc::clone(&entered)).await.unwrap();
        worker.cast(question()).unwrap();
        entered.notified().await;
        let (assignment, cancelled) = (AssignmentId(1), CancellationToken::new());
        let carrier = Carrier { assignment, worker, offers: [].into(), cancelled: cancelled.clone() };
        let mut performing = Performing::default();
        performing.carrier = Some(carrier);
        performing.under_way.insert(UnderWay::Asking(assignment, 1));
        performing.dismiss();
        joined.await.unwrap();
        assert!(cancelled.is_cancelled() && performing.is_idle());
    }
}
