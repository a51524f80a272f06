//! What the node knows: who carries which session, what failed, what waits.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use provost_domain::ids::SessionId;
use ractor::{Actor as _, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::task::JoinHandle;

use super::messages::{Ending, ToNode};
use crate::backoff::Backoff;
use crate::parts::EngineParts;
use crate::registry::SessionGuard;
use crate::supervisor::{Boot, End, Supervisor, SupervisorArguments, ToSupervisor};

/// A supervisor that fails more often than this without finishing anything is not started again: its session ends as
/// `error` with the cause.
const RESTARTS_MAX: u32 = 5;
/// The pauses before restarts.
const RESTART_BACKOFF: Backoff = Backoff::doubling(Duration::from_millis(100), Duration::from_millis(1600));
/// Who holds what the node carries on by itself, as `SessionBusy` says it.
const HOLDER: &str = "the runtime, carrying it on";

/// One live session. Its supervisor holds its guard.
#[derive(Debug)]
struct Live {
    supervisor: ActorRef<ToSupervisor>,
    /// The supervisor's task, until its end is waited for.
    task: Option<JoinHandle<()>>,
    session: SessionId,
    rewake: bool,
    /// Whom to tell when it is gone.
    resting: Vec<RpcReplyPort<()>>,
}

/// Who carries which session, what failed, and what waits.
#[derive(Debug)]
pub(crate) struct NodeState {
    shared: Arc<EngineParts>,
    live: HashMap<ActorId, Live>,
    by_session: BTreeMap<SessionId, ActorId>,
    failures: HashMap<SessionId, Failures>,
    /// Sessions this process holds that nobody carries right now: tried again with every sweep.
    waiting: BTreeSet<SessionId>,
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

impl NodeState {
    pub(super) fn new(shared: Arc<EngineParts>) -> Self {
        Self {
            shared,
            live: HashMap::new(),
            by_session: BTreeMap::new(),
            failures: HashMap::new(),
            waiting: BTreeSet::new(),
            draining: false,
            drained: Vec::new(),
        }
    }

    /// The sessions that are to be tried again.
    pub(super) fn take_waiting(&mut self) -> BTreeSet<SessionId> {
        std::mem::take(&mut self.waiting)
    }

    pub(super) fn tell_when_rested(&mut self, session: SessionId, reply: RpcReplyPort<()>) {
        match self.live_mut(session) {
            Some(live) => live.resting.push(reply),
            None => drop(reply.send(())),
        }
    }

    pub(super) fn drain(&mut self, reply: RpcReplyPort<()>) {
        for live in self.by_session.values().filter_map(|id| self.live.get(id)) {
            drop(live.supervisor.cast(ToSupervisor::Drain));
        }
        self.draining = true;
        self.drained.push(reply);
        self.answer_drain();
    }

    /// Waits until the task of a supervisor has ended, and with it the state that holds the session's guard.
    pub(super) fn ending(&mut self, myself: &ActorRef<ToNode>, supervisor: ActorId, ending: Ending) {
        let Some(task) = self.live.get_mut(&supervisor).and_then(|live| live.task.take()) else { return };
        // However the task ended, it is over.
        let ended = move |_over| ToNode::Ended(supervisor, ending);
        self.shared.tasks.report("waiting for a supervisor's end", myself, task, ended);
    }

    /// A supervisor is gone for good.
    pub(super) fn ended(&mut self, myself: &ActorRef<ToNode>, supervisor: ActorId, ending: Ending) {
        if let Some((session, rewake)) = self.forget(supervisor) {
            match ending {
                Ending::Stopped(reason) => {
                    self.failures.remove(&session);
                    if reason.as_deref() == Some(End::Again.word()) {
                        self.waiting.insert(session);
                    } else if rewake {
                        self.look_again(myself, session);
                    }
                }
                Ending::Failed(cause) => self.restart(myself, session, cause),
            }
        }
        self.answer_drain();
    }

    pub(super) async fn carry(
        &mut self,
        myself: &ActorRef<ToNode>,
        guard: SessionGuard,
        boot: Boot,
    ) -> Result<(), ActorProcessingErr> {
        let session = guard.session();
        let arguments = SupervisorArguments { shared: Arc::clone(&self.shared), guard, boot };
        let (supervisor, task) = Supervisor::spawn_linked(None, Supervisor, arguments, myself.get_cell()).await?;
        if self.draining {
            supervisor.cast(ToSupervisor::Drain)?;
        }
        let id = supervisor.get_id();
        self.by_session.insert(session, id);
        self.live.insert(id, Live { supervisor, task: Some(task), session, rewake: false, resting: Vec::new() });
        Ok(())
    }

    /// Tells the live supervisor, or starts one. One that is just ending is followed by another.
    pub(super) async fn wake(
        &mut self,
        myself: &ActorRef<ToNode>,
        session: SessionId,
    ) -> Result<(), ActorProcessingErr> {
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
            self.waiting.insert(session);
            return Ok(());
        }
        match self.shared.registry.try_acquire(session, HOLDER, self.shared.now()) {
            Ok(guard) => self.carry(myself, guard, boot).await,
            // A guard taken elsewhere is on its way here as `Carry`, or given back by a command that was refused.
            Err(_busy) => {
                self.waiting.insert(session);
                Ok(())
            }
        }
    }

    /// A command may have come while the supervisor was ending: carry on if it is still unread.
    fn look_again(&self, myself: &ActorRef<ToNode>, session: SessionId) {
        let (commands, node) = (Arc::clone(&self.shared.ports.commands), myself.clone());
        drop(self.shared.tasks.spawn("looking again at an inbox", async move {
            match commands.inbox(session).await {
                Ok((unread, _)) if unread.is_empty() => {}
                // When the inbox cannot be read, the supervisor finds out why.
                Ok(_) | Err(_) => drop(node.cast(ToNode::Wake(session))),
            }
        }));
    }

    /// Starts a failed supervisor again after a pause; past the limit, once more to end the session with the cause.
    fn restart(&mut self, myself: &ActorRef<ToNode>, session: SessionId, cause: String) {
        let failures = self.failures.entry(session).or_default();
        failures.count += 1;
        let (count, pause) = (failures.count, RESTART_BACKOFF.after(failures.count));
        if count > RESTARTS_MAX + 1 {
            // A log that cannot even be ended is left as it is, for `audit verify` and a person.
            tracing::error!(%session, cause, count, "the supervisor failed while giving the session up");
        } else {
            tracing::warn!(%session, cause, count, ?pause, "the supervisor failed and starts again from the log");
            drop(myself.send_after(pause, move || ToNode::Wake(session)));
        }
        failures.last = cause;
    }

    fn live_mut(&mut self, session: SessionId) -> Option<&mut Live> {
        self.by_session.get(&session).and_then(|id| self.live.get_mut(id))
    }

    /// Forgets a supervisor that is gone. Returns its session, and whether something came for it meanwhile.
    fn forget(&mut self, actor: ActorId) -> Option<(SessionId, bool)> {
        let Live { session, rewake, resting, supervisor: _, task: _ } = self.live.remove(&actor)?;
        // The guard was given back before: somebody else may carry the session already.
        if self.by_session.get(&session) == Some(&actor) {
            self.by_session.remove(&session);
        }
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
