//! A whole engine around a stub model and counted tools.

use std::sync::Arc;
use std::time::Duration;

use prometheus::Registry;
use provost_agents::StandardRoles;
use provost_domain::command::{Answer, Ask, Command};
use provost_domain::decide::Accepted;
use provost_domain::event::Event;
use provost_domain::ids::{ApprovalId, CmdId, Digest, Seq, SessionId};
use provost_domain::invariant;
use provost_domain::origin::CaseOrigin;
use provost_domain::pack::Pack;
use provost_domain::port::Roles;
use provost_domain::port::{
    ApprovalFilter, ApprovalRow, Clock, CommandLog, ModelProvider, Reads, SessionStore, ToolBackend,
};
use provost_domain::principal::Principal;
use provost_domain::session::Session;
use provost_domain::tool::{EffectClass, Risk};
use provost_engine::{
    Case, Engine, EngineError, EngineSettings, Hint, ModelGateway, ModelLimits, Opened, Ports, Resources, Schedules,
    SystemClock, SystemRandom, ToolGateway,
};
use provost_store::MemoryStore;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::clock::TokioClock;
use crate::model::{PATIENCE, StubModel};
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
    /// Can be asked whether a call happened, low risk.
    pub probed: Arc<CountedTool>,
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
            probed: CountedTool::new("act:probe", EffectClass::Probe, Risk::Low, works()),
            notify: CountedTool::new("notify:team", EffectClass::Idempotent, Risk::Low, works()),
        }
    }

    /// All of them.
    pub fn each(&self) -> [&Arc<CountedTool>; 6] {
        [&self.gauge, &self.danger, &self.safe, &self.idempotent, &self.probed, &self.notify]
    }

    /// All of them as backends.
    pub fn all(&self) -> Vec<Arc<dyn ToolBackend>> {
        self.each().map(|tool| Arc::clone(tool) as _).into()
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
    /// Where the engine registers its figures.
    pub metrics: Registry,
    store: Arc<dyn Store>,
    parts: Parts,
}

/// What a house is built from and a crash leaves as it is.
#[derive(Debug, Clone)]
struct Parts {
    pack: Arc<Pack>,
    roles: Arc<dyn Roles>,
    /// Asked in the stub model's place.
    provider: Option<Arc<dyn ModelProvider>>,
    clock: Arc<dyn Clock>,
    /// How long calls wait for servers that fail: not at all, unless a test says so.
    outage_budget: Duration,
}

/// A session's events so far.
pub async fn events(reads: &dyn Reads, session: SessionId) -> Vec<Event> {
    let mut head = (Seq(0), Digest::default());
    let mut events = Vec::new();
    for record in reads.records(session, Seq(0), u32::MAX).await.unwrap() {
        events.extend(record.open(head.0, head.1).unwrap());
        head = (record.header.last_seq, record.hash);
    }
    events
}

/// Waits for a sign that something changed in the session.
async fn hinted(hints: &mut Receiver<Hint>, session: SessionId) {
    loop {
        match hints.recv().await {
            Ok(hint) if hint.session != session => {}
            Ok(_) | Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => panic!("the engine is gone"),
        }
    }
}

/// The model, asked once per question.
fn gateway(provider: Arc<dyn ModelProvider>) -> ModelGateway {
    let limits = ModelLimits { schedules: Schedules::once(), ..ModelLimits::default() };
    ModelGateway::default().with("stub", provider, limits)
}

