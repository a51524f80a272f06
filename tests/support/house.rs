//! A whole engine around a stub model and counted tools.

use std::sync::Arc;
use std::time::Duration;

use provost_agents::StandardRoles;
use provost_domain::command::{Answer, Ask, Command};
use provost_domain::decide::Accepted;
use provost_domain::event::Event;
use provost_domain::ids::{ApprovalId, CmdId, Digest, Principal, Seq, SessionId};
use provost_domain::pack::Pack;
use provost_domain::port::{ApprovalFilter, ApprovalRow, CommandLog, Reads, SessionStore, ToolBackend};
use provost_domain::request::Roles;
use provost_domain::session::Session;
use provost_domain::tool::{EffectClass, Risk};
use provost_engine::{
    Case, Engine, EngineError, EngineSettings, ModelGateway, ModelLimits, Opened, Ports, Schedules, SystemClock,
    ToolGateway,
};
use provost_store::MemoryStore;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use crate::model::StubModel;
use crate::tools::{Behaviour, CountedTool};

/// The counted tools.
#[derive(Debug, Clone)]
pub struct Tools {
    /// Reads, low risk.
    pub gauge: Arc<CountedTool>,
    /// Unsafe, high risk.
    pub danger: Arc<CountedTool>,
    /// Unsafe, low risk, gated in production.
    pub safe: Arc<CountedTool>,
    /// Idempotent, medium risk.
    pub idempotent: Arc<CountedTool>,
    /// The escalation's effect: idempotent, low risk.
    pub notify: Arc<CountedTool>,
}

impl Default for Tools {
    fn default() -> Self {
        Self::new()
    }
}

impl Tools {
    /// Tools that all work.
    pub fn new() -> Self {
        let works = || Behaviour::Works(json!({"level": 1}));
        Self {
            gauge: CountedTool::new("read:gauge", EffectClass::Read, Risk::Low, works()),
            danger: CountedTool::new("act:unsafe", EffectClass::Unsafe, Risk::High, works()),
            safe: CountedTool::new("act:safe", EffectClass::Unsafe, Risk::Low, works()),
            idempotent: CountedTool::new("act:idempotent", EffectClass::Idempotent, Risk::Medium, works()),
            notify: CountedTool::new("notify:team", EffectClass::Idempotent, Risk::Low, works()),
        }
    }

    /// All of them as backends.
    pub fn all(&self) -> Vec<Arc<dyn ToolBackend>> {
        [&self.gauge, &self.danger, &self.safe, &self.idempotent, &self.notify].map(|t| Arc::clone(t) as _).into()
    }
}

/// Any store, with all of its sides.
pub trait Store: SessionStore + CommandLog + Reads {}
impl<T: SessionStore + CommandLog + Reads> Store for T {}

/// An engine, its stub model and its tools.
#[derive(Debug, Clone)]
pub struct House {
    /// The engine.
    pub engine: Engine,
    /// The model.
    pub model: StubModel,
    /// The tools.
    pub tools: Tools,
    store: Arc<dyn Store>,
    pack: Arc<Pack>,
    roles: Arc<dyn Roles>,
}

/// A principal for people.
pub fn person(name: &str) -> Principal {
    Principal::new(format!("user:{name}"))
}

impl House {
    /// Opens with the standard test pack.
    pub async fn open() -> Self {
        Self::with(crate::pack::pack()).await
    }

    /// Opens with a pack.
    pub async fn with(pack: Pack) -> Self {
        Self::with_roles(pack, Arc::new(StandardRoles)).await
    }

    /// Opens with a pack and roles.
    pub async fn with_roles(pack: Pack, roles: Arc<dyn Roles>) -> Self {
        Self::start(Arc::new(MemoryStore::new()), Tools::new(), Arc::new(pack), roles).await
    }

    /// Opens on a store.
    pub async fn on(store: Arc<dyn Store>, pack: Arc<Pack>) -> Self {
        Self::start(store, Tools::new(), pack, Arc::new(StandardRoles)).await
    }

