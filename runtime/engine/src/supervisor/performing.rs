//! What is under way, and who carries it: one worker for each open work, and one for the effect of an open claim.

use std::collections::{BTreeMap, HashSet};

use provost_domain::call::{Call, CallOwner};
use provost_domain::command::Report;
use provost_domain::ids::{AssignmentId, CallId};
use provost_domain::session::Session;
use provost_domain::time::Timestamp;
use ractor::{ActorId, ActorRef};
use tokio_util::sync::CancellationToken;

use crate::worker::ToWorker;

/// Whose worker makes the effect of an open claim: assignments count from 1.
const CLAIM: AssignmentId = AssignmentId(0);

/// The assignment whose worker makes a call.
pub(super) fn carried_by(call: &Call) -> AssignmentId {
    match call.owner {
        CallOwner::Work(assignment) => assignment,
        CallOwner::Claim => CLAIM,
    }
}

/// One thing under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum UnderWay {
    /// The question of this round.
    Asking(u32),
    /// A call that changes nothing.
    Reading(CallId),
    /// A call that may change the world.
    Acting(CallId),
    /// A question to a tool about a call.
    Probing(CallId),
}

/// The worker of an assignment. Dropping it ends the worker and with it all it has under way, at once: it may be dropped
/// because it does not listen any more.
#[derive(Debug)]
pub(super) struct Carrier {
    pub(super) worker: ActorRef<ToWorker>,
    /// Cancels what it has under way.
    pub(super) cancelled: CancellationToken,
    under_way: HashSet<UnderWay>,
}

impl Carrier {
    pub(super) fn new(worker: ActorRef<ToWorker>, cancelled: CancellationToken) -> Self {
        Self { worker, cancelled, under_way: HashSet::new() }
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.cancelled.cancel();
        self.worker.kill();
    }
}

/// What is under way, and the timer for what time itself changes.
#[derive(Debug, Default)]
pub(super) struct Performing {
    carriers: BTreeMap<AssignmentId, Carrier>,
    pub(super) timer: Option<(Timestamp, tokio::task::AbortHandle)>,
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
        self.carriers.values().all(|carrier| carrier.under_way.is_empty())
    }

    /// The worker of an assignment, if it has one.
    pub(super) fn carrier(&self, assignment: AssignmentId) -> Option<&Carrier> {
        self.carriers.get(&assignment)
    }

    /// Gives an assignment its worker.
    pub(super) fn carry(&mut self, assignment: AssignmentId, carrier: Carrier) {
        self.carriers.insert(assignment, carrier);
    }

    /// Whether an assignment's worker has this under way.
    pub(super) fn has(&self, assignment: AssignmentId, what: &UnderWay) -> bool {
        self.carriers.get(&assignment).is_some_and(|carrier| carrier.under_way.contains(what))
    }

    /// Notes what an assignment's worker was told to do.
    pub(super) fn begun(&mut self, assignment: AssignmentId, what: UnderWay) {
        if let Some(carrier) = self.carriers.get_mut(&assignment) {
            carrier.under_way.insert(what);
        }
    }

    /// A report came: what it reports is not under way any more.
    pub(super) fn ended(&mut self, report: &Report) {
        match report {
            Report::Replied { assignment, round, .. } => {
                if let Some(carrier) = self.carriers.get_mut(assignment) {
                    carrier.under_way.remove(&UnderWay::Asking(*round));
                }
            }
            Report::Returned { call, .. } => {
                self.remove(&UnderWay::Reading(call.clone()));
                self.remove(&UnderWay::Acting(call.clone()));
            }
            Report::Probed { call, .. } => self.remove(&UnderWay::Probing(call.clone())),
            Report::Tick => self.timer = None,
            Report::TakenOver | Report::GivenUp { .. } | Report::WorkerLost { .. } => {}
        }
    }

    fn remove(&mut self, what: &UnderWay) {
        for carrier in self.carriers.values_mut() {
            carrier.under_way.remove(what);
        }
    }

    fn all(&self) -> impl Iterator<Item = &UnderWay> {
        self.carriers.values().flat_map(|carrier| &carrier.under_way)
    }

    /// Whether a call is under way that may change the world.
    pub(super) fn acts(&self) -> bool {
        self.all().any(|what| matches!(what, UnderWay::Acting(_)))
    }

    /// Whether this call is under way.
    pub(super) fn makes(&self, call: &CallId) -> bool {
        self.all().any(|what| matches!(what, UnderWay::Acting(acting) if acting == call))
    }

    /// Nobody waits for answers any more, only for what was done.
    pub(super) fn forget_answers(&mut self) {
        self.carriers.retain(|_, carrier| {
            carrier.under_way.retain(|what| matches!(what, UnderWay::Acting(_)));
            !carrier.under_way.is_empty()
        });
    }

    /// Ends the workers of works that are over.
    pub(super) fn keep_open(&mut self, session: &Session) {
        let claimed = session.effect().is_some();
        self.carriers
            .retain(|assignment, _| session.works().contains_key(assignment) || (*assignment == CLAIM && claimed));
    }

    /// Ends an assignment's worker, at once.
    pub(super) fn dismiss(&mut self, assignment: AssignmentId) {
        self.carriers.remove(&assignment);
    }

    /// Ends every worker, at once.
    pub(super) fn dismiss_all(&mut self) {
        self.carriers.clear();
    }

    /// Whether this worker carries an assignment.
    pub(super) fn is_carried_by(&self, id: ActorId) -> bool {
        self.carriers.values().any(|carrier| carrier.worker.get_id() == id)
    }

    /// The worker of this id is gone without having been dismissed; its assignment.
    pub(super) fn gone(&mut self, id: ActorId) -> Option<AssignmentId> {
        let found = self.carriers.iter().find(|(_, carrier)| carrier.worker.get_id() == id);
        let assignment = found.map(|(assignment, _)| *assignment)?;
        self.dismiss(assignment);
        Some(assignment)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use provost_domain::ids::Digest;
    use provost_domain::model::ModelOrigin;
    use provost_domain::request::Question;
    use provost_domain::work::RequestPin;
    use ractor::{Actor, ActorProcessingErr};
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
        let origin = ModelOrigin { server: String::new(), model: String::new() };
        let pin = RequestPin { origin, body_sha256: Digest::default() };
        ToWorker::Ask(Arc::new(Question { request, body: Vec::new(), pin }), Duration::from_secs(1))
    }

    /// Red if a dismissed worker were only asked to stop: it would never come to that.
    #[tokio::test]
    async fn a_wedged_worker_is_dismissed_all_the_same_and_with_it_what_it_has_under_way() {
        let entered = Arc::new(Notify::new());
        let (worker, joined) = Wedged::spawn(None, Wedged, Arc::clone(&entered)).await.unwrap();
        worker.cast(question()).unwrap();
        entered.notified().await;
        let (assignment, cancelled) = (AssignmentId(1), CancellationToken::new());
        let mut performing = Performing::default();
        performing.carry(assignment, Carrier::new(worker, cancelled.clone()));
        performing.begun(assignment, UnderWay::Asking(1));
        performing.dismiss(assignment);
        joined.await.unwrap();
        assert!(cancelled.is_cancelled() && performing.is_idle());
    }
}