/// A principal for people.
pub fn person(name: &str) -> Principal {
    Principal::user(name)
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
        let parts = Parts {
            pack: Arc::new(pack),
            roles,
            provider: None,
            clock: Arc::new(SystemClock),
            outage_budget: Duration::ZERO,
        };
        Self::start(Arc::new(MemoryStore::new()), Tools::new(), parts).await
    }

    /// Opens with a pack, and a model of the test's own in the stub's place.
    pub async fn facing(pack: Pack, provider: Arc<dyn ModelProvider>) -> Self {
        Self::facing_on(Arc::new(MemoryStore::new()), pack, provider).await
    }

    /// The same on a store.
    pub async fn facing_on(store: Arc<dyn Store>, pack: Pack, provider: Arc<dyn ModelProvider>) -> Self {
        let parts = Parts {
            pack: Arc::new(pack),
            roles: Arc::new(StandardRoles),
            provider: Some(provider),
            clock: Arc::new(SystemClock),
            outage_budget: Duration::ZERO,
        };
        Self::start(store, Tools::new(), parts).await
    }

    /// The same where the clock goes with tokio's time: for tests in virtual time.
    pub async fn facing_in_tokio_time(store: Arc<dyn Store>, pack: Pack, provider: Arc<dyn ModelProvider>) -> Self {
        let clock = TokioClock::default();
        clock.begin();
        let (pack, roles, clock) = (Arc::new(pack), Arc::new(StandardRoles), Arc::new(clock));
        Self::start(
            store,
            Tools::new(),
            Parts { pack, roles, provider: Some(provider), clock, outage_budget: Duration::ZERO },
        )
        .await
    }

    /// The same where calls wait so long for servers that fail.
    pub async fn patient(
        store: Arc<dyn Store>,
        (pack, provider): (Pack, Arc<dyn ModelProvider>),
        clock: Arc<dyn Clock>,
        outage_budget: Duration,
    ) -> Self {
        let (pack, roles) = (Arc::new(pack), Arc::new(StandardRoles));
        Self::start(store, Tools::new(), Parts { pack, roles, provider: Some(provider), clock, outage_budget }).await
    }

    /// Opens on a store, by a clock of the test's own.
    pub async fn by_clock(store: Arc<dyn Store>, pack: Pack, clock: Arc<dyn Clock>) -> Self {
        let parts = Parts {
            pack: Arc::new(pack),
            roles: Arc::new(StandardRoles),
            provider: None,
            clock,
            outage_budget: Duration::ZERO,
        };
        Self::start(store, Tools::new(), parts).await
    }

    /// Opens on a store.
    pub async fn on(store: Arc<dyn Store>, pack: Arc<Pack>) -> Self {
        let parts = Parts {
            pack,
            roles: Arc::new(StandardRoles),
            provider: None,
            clock: Arc::new(SystemClock),
            outage_budget: Duration::ZERO,
        };
        Self::start(store, Tools::new(), parts).await
    }

    /// The same by a clock of the test's own.
    pub async fn timed(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        let parts = Parts {
            pack: crate::pack::shared(),
            roles: Arc::new(StandardRoles),
            provider: None,
            clock,
            outage_budget: Duration::ZERO,
        };
        Self::start(store, Tools::new(), parts).await
    }

    async fn start(store: Arc<dyn Store>, tools: Tools, given: Parts) -> Self {
        let (model, metrics) = (StubModel::start().await, Registry::new());
        let provider = given.provider.clone().unwrap_or_else(|| Arc::new(model.clone()));
        let ports = Ports {
            store: Arc::clone(&store) as _,
            commands: Arc::clone(&store) as _,
            reads: Arc::clone(&store) as _,
            roles: Arc::clone(&given.roles),
            clock: Arc::clone(&given.clock),
            random: Arc::new(SystemRandom),
            metrics: metrics.clone(),
        };
        let resources = Resources::new(vec![Arc::clone(&given.pack)], gateway(provider), ToolGateway::new(tools.all()));
        let resources = resources.with_outage_budget(given.outage_budget);
        let settings = EngineSettings {
            sweep_every: Duration::from_millis(20),
            patience: Duration::from_secs(20),
            ..EngineSettings::default()
        };
        let engine = Engine::start(ports, resources, settings).await.unwrap();
        Self { engine, model, tools, metrics, store, parts: given }
    }

    /// Puts these models in the place of the one there is; new sessions ask them.
    pub fn face(&self, models: ModelGateway) {
        let resources = Resources::new(vec![Arc::clone(&self.parts.pack)], models, ToolGateway::new(self.tools.all()));
        self.engine.reload(resources.with_outage_budget(self.parts.outage_budget));
    }

    /// Puts a pack in the place of the one there is while sessions run.
    pub fn reload(&self, pack: Pack) {
        let (models, tools) = (gateway(Arc::new(self.model.clone())), ToolGateway::new(self.tools.all()));
        let resources = Resources::new(vec![Arc::new(pack)], models, tools);
        self.engine.reload(resources.with_outage_budget(self.parts.outage_budget));
    }

    /// Ends this engine in order and starts another on the same store, with a fresh model.
    pub async fn restart(self) -> Self {
        self.engine.shutdown(PATIENCE).await;
        Self::start(self.store, self.tools, self.parts).await
    }

    /// Crashes, and starts with another pack in the place of the one before.
    pub async fn crash_into(self, pack: Pack) -> Self {
        self.engine.shutdown(Duration::ZERO).await;
        Self::start(self.store, self.tools, Parts { pack: Arc::new(pack), ..self.parts }).await
    }

    /// Ends this engine without mercy and starts another on the same store, with a fresh model: a crash.
    pub async fn crash(self) -> Self {
        self.engine.shutdown(Duration::ZERO).await;
        Self::start(self.store, self.tools, self.parts).await
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
        self.engine.open(Self::case(SessionId::new(uuid::Uuid::now_v7()), environment, start)).await.unwrap()
    }

    /// Opens a session of this id that runs at once.
    pub async fn try_session(&self, id: SessionId, environment: &str) -> Result<Opened, EngineError> {
        self.engine.open(Self::case(id, environment, true)).await
    }

    fn case(id: SessionId, environment: &str, start: bool) -> Case {
        Case {
            id,
            pack: "case".into(),
            fields: Self::fields(environment),
            title: "it hurts".to_owned(),
            by: person("opener"),
            parent: None,
            origin: CaseOrigin::default(),
            start,
        }
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
        self.ask(session, "approver", Ask::Answer { approval: approval.clone(), answer, reason: None }).await
    }

    /// The events so far.
    pub async fn log(&self, session: SessionId) -> Vec<Event> {
        events(&*self.store, session).await
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

    /// Waits until the session has this status.
    pub async fn until(&self, session: SessionId, status: &str) -> Session {
        self.once(session, status, |now| now == status).await
    }

    /// Waits until nothing of the session runs any more: it has ended, or waits for a person.
    pub async fn rest(&self, session: SessionId) -> Session {
        self.once(session, "still", |now| now != "new" && now != "in_progress").await
    }

    /// Waits until the session's status is so; `what` is for the reader of a failure.
    async fn once(&self, session: SessionId, what: &str, so: impl Fn(&str) -> bool) -> Session {
        let mut hints = self.engine.hints();
        let wait = async {
            while !so(self.store.session(session).await.unwrap().status.as_str()) {
                hinted(&mut hints, session).await;
            }
        };
        let done = tokio::time::timeout(PATIENCE, wait).await;
        assert!(done.is_ok(), "never became {what}: {:#?}", self.kinds(session).await);
        self.folded(session).await
    }

    /// What `provost audit verify` would find wrong with the session's log.
    pub async fn problems(&self, session: SessionId) -> Vec<String> {
        let row = self.store.session(session).await.unwrap();
        let mut records = self.store.records(session, Seq(0), u32::MAX).await.unwrap();
        // It may have gone on since its row was read.
        records.retain(|record| record.header.first_seq <= row.head_seq);
        invariant::check(&records, row.head_seq, row.head_hash)
    }

    /// Waits until the session waits for exactly this many approvals and returns them.
    pub async fn approvals(&self, session: SessionId, count: usize) -> Vec<ApprovalRow> {
        let folded = self.until(session, "awaiting_input").await;
        assert_eq!(folded.approvals().len(), count);
        let filter =
            ApprovalFilter { session: Some(session), pending_only: true, limit: 100, ..ApprovalFilter::default() };
        let mut rows = self.store.approvals(&filter).await.unwrap();
        rows.sort_by(|a, b| a.call.cmp(&b.call));
        rows
    }

    /// The store's read side.
    pub fn reads(&self) -> Arc<dyn Reads> {
        Arc::clone(&self.store) as _
    }
}
