//! The engine's handle: what faces call.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use provost_domain::command::{Ask, Command};
use provost_domain::decide::Accepted;
use provost_domain::event::SessionCreated;
use provost_domain::ids::{CmdId, Handle, Principal, SessionId};
use provost_domain::pack::Pack;
use provost_domain::port::{Clock, CommandLog, Random, Reads, SessionStore, StoreError, Submitted};
use provost_domain::refusal::Refusal;
use provost_domain::request::Roles;
use provost_domain::session::Session;
use provost_domain::time::Timestamp;
use provost_domain::tool::Catalog;
use ractor::{Actor as _, ActorRef, call, call_t};
use serde_json::Value;
use tokio::sync::{broadcast, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::gateway::{ModelGateway, ToolGateway};
use crate::gear::{Gear, Packs};
use crate::meters::Meters;
use crate::node::{Node, ToNode};
use crate::registry::{LockRegistry, SessionBusy};
use crate::shared::{Hint, Seams, Shared};
use crate::supervisor::{Boot, Settled};

/// How often a caller looks for itself what became of its command.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What the engine stands on.
#[derive(Debug)]
pub struct Ports {
    /// Writes by owners.
    pub store: Arc<dyn SessionStore>,
    /// Commands from outside.
    pub commands: Arc<dyn CommandLog>,
    /// Reads.
    pub reads: Arc<dyn Reads>,
    /// The models.
    pub models: ModelGateway,
    /// The tools.
    pub tools: ToolGateway,
    /// The roles.
    pub roles: Arc<dyn Roles>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// For the names of owners, and for the salts that keep erased events unguessable.
    pub random: Arc<dyn Random>,
}

/// The engine's bounds.
#[derive(Debug, Clone, Copy)]
pub struct EngineSettings {
    /// Live sessions at once; more are refused or wait in the log.
    pub sessions_max: usize,
    /// The pause between two looks for sessions that must run.
    pub sweep_every: Duration,
    /// The share of that pause by which it varies either way, so that processes that started together do not look together.
    pub sweep_jitter: f64,
    /// How long a caller waits for what became of a command to live work.
    pub patience: Duration,
    /// A mechanism to do without.
    #[cfg(feature = "controls")]
    pub removed: Option<crate::Removed>,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            sessions_max: 256,
            sweep_every: Duration::from_secs(1),
            sweep_jitter: 0.2,
            patience: Duration::from_secs(2),
            #[cfg(feature = "controls")]
            removed: None,
        }
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The machine's randomness, from the random part of a fresh UUID.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn bytes(&self) -> [u8; 16] {
        *uuid::Uuid::new_v4().as_bytes()
    }
}

/// Why the engine did not do as asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// Somebody else carries the session right now.
    #[error(transparent)]
    Busy(#[from] SessionBusy),
    /// As many sessions are live as may be.
    #[error("{live} sessions are live, which is the limit; try again later or raise `engine.sessions_max`")]
    SessionCapExceeded {
        /// How many.
        live: usize,
    },
    /// No such pack is loaded.
    #[error("no pack `{pack}` is loaded; the packs are: {}", known.join(", "))]
    UnknownPack {
        /// The name asked for.
        pack: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// The fields do not fit the pack.
    #[error("the fields do not fit pack `{pack}`: {}", problems.join("; "))]
    InvalidFields {
        /// The pack.
        pack: String,
        /// Every problem.
        problems: Vec<String>,
    },
    /// The session refused the command.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The command is stored and will be applied; nobody knows its outcome yet.
    #[error("the command is stored and will be applied; look at the session for what came of it")]
    Pending,
    /// The engine is shutting down.
    #[error("shutting down; ask again after the restart")]
    ShuttingDown,
}

/// A case to open as a session.
#[derive(Debug, Clone)]
pub struct Case {
    /// The session's id, minted by the caller.
    pub id: SessionId,
    /// The pack's name.
    pub pack: String,
    /// The session's fields.
    pub fields: Value,
    /// One line about it, for lists.
    pub title: String,
    /// Who asks.
    pub by: Principal,
    /// The session it comes from.
    pub parent: Option<SessionId>,
    /// Whether its run begins at once.
    pub start: bool,
}

/// An opened session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Its id.
    pub id: SessionId,
    /// Its handle.
    pub handle: Handle,
}

/// The engine of one process.
#[derive(Debug, Clone)]
pub struct Engine {
    shared: Arc<Shared>,
    node: ActorRef<ToNode>,
}

