//! The node: the root actor. It spawns supervisors, wakes them, restarts them with backoff, and ends them in order.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use provost_domain::ids::SessionId;
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};

use crate::registry::SessionGuard;
use crate::shared::Shared;
use crate::supervisor::{Boot, End, Supervisor, SupervisorArguments, ToSupervisor};

/// How many sessions one sweep takes: bounds the work of one handler; the next sweep takes the next ones.
const SWEEP_MAX: u32 = 64;
/// After a sweep that found as many as it may, the next one comes so many times sooner: there are more, as after a crash
/// among many sessions. Most of those just found have been taken over by then and are not found again.
const SWEEP_SOONER: u32 = 20;
/// A supervisor that fails more often than this without finishing anything is not started again: its session ends as
/// `error` with the cause.
const RESTARTS_MAX: u32 = 5;
/// Half the pause before the first restart; doubled for each further one.
const RESTART_BACKOFF: Duration = Duration::from_millis(50);
/// Who holds what the node carries on by itself, as `SessionBusy` says it.
const HOLDER: &str = "the runtime, carrying it on";

/// What the node is told.
#[derive(Debug)]
pub(crate) enum ToNode {
    /// Carry this session; the guard says nobody else does.
    Carry(SessionGuard, Boot),
    /// Something waits in this session's log.
    Wake(SessionId),
    /// Look for sessions that must run.
    Sweep,
    /// What a sweep found.
    Found(Vec<SessionId>),
    /// Answered once nobody carries this session.
    Rested(SessionId, RpcReplyPort<()>),
    /// End every supervisor in order; answered when none is left.
    Drain(RpcReplyPort<()>),
}

/// One live session.
#[derive(Debug)]
struct Live {
    supervisor: ActorRef<ToSupervisor>,
    session: SessionId,
    rewake: bool,
    /// Whom to tell when it is gone.
    resting: Vec<RpcReplyPort<()>>,
    /// Given back when the entry goes: after the supervisor has ended for good.
    guard: SessionGuard,
}

/// The node's state.
#[derive(Debug)]
pub(crate) struct NodeState {
    shared: Arc<Shared>,
    live: HashMap<ActorId, Live>,
    by_session: BTreeMap<SessionId, ActorId>,
    failures: HashMap<SessionId, Failures>,
    /// Sessions this process holds that nobody carries right now: tried again with every sweep.
    again: BTreeSet<SessionId>,
    draining: bool,
    /// Whom to tell when nobody is left.
    drained: Vec<RpcReplyPort<()>>,
}

/// A supervisor's failures since it last ended well.
#[derive(Debug, Default)]
struct Failures {
    count: u32,
    last: String,
}

#[derive(Debug)]
pub(crate) struct Node;

impl Actor for Node {
    type Msg = ToNode;
    type State = NodeState;
    type Arguments = Arc<Shared>;

