//! The engine's handle: what faces call.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use provost_domain::command::{Ask, Command};
use provost_domain::decide::Accepted;
use provost_domain::event::SessionCreated;
use provost_domain::fields::CheckedFields;
use provost_domain::ids::{CmdId, Handle, PackName, SessionId};
use provost_domain::origin::CaseOrigin;
use provost_domain::pack::Pack;
use provost_domain::port::{Reads, StoreError, Submitted};
use provost_domain::principal::Principal;
use provost_domain::refusal::Refusal;
use provost_domain::session::Session;
use provost_domain::time::Timestamp;
use provost_domain::title::title_of;
use provost_domain::tool::Catalog;
use ractor::{Actor as _, ActorRef, call, call_t};
use serde_json::Value;
use tokio::sync::{broadcast, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::answer::StoredAnswer;
use crate::error::{EngineError, StartError};
use crate::gateway::AwayServer;
use crate::hint::Hint;
use crate::node::{Node, Sweep, ToNode};
use crate::parts::EngineParts;
use crate::ports::Ports;
use crate::registry::{LockRegistry, SessionGuard};
use crate::resources::Resources;
use crate::settings::EngineSettings;
use crate::supervisor::Boot;
use crate::tasks::Tasks;
use crate::ticker::{self, Surroundings, Ticker, TickerHandle};

/// How often a caller looks for itself what became of its command.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A case to open as a session.
#[derive(Debug, Clone)]
pub struct Case<F = Value> {
    /// The session's id, minted by the caller.
    pub id: SessionId,
    /// The pack's name.
    pub pack: PackName,
    /// The session's fields; checked ones if somebody checked them before.
    pub fields: F,
    /// One line about it, for lists; empty where the pack is to say it.
    pub title: String,
    /// Who asks.
    pub by: Principal,
    /// The session it comes from.
    pub parent: Option<SessionId>,
    /// What its delivery says of it besides the fields.
    pub origin: CaseOrigin,
    /// Whether its run begins at once.
    pub start: bool,
}

/// An opened session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// As its case gave it.
    pub id: SessionId,
    /// As the store allotted it, for people.
    pub handle: Handle,
}

/// Where a command that starts work stands.
enum WorkStart {
    /// It may start, under this guard.
    Free(SessionGuard),
    /// It was asked before, and the session is at it.
    Asked,
    /// It was decided before.
    Answered(StoredAnswer),
}

/// A model server that is left alone because it keeps failing: its breaker is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelOutage {
    /// The server's address.
    pub server: String,
    /// The configured names of its models, in order.
    pub models: Vec<String>,
    /// When its breaker opened.
    pub since: Timestamp,
    /// What was seen last.
    pub why: String,
}

/// The engine of one process.
#[derive(Debug, Clone)]
pub struct Engine {
    shared: Arc<EngineParts>,
    node: ActorRef<ToNode>,
}

impl Engine {
    /// Starts the root actor, and the sweep, which at once carries on what a dead process left.
    ///
    /// # Errors
    /// Its figures are registered already, or the root actor does not start.
    pub async fn start(ports: Ports, resources: Resources, settings: EngineSettings) -> Result<Self, StartError> {
        let shared = Arc::new(EngineParts::new(ports, settings, resources)?);
        let (node, _joined) = Node::spawn(None, Node, Arc::clone(&shared)).await?;
        let engine = Self { shared, node };
        drop(engine.start_ticker(Sweep::new(Arc::clone(&engine.shared), engine.node.clone())));
        Ok(engine)
    }