impl Engine {
    /// Starts the root actor, which at once carries on what a dead process left.
    pub async fn start(ports: Ports, packs: impl Into<Packs>, settings: EngineSettings) -> Result<Self, EngineError> {
        let Ports { store, commands, reads, models, tools, roles, clock, random } = ports;
        let meters = Meters::new().map_err(|error| {
            tracing::error!(%error, "making the meters");
            EngineError::ShuttingDown
        })?;
        let ports = Seams { store, commands, reads, roles, clock, random };
        let shared = Arc::new(Shared::new(ports, settings, Gear::new(packs.into(), models, tools), meters));
        let started = Node::spawn(None, Node, Arc::clone(&shared)).await;
        let (node, _joined) = started.map_err(|error| {
            tracing::error!(%error, "starting the node");
            EngineError::ShuttingDown
        })?;
        Ok(Self { shared, node })
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The lock registry.
    pub fn registry(&self) -> &LockRegistry {
        &self.shared.registry
    }

    /// Wake-ups for every session of this process.
    pub fn hints(&self) -> broadcast::Receiver<Hint> {
        self.shared.hints()
    }

    /// Advances with every completed look for work: the node took its turn and the store answered, with or without an
    /// error. An engine that is wedged does not advance it, whatever else of the process still runs.
    pub fn beats(&self) -> watch::Receiver<u64> {
        self.shared.beats()
    }

    /// What the engine counted since its start, in Prometheus's model.
    pub fn metrics(&self) -> Vec<prometheus::proto::MetricFamily> {
        self.shared.meters.gather(self.shared.registry.len())
    }

    /// The pack a session was opened with, or the present one of that name, with which its session is then refused.
    pub fn pack_of(&self, session: &Session) -> Option<Arc<Pack>> {
        self.shared.rack.get().pinned(session.pack_digest(), session.pack())
    }

    /// The packs new sessions may be opened from, by name.
    pub fn packs(&self) -> BTreeMap<String, Arc<Pack>> {
        self.shared.rack.get().packs().clone()
    }

    /// The backend tools.
    pub fn catalog(&self) -> Catalog {
        self.shared.rack.get().catalog.clone()
    }

    /// Replaces packs, models and tools. Sessions go on: a live one with what it was taken up with until it rests, and
    /// every one with the pack it was opened with.
    pub fn reload(&self, packs: impl Into<Packs>, models: ModelGateway, tools: ToolGateway) {
        self.shared.rack.put(Gear::new(packs.into(), models, tools));
    }

    /// Cancelled once the engine takes no more work: streams end then.
    pub fn stopped(&self) -> CancellationToken {
        self.shared.stopped.clone()
    }

    /// The read side of the store.
    pub fn reads(&self) -> &Arc<dyn Reads> {
        &self.shared.ports.reads
    }

    /// Whether a session of the pack could have these fields.
    ///
    /// # Errors
    /// There is no such pack, or the fields do not fit it.
    pub fn check(&self, pack: &str, fields: &Value) -> Result<(), EngineError> {
        check_fields(&*self.loaded(pack)?, fields)
    }

    fn loaded(&self, pack: &str) -> Result<Arc<Pack>, EngineError> {
        let gear = self.shared.rack.get();
        let known = || gear.packs().keys().cloned().collect();
        let unknown = || EngineError::UnknownPack { pack: pack.to_owned(), known: known() };
        gear.packs().get(pack).cloned().ok_or_else(unknown)
    }

    /// Opens a session; once it returns the session is durable, and running if it starts at once.
    pub async fn open(&self, case: Case) -> Result<Opened, EngineError> {
        let pack = self.loaded(&case.pack)?;
        check_fields(&pack, &case.fields)?;
        let live = self.shared.registry.len();
        if live >= self.shared.settings.sessions_max {
            return Err(EngineError::SessionCapExceeded { live });
        }
        let now = self.shared.now();
        let guard = self.shared.registry.try_acquire(case.id, case.by.as_str(), now)?;
        let handle = self.shared.ports.store.allot(&pack.handle, &now.day()).await?;
        let created = SessionCreated {
            session: case.id,
            handle: handle.clone(),
            pack: pack.name.clone(),
            pack_version: pack.version,
            pack_digest: pack.digest,
            fields: case.fields.into(),
            parent: case.parent,
            by: case.by.clone(),
        };
        let start = case.start.then_some(Command { by: case.by, if_version: None, ask: Ask::Start });
        let (created, title) = (Box::new(created), case.title);
        self.carry(guard, |reply| Boot::Create { created, title, start, reply }).await?;
        if !case.start {
            // It rests at once; only then may another command start it.
            call!(self.node, ToNode::Rested, case.id).map_err(|_gone| EngineError::ShuttingDown)?;
        }
        Ok(Opened { id: case.id, handle })
    }

    /// Applies a command. One that starts work takes the guard or is refused with `SessionBusy` at once; its id says
    /// nothing: sent again it is decided again. One to live work goes to its inbox, is never busy, and under the same id
    /// is applied once.
    pub async fn command(&self, session: SessionId, cmd_id: &CmdId, command: Command) -> Result<Accepted, EngineError> {
        self.undamaged(session)?;
        if command.ask.starts_work() {
            let guard = self.shared.registry.try_acquire(session, command.by.as_str(), self.shared.now())?;
            let live = self.shared.registry.len();
            if live > self.shared.settings.sessions_max {
                return Err(EngineError::SessionCapExceeded { live: live - 1 });
            }
            return self.carry(guard, |reply| Boot::Command { command: Box::new(command), reply }).await;
        }
        let (waiter, answered) = oneshot::channel();
        let key = (session, cmd_id.clone());
        self.shared.waiters().insert(key.clone(), waiter);
        let submitted = self.shared.ports.commands.submit(cmd_id, session, &command).await;
        match submitted {
            Ok(Submitted::Stored) => {}
            Ok(Submitted::Known(Some(outcome))) => {
                self.shared.waiters().remove(&key);
                return answer(decode(&outcome.0)?);
            }
            Ok(Submitted::Known(None)) => {}
            Err(error) => {
                self.shared.waiters().remove(&key);
                return Err(error.into());
            }
        }
        self.node.cast(ToNode::Wake(session)).map_err(|_gone| EngineError::ShuttingDown)?;
        let settled = tokio::time::timeout(self.shared.settings.patience, self.outcome(&key, answered)).await;
        self.shared.waiters().remove(&key);
        settled.unwrap_or(Err(EngineError::Pending))
    }

    /// An error where the session's log was found damaged since the start: nothing can be done with it here.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], with the place.
    pub fn undamaged(&self, session: SessionId) -> Result<(), EngineError> {
        self.shared.damage(session).map_or(Ok(()), |error| Err(error.into()))
    }

    /// Waits to be told what became of a command, and looks from time to time: who settled it may have been lost before
    /// it could tell.
    async fn outcome(
        &self,
        (session, cmd_id): &(SessionId, CmdId),
        mut answered: oneshot::Receiver<Settled>,
    ) -> Result<Accepted, EngineError> {
        loop {
            match tokio::time::timeout(LOOK_EVERY, &mut answered).await {
                Ok(Ok(settled)) => return answer(settled),
                // Another caller waits under the same id; what it is told stands in the store.
                Ok(Err(_replaced)) => tokio::time::sleep(LOOK_EVERY).await,
                Err(_elapsed) => {}
            }
            self.undamaged(*session)?;
            if let Some(outcome) = self.shared.ports.commands.outcome(cmd_id, *session).await? {
                return answer(decode(&outcome.0)?);
            }
        }
    }

    async fn carry(
        &self,
        guard: crate::registry::SessionGuard,
        boot: impl FnOnce(oneshot::Sender<Result<Accepted, EngineError>>) -> Boot,
    ) -> Result<Accepted, EngineError> {
        let (reply, answered) = oneshot::channel();
        self.node.cast(ToNode::Carry(guard, boot(reply))).map_err(|_gone| EngineError::ShuttingDown)?;
        answered.await.unwrap_or_else(|_gone| {
            if self.shared.stopped.is_cancelled() {
                return Err(EngineError::ShuttingDown);
            }
            let detail = "the session's supervisor failed before it answered; look at the session and try again";
            Err(EngineError::Store(StoreError::Failed { detail: detail.to_owned() }))
        })
    }

    /// Ends in order: no new work, what runs may finish until `drain` is over, then everything is cancelled. What is
    /// unfinished is carried on by the next start. A second call does nothing.
    pub async fn shutdown(&self, drain: Duration) {
        if self.shared.stopped.is_cancelled() {
            return;
        }
        let limit = u64::try_from(drain.as_millis()).unwrap_or(u64::MAX);
        if call_t!(self.node, ToNode::Drain, limit).is_err() {
            tracing::warn!(drain_ms = limit, "work is still under way; it is carried on by the next start");
        }
        self.shared.stopped.cancel();
        self.node.stop(Some("shutdown".to_owned()));
        self.shared.tasks.close();
    }
}

fn check_fields(pack: &Pack, fields: &Value) -> Result<(), EngineError> {
    let mut problems = pack.fields.problems(fields);
    let bound = pack.fields.roster_bindings();
    problems.extend(pack.rosters.check(&bound, fields).iter().map(ToString::to_string));
    if problems.is_empty() { Ok(()) } else { Err(EngineError::InvalidFields { pack: pack.name.clone(), problems }) }
}

fn decode(outcome: &Value) -> Result<Settled, EngineError> {
    serde_json::from_value(outcome.clone())
        .map_err(|error| EngineError::Store(StoreError::Damaged { detail: format!("inbox.outcome: {error}") }))
}

fn answer(settled: Settled) -> Result<Accepted, EngineError> {
    match settled {
        Settled::Accepted(accepted) => Ok(accepted),
        Settled::Refused(refusal) => Err(EngineError::Refused(refusal)),
    }
}