    async fn pre_start(&self, myself: ActorRef<ToNode>, shared: Arc<Shared>) -> Result<NodeState, ActorProcessingErr> {
        myself.cast(ToNode::Sweep)?;
        Ok(NodeState {
            shared,
            live: HashMap::new(),
            by_session: BTreeMap::new(),
            failures: HashMap::new(),
            again: BTreeSet::new(),
            draining: false,
            drained: Vec::new(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<ToNode>,
        message: ToNode,
        state: &mut NodeState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ToNode::Carry(guard, boot) => state.carry(&myself, guard, boot).await?,
            ToNode::Wake(session) => state.wake(&myself, session).await?,
            ToNode::Sweep => {
                state.sweep(&myself);
                for session in std::mem::take(&mut state.again) {
                    state.wake(&myself, session).await?;
                }
            }
            ToNode::Found(sessions) => {
                for session in sessions {
                    state.wake(&myself, session).await?;
                }
            }
            ToNode::Rested(session, reply) => match state.live_mut(session) {
                Some(live) => live.resting.push(reply),
                None => drop(reply.send(())),
            },
            ToNode::Drain(reply) => {
                for live in state.by_session.values().filter_map(|id| state.live.get(id)) {
                    drop(live.supervisor.cast(ToSupervisor::Drain));
                }
                state.draining = true;
                state.drained.push(reply);
                state.answer_drain();
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<ToNode>,
        event: SupervisionEvent,
        state: &mut NodeState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorTerminated(actor, _, reason) => {
                if let Some((session, rewake)) = state.forget(actor.get_id()) {
                    state.failures.remove(&session);
                    if reason.as_deref() == Some(End::Again.word()) {
                        state.again.insert(session);
                    } else if rewake {
                        state.look_again(&myself, session);
                    }
                }
            }
            SupervisionEvent::ActorFailed(actor, cause) => {
                if let Some((session, _)) = state.forget(actor.get_id()) {
                    state.restart(&myself, session, cause.to_string());
                }
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        state.answer_drain();
        Ok(())
    }
}

impl NodeState {
    async fn carry(
        &mut self,
        myself: &ActorRef<ToNode>,
        guard: SessionGuard,
        boot: Boot,
    ) -> Result<(), ActorProcessingErr> {
        let session = guard.session();
        let arguments = SupervisorArguments { shared: Arc::clone(&self.shared), session, boot };
        let (supervisor, _joined) = Supervisor::spawn_linked(None, Supervisor, arguments, myself.get_cell()).await?;
        if self.draining {
            supervisor.cast(ToSupervisor::Drain)?;
        }
        let id = supervisor.get_id();
        self.by_session.insert(session, id);
        self.live.insert(id, Live { supervisor, session, rewake: false, resting: Vec::new(), guard });
        Ok(())
    }

    /// Tells the live supervisor, or starts one. One that is just ending is followed by another.
    async fn wake(&mut self, myself: &ActorRef<ToNode>, session: SessionId) -> Result<(), ActorProcessingErr> {
        if let Some(live) = self.live_mut(session) {
            live.rewake = true;
            drop(live.supervisor.cast(ToSupervisor::Wake));
            return Ok(());
        }
        let boot = match self.failures.get(&session) {
            Some(Failures { count, .. }) if *count > RESTARTS_MAX + 1 => return Ok(()),
            Some(Failures { count, last }) if *count > RESTARTS_MAX => {
                Boot::GiveUp(format!("its supervisor failed {count} times, last: {last}"))
            }
            Some(_) | None => Boot::Wake,
        };
        if self.draining || self.shared.damage(session).is_some() {
            return Ok(());
        }
        if self.live.len() >= self.shared.settings.sessions_max {
            self.again.insert(session);
            return Ok(());
        }
        match self.shared.registry.try_acquire(session, HOLDER, self.shared.now()) {
            Ok(guard) => self.carry(myself, guard, boot).await,
            // A guard taken elsewhere is on its way here as `Carry`, or given back by a command that was refused.
            Err(_busy) => {
                self.again.insert(session);
                Ok(())
            }
        }
    }

    /// A command may have come while the supervisor was ending: carry on if it is still unread.
    fn look_again(&self, myself: &ActorRef<ToNode>, session: SessionId) {
        let (shared, node) = (Arc::clone(&self.shared), myself.clone());
        let tasks = shared.tasks.clone();
        drop(tasks.spawn(async move {
            match shared.ports.commands.inbox(session).await {
                Ok((unread, _)) if unread.is_empty() => {}
                // When the inbox cannot be read, the supervisor finds out why.
                Ok(_) | Err(_) => drop(node.cast(ToNode::Wake(session))),
            }
        }));
    }

    fn sweep(&self, myself: &ActorRef<ToNode>) {
        let (shared, node) = (Arc::clone(&self.shared), myself.clone());
        let tasks = shared.tasks.clone();
        let stopped = shared.stopped.clone();
        let work = async move {
            // Damaged ones are found by every sweep and taken by none: they must not stand before the others.
            let limit = SWEEP_MAX.saturating_add(shared.damages());
            let found = shared.ports.commands.runnable(&shared.owner, shared.now(), limit).await;
            shared.beat();
            let full = found.as_ref().is_ok_and(|found| found.len() >= limit as usize);
            let pause = shared.settings.sweep_every / if full { SWEEP_SOONER } else { 1 };
            match found {
                Ok(found) if !found.is_empty() => {
                    drop(node.cast(ToNode::Found(found.into_iter().map(|claimed| claimed.session).collect())));
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "looking for sessions to carry on"),
            }
            // Again after the work, never on a fixed beat: sweeps cannot pile up.
            tokio::time::sleep(shared.jittered(pause, shared.settings.sweep_jitter)).await;
            drop(node.cast(ToNode::Sweep));
        };
        drop(tasks.spawn(async move { stopped.run_until_cancelled(work).await }));
    }

    /// Starts a failed supervisor again after a pause; past the limit, once more to end the session with the cause.
    fn restart(&mut self, myself: &ActorRef<ToNode>, session: SessionId, cause: String) {
        let failures = self.failures.entry(session).or_default();
        failures.count += 1;
        let (count, backoff) = (failures.count, RESTART_BACKOFF.saturating_mul(1 << failures.count.min(RESTARTS_MAX)));
        if count > RESTARTS_MAX + 1 {
            // A log that cannot even be ended is left as it is, for `audit verify` and a person.
            tracing::error!(%session, cause, count, "the supervisor failed while giving the session up");
        } else {
            tracing::warn!(%session, cause, count, ?backoff, "the supervisor failed and starts again from the log");
            drop(myself.send_after(backoff, move || ToNode::Wake(session)));
        }
        failures.last = cause;
    }

    fn live_mut(&mut self, session: SessionId) -> Option<&mut Live> {
        self.by_session.get(&session).and_then(|id| self.live.get_mut(id))
    }

    /// Gives a session back whose supervisor is gone. Returns it, and whether something came for it meanwhile.
    fn forget(&mut self, actor: ActorId) -> Option<(SessionId, bool)> {
        let Live { session, rewake, resting, guard, supervisor: _ } = self.live.remove(&actor)?;
        self.by_session.remove(&session);
        drop(guard);
        for reply in resting {
            drop(reply.send(()));
        }
        Some((session, rewake))
    }

    fn answer_drain(&mut self) {
        if self.live.is_empty() {
            for reply in self.drained.drain(..) {
                drop(reply.send(()));
            }
        }
    }
}