    pub(crate) fn shared(&self) -> &Arc<EngineParts> {
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

    /// The pack a session was opened with, or the present one of that name, with which its session is then refused.
    pub fn pack_of(&self, session: &Session) -> Option<Arc<Pack>> {
        self.shared.resources.get().pinned(session.pack_digest(), session.pack())
    }

    /// The model servers that are away, as far as questions have shown; in the order of their addresses.
    pub fn model_outages(&self) -> Vec<ModelOutage> {
        let now = self.shared.now();
        let away = self.shared.resources.get().models.away();
        let outage = |away: AwayServer| ModelOutage {
            server: away.server,
            models: away.models,
            since: now.minus(away.absence.lasts),
            why: away.absence.last.to_string(),
        };
        away.into_iter().map(outage).collect()
    }

    /// What people who run it should know of its tools, a sentence each: those without a sandbox, and those that are not called
    /// at present.
    pub fn tool_notices(&self) -> Vec<String> {
        self.shared.resources.get().tools.notices()
    }

    /// The packs new sessions may be opened from, by name.
    pub fn packs(&self) -> BTreeMap<PackName, Arc<Pack>> {
        self.shared.resources.get().packs().clone()
    }

    /// The backend tools.
    pub fn catalog(&self) -> Catalog {
        self.shared.resources.get().catalog.clone()
    }

    /// Replaces packs, models and tools. Sessions go on: a live one with what it was taken up with until it rests, and
    /// every one with the pack it was opened with.
    pub fn reload(&self, resources: Resources) {
        self.shared.resources.replace(resources);
    }

    /// Cancelled once the engine takes no more work: streams end then.
    pub fn stopped(&self) -> CancellationToken {
        self.shared.tasks.stopped().clone()
    }

    /// The engine's background tasks. What is spawned here is waited for at shutdown.
    pub fn tasks(&self) -> &Tasks {
        &self.shared.tasks
    }

    /// Starts a ticker: it ticks until its handle stops it or the engine stops.
    pub fn start_ticker(&self, ticker: impl Ticker) -> TickerHandle {
        let around = Surroundings {
            clock: Arc::clone(&self.shared.ports.clock),
            random: Arc::clone(&self.shared.ports.random),
            meters: self.shared.meters.tickers.clone(),
        };
        ticker::start(&self.shared.tasks, around, ticker)
    }

    /// The read side of the store.
    pub fn reads(&self) -> &Arc<dyn Reads> {
        &self.shared.ports.reads
    }

    /// The pack new sessions of a name are opened from.
    ///
    /// # Errors
    /// No pack of this name is loaded.
    pub fn pack(&self, pack: &PackName) -> Result<Arc<Pack>, EngineError> {
        let resources = self.shared.resources.get();
        let known = || resources.packs().keys().cloned().collect();
        let unknown = || EngineError::UnknownPack { pack: pack.clone(), known: known() };
        resources.packs().get(pack).cloned().ok_or_else(unknown)
    }

    /// Opens a session; once it returns the session is durable, and running if it starts at once.
    pub async fn open(&self, case: Case) -> Result<Opened, EngineError> {
        let Case { id, pack, fields, title, by, parent, origin, start } = case;
        let fields = CheckedFields::new(&*self.pack(&pack)?, fields)?;
        self.open_checked(Case { id, pack, fields, title, by, parent, origin, start }).await
    }

    /// Opens a session whose fields were checked before; they are checked again only if the pack changed since.
    pub async fn open_checked(&self, case: Case<CheckedFields>) -> Result<Opened, EngineError> {
        let pack = self.pack(&case.pack)?;
        let fields = case.fields.for_pack(&pack)?.into_value();
        let live = self.shared.registry.len();
        if live >= self.shared.settings.sessions_max {
            return Err(EngineError::SessionCapExceeded { live });
        }
        let now = self.shared.now();
        let guard = self.shared.registry.try_acquire(case.id, &case.by.to_string(), now)?;
        let handle = self.shared.ports.store.allot(&pack.handle, &now.day()).await?;
        let created = SessionCreated {
            session: case.id,
            handle: handle.clone(),
            pack: pack.name.clone(),
            pack_version: pack.version,
            pack_digest: pack.digest,
            fields: fields.into(),
            parent: case.parent,
            by: case.by.clone(),
            // Its supervisor notes what it is opened with.
            catalogue_digest: None,
            roles_digest: None,
            origin: case.origin,
        };
        let start = case.start.then_some(Command { by: case.by, if_version: None, ask: Ask::Start });
        let title = if case.title.is_empty() { title_of(&pack, &created, now) } else { case.title };
        let created = Box::new(created);
        self.carry(guard, |reply| Boot::Create { created, title, start, reply }).await?;
        if !case.start {
            // It rests at once; only then may another command start it.
            call!(self.node, ToNode::Rested, case.id).map_err(|_gone| EngineError::ShuttingDown)?;
        }
        Ok(Opened { id: case.id, handle })
    }

    /// Applies a command under its id once, also where it is sent again after a crash. One that starts work takes the guard
    /// or is refused with `SessionBusy` at once; one to live work is never busy. Both go to the session's inbox.
    pub async fn command(&self, session: SessionId, cmd_id: &CmdId, command: Command) -> Result<Accepted, EngineError> {
        self.undamaged(session)?;
        let command = command.bounded().map_err(Refusal::from)?;
        let guard = if command.ask.verb().starts_work() {
            match self.place_for_work(session, cmd_id, &command).await? {
                WorkStart::Free(guard) => Some(guard),
                WorkStart::Asked => None,
                WorkStart::Answered(answer) => return answer.into_result(),
            }
        } else {
            None
        };
        let (waiter, answered) = oneshot::channel();
        let key = (session, cmd_id.clone());
        self.shared.waiters().insert(key.clone(), waiter);
        let submitted = self.shared.ports.commands.submit(cmd_id, session, &command).await;
        match submitted {
            Ok(Submitted::Stored | Submitted::Known(None)) => {}
            Ok(Submitted::Known(Some(outcome))) => {
                self.shared.waiters().remove(&key);
                return StoredAnswer::decode(&outcome)?.into_result();
            }
            Err(error) => {
                self.shared.waiters().remove(&key);
                return Err(error.into());
            }
        }
        let told = match guard {
            Some(guard) => ToNode::Carry(guard, Boot::Asked),
            None => ToNode::Wake(session),
        };
        self.node.cast(told).map_err(|_gone| EngineError::ShuttingDown)?;
        let outcome = tokio::time::timeout(self.shared.settings.patience, self.outcome(&key, answered)).await;
        self.shared.waiters().remove(&key);
        outcome.unwrap_or(Err(EngineError::Pending))
    }

    /// Whether a command may start work now. A session that is busy with this very command refuses nothing.
    async fn place_for_work(
        &self,
        session: SessionId,
        cmd_id: &CmdId,
        command: &Command,
    ) -> Result<WorkStart, EngineError> {
        let commands = &self.shared.ports.commands;
        if let Some(outcome) = commands.outcome(cmd_id, session).await? {
            return Ok(WorkStart::Answered(StoredAnswer::decode(&outcome)?));
        }
        let guard = match self.shared.registry.try_acquire(session, &command.by.to_string(), self.shared.now()) {
            Ok(guard) => guard,
            Err(busy) => {
                let (unread, _) = commands.inbox(session).await?;
                let asked = unread.iter().any(|entry| entry.cmd_id == *cmd_id);
                return if asked { Ok(WorkStart::Asked) } else { Err(busy.into()) };
            }
        };
        let live = self.shared.registry.len();
        if live > self.shared.settings.sessions_max {
            return Err(EngineError::SessionCapExceeded { live: live - 1 });
        }
        Ok(WorkStart::Free(guard))
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
        mut answered: oneshot::Receiver<StoredAnswer>,
    ) -> Result<Accepted, EngineError> {
        loop {
            match tokio::time::timeout(LOOK_EVERY, &mut answered).await {
                Ok(Ok(answer)) => return answer.into_result(),
                // Another caller waits under the same id; what it is told stands in the store.
                Ok(Err(_replaced)) => tokio::time::sleep(LOOK_EVERY).await,
                Err(_elapsed) => {}
            }
            self.undamaged(*session)?;
            if let Some(outcome) = self.shared.ports.commands.outcome(cmd_id, *session).await? {
                return StoredAnswer::decode(&outcome)?.into_result();
            }
        }
    }

    async fn carry(
        &self,
        guard: SessionGuard,
        boot: impl FnOnce(oneshot::Sender<Result<Accepted, EngineError>>) -> Boot,
    ) -> Result<Accepted, EngineError> {
        let (reply, answered) = oneshot::channel();
        self.node.cast(ToNode::Carry(guard, boot(reply))).map_err(|_gone| EngineError::ShuttingDown)?;
        answered.await.unwrap_or_else(|_gone| {
            if self.shared.tasks.stopped().is_cancelled() {
                return Err(EngineError::ShuttingDown);
            }
            let detail = "the session's supervisor failed before it answered; look at the session and try again";
            Err(EngineError::Store(StoreError::Failed { detail: detail.to_owned() }))
        })
    }

    /// Ends in order: no new work, what runs may finish until `drain` is over, then everything is cancelled and waited
    /// for, at most for [`EngineSettings::stop_within`]. What is unfinished is carried on by the next start. A second call
    /// does nothing.
    pub async fn shutdown(&self, drain: Duration) {
        if self.shared.tasks.stopped().is_cancelled() {
            return;
        }
        let limit = u64::try_from(drain.as_millis()).unwrap_or(u64::MAX);
        if call_t!(self.node, ToNode::Drain, limit).is_err() {
            tracing::warn!(drain_ms = limit, "work is still under way; it is carried on by the next start");
        }
        self.shared.tasks.stop();
        self.node.stop(Some("shutdown".to_owned()));
        let limit = self.shared.settings.stop_within;
        let running = self.shared.tasks.wait(limit).await;
        if !running.is_empty() {
            tracing::warn!(?running, ?limit, "tasks still run; what they leave undone is carried on by the next start");
        }
    }
}