    async fn start(store: Arc<dyn Store>, tools: Tools, pack: Arc<Pack>, roles: Arc<dyn Roles>) -> Self {
        let model = StubModel::start().await;
        let limits = ModelLimits { schedules: Schedules::once(), ..ModelLimits::default() };
        let ports = Ports {
            store: Arc::clone(&store) as _,
            commands: Arc::clone(&store) as _,
            reads: Arc::clone(&store) as _,
            models: ModelGateway::default().with("stub", Arc::new(model.clone()), limits),
            tools: ToolGateway::new(tools.all()),
            roles: Arc::clone(&roles),
            clock: Arc::new(SystemClock),
        };
        let settings = EngineSettings {
            sweep_every: Duration::from_millis(20),
            patience: Duration::from_secs(20),
            ..EngineSettings::default()
        };
        let engine = Engine::start(ports, vec![Arc::clone(&pack)], settings).await.unwrap();
        Self { engine, model, tools, store, pack, roles }
    }

    /// Ends this engine without mercy and starts another on the same store, with a fresh model: a crash.
    pub async fn crash(self) -> Self {
        self.engine.shutdown(Duration::ZERO).await;
        Self::start(self.store, self.tools, self.pack, self.roles).await
    }

    /// A case's fields.
    pub fn fields(environment: &str) -> Value {
        json!({"summary": "it hurts", "environment": environment, "service": "shop"})
    }

    /// Opens a session that runs at once.
    pub async fn session(&self, environment: &str) -> SessionId {
        self.session_as(environment, true).await
    }

    /// Opens a session.
    pub async fn session_as(&self, environment: &str, start: bool) -> SessionId {
        self.opened(environment, start).await.id
    }

    /// Opens a session and returns its handle too.
    pub async fn opened(&self, environment: &str, start: bool) -> Opened {
        let case = Case {
            id: SessionId::new(uuid::Uuid::now_v7()),
            pack: "case".to_owned(),
            fields: Self::fields(environment),
            title: "it hurts".to_owned(),
            by: person("opener"),
            parent: None,
            start,
        };
        self.engine.open(case).await.unwrap()
    }

    /// Sends a command under a fresh id.
    pub async fn ask(&self, session: SessionId, by: &str, ask: Ask) -> Result<Accepted, EngineError> {
        let cmd_id = CmdId::new(uuid::Uuid::now_v7().to_string());
        self.engine.command(session, &cmd_id, Command { by: person(by), if_version: None, ask }).await
    }

    /// Answers an approval.
    pub async fn answer(
        &self,
        session: SessionId,
        approval: &ApprovalId,
        answer: Answer,
    ) -> Result<Accepted, EngineError> {
        self.ask(session, "approver", Ask::Answer { approval: approval.clone(), answer }).await
    }

    /// The events so far.
    pub async fn log(&self, session: SessionId) -> Vec<Event> {
        let mut head = (Seq(0), Digest::default());
        let mut events = Vec::new();
        for record in self.store.records(session, Seq(0), u32::MAX).await.unwrap() {
            events.extend(record.open(head.0, head.1).unwrap());
            head = (record.header.last_seq, record.hash);
        }
        events
    }

    /// The kinds of the events so far.
    pub async fn kinds(&self, session: SessionId) -> Vec<&'static str> {
        self.log(session).await.iter().map(|event| event.body.kind()).collect()
    }

    /// How often a kind stands in the log.
    pub async fn count(&self, session: SessionId, kind: &str) -> usize {
        self.kinds(session).await.iter().filter(|k| **k == kind).count()
    }

    /// The folded session.
    pub async fn folded(&self, session: SessionId) -> Session {
        Session::fold(&self.log(session).await).unwrap().unwrap()
    }

    /// Waits until the session has this status, and is no longer live where it rests.
    pub async fn until(&self, session: SessionId, status: &str) -> Session {
        let mut hints = self.engine.hints();
        let wait = async {
            loop {
                let folded = self.folded(session).await;
                if folded.status().as_str() == status {
                    return folded;
                }
                match hints.recv().await {
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => panic!("the engine is gone"),
                }
            }
        };
        let done = tokio::time::timeout(Duration::from_secs(20), wait).await;
        let Ok(session) = done else { panic!("never became {status}: {:#?}", self.kinds(session).await) };
        session
    }

    /// Waits until the session waits for exactly this many approvals and returns them.
    pub async fn approvals(&self, session: SessionId, count: usize) -> Vec<ApprovalRow> {
        let folded = self.until(session, "awaiting_input").await;
        assert_eq!(folded.approvals().len(), count);
        let filter = ApprovalFilter { session: Some(session), pending_only: true, limit: 100 };
        let mut rows = self.store.approvals(&filter).await.unwrap();
        rows.sort_by(|a, b| a.call.cmp(&b.call));
        rows
    }

    /// The store's read side.
    pub fn reads(&self) -> Arc<dyn Reads> {
        Arc::clone(&self.store) as _
    }
}
