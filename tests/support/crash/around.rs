//! What lies around a session, run like the session itself: a delivery opens it, another tells it something, a message of it
//! is carried, a request under a key stops it, and it is erased. Whoever sends is outside: they outlive every process, and
//! send again what they were not answered.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use prometheus::Registry;
use provost_agents::StandardRoles;
use provost_domain::access::{AccessRole, Token};
use provost_domain::failure::ModelFailure;
use provost_domain::ids::{CallId, Seq, SessionId, ToolName};
use provost_domain::invariant;
use provost_domain::model::{ModelReply, ModelRequest};
use provost_domain::pack::{Pack, PackFiles};
use provost_domain::port::{
    Carried, Carrier, Clock, DeliveryFilter, DeliveryReads as _, DeliveryState, KeptPack, MessageFilter, MessageState,
    MintAnswer, ModelProvider, NewMessage, Outbox as _, OutboxReads as _, PackShelf as _, Reads as _, SessionFilter,
    SessionRow, Tokens as _,
};
use provost_domain::schema::ArgSchema;
use provost_domain::tool::ToolCall;
use provost_engine::{
    Engine, EngineSettings, Eraser, ModelGateway, ModelLimits, Ports, Resources, SystemClock, SystemRandom, ToolGateway,
};
use provost_mail::{DeliveryFormat, FormatSettings, Intake, IntakeParts, IntakeSettings, Outgoing, OutgoingParts};
use provost_server::{Parts, RequestRate, Server};
use provost_store::SqliteStore;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::points::{Points, Strike};
use super::ports::Pointed;
use crate::house::person;

/// How long a process may take to bring everything to its end.
const PATIENCE: Duration = Duration::from_mins(1);
/// The pause between two looks, and between two tries.
const LOOK: Duration = Duration::from_millis(3);
/// Stands in everything that is sent, and in no file at the end.
const MARKER: &str = "MARKER-AROUND";
/// The key of the one message.
const KEY: &str = "key-of-the-message";

/// The model: it never answers.
#[derive(Debug)]
struct Silent;

#[async_trait]
impl ModelProvider for Silent {
    async fn ask(&self, _request: &ModelRequest, _body: &[u8]) -> Result<ModelReply, ModelFailure> {
        std::future::pending().await
    }
}

/// Where messages arrive: counts them by key.
#[derive(Debug, Default)]
struct Door(Mutex<BTreeMap<String, u32>>);

#[async_trait]
impl Carrier for Door {
    async fn carry(&self, call: &ToolCall) -> Carried {
        *self.0.lock().unwrap().entry(call.key.clone()).or_default() += 1;
        Carried::Taken
    }
}

/// What the senders know.
#[derive(Debug, Default)]
struct Sent {
    /// Deliveries that were taken, by their ids.
    taken: Vec<(&'static str, String)>,
    /// Whether the message was stored.
    queued: bool,
    /// The answers to the stop.
    answers: Vec<Value>,
}

/// One run.
#[derive(Debug)]
pub struct Around {
    /// Its points.
    pub points: Arc<Points>,
    store: SqliteStore,
    folder: TempDir,
    door: Arc<Door>,
    sent: Mutex<Sent>,
    pack: Arc<Pack>,
    /// An administrator's and a sender's.
    secrets: [String; 2],
    /// What was wrong between two processes.
    between: Mutex<Vec<String>>,
    /// The disk goes on while processes come and go.
    disk: Runtime,
}

/// A process, as its callers see it.
struct Site {
    engine: Engine,
    outgoing: Outgoing,
    url: String,
    client: reqwest::Client,
    _answering: JoinSet<()>,
}

impl Around {
    /// Runs processes until one of them has brought everything to its end.
    pub fn of(strikes: Vec<Vec<Strike>>) -> Self {
        let disk = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let folder = TempDir::new().unwrap();
        let (store, secrets) = disk.block_on(async {
            let store = SqliteStore::open(&folder.path().join("p.db")).await.unwrap();
            let (admin, sender) = (secret(&store, AccessRole::Admin).await, secret(&store, AccessRole::Intake).await);
            (store, [admin, sender])
        });
        let mut pack = crate::pack::pack();
        pack.fields = ArgSchema::new(json!({"type": "object"})).unwrap();
        let processes = strikes.len();
        let run = Self {
            points: Arc::new(Points::new(strikes)),
            store,
            folder,
            door: Arc::default(),
            sent: Mutex::default(),
            pack: Arc::new(pack),
            secrets,
            between: Mutex::default(),
            disk,
        };
        for _ in 0..=processes {
            let done = run.process();
            let half = run.disk.block_on(run.half_erased());
            run.between.lock().unwrap().extend(half);
            if done {
                break;
            }
        }
        run
    }

    /// One process: everything of it goes with its runtime. Whether everything came to its end.
    fn process(&self) -> bool {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            self.points.begin();
            let work = async {
                let site = self.start().await;
                self.lead(&site).await;
                site.engine.shutdown(Duration::ZERO).await;
            };
            tokio::select! {
                biased;
                () = self.points.death() => false,
                done = timeout(PATIENCE, work) => {
                    assert!(done.is_ok(), "it never ended: {:?} {:?}", self.points, self.sent);
                    true
                }
            }
        })
    }

    async fn engine(&self, metrics: &Registry) -> Engine {
        let models = ModelGateway::default().with("stub", Arc::new(Silent), ModelLimits::default());
        let ports = Ports {
            store: Arc::new(self.store.clone()),
            commands: Arc::new(self.store.clone()),
            reads: Arc::new(self.store.clone()),
            roles: Arc::new(StandardRoles),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            metrics: metrics.clone(),
        };
        let tools = ToolGateway::new(crate::house::Tools::new().all());
        let settings = EngineSettings { sweep_every: Duration::from_millis(20), ..EngineSettings::default() };
        Engine::start(ports, Resources::new(vec![Arc::clone(&self.pack)], models, tools), settings).await.unwrap()
    }

    async fn start(&self) -> Site {
        let door = Arc::new(Pointed::new(Arc::new(self.store.clone()), &self.points));
        let files = PackFiles([("pack.yaml".to_owned(), "name: case".to_owned())].into());
        let kept = KeptPack { digest: self.pack.digest, name: self.pack.name.clone(), files };
        if door.keep(&[kept]).await.is_err() {
            // It does not start; somebody starts it again.
            std::future::pending::<()>().await;
        }
        let metrics = Registry::new();
        let engine = self.engine(&metrics).await;
        let (reads, clock): (_, Arc<dyn Clock>) = (Arc::new(self.store.reads()), Arc::new(SystemClock));
        let formats = [(DeliveryFormat::Alertmanager, FormatSettings::of_pack(self.pack.name.clone()))].into();
        let (deliveries, given) = (Arc::clone(&door) as _, engine.clone());
        let parts = IntakeParts {
            engine: given,
            deliveries,
            reads: Arc::clone(&reads) as _,
            clock: Arc::clone(&clock),
            metrics: metrics.clone(),
        };
        let intake = Intake::start(parts, IntakeSettings { formats, waiting_max: 100, max_cases: 20 }).await.unwrap();
        let outbox = Arc::clone(&door) as _;
        let give_up_after = Duration::from_hours(1);
        let parts = OutgoingParts { outbox, reads, clock: Arc::clone(&clock), give_up_after, metrics: metrics.clone() };
        let outgoing = Outgoing::new(parts).unwrap();
        outgoing.carry_with([(ToolName::new("notify:x"), Arc::clone(&self.door) as _)].into());
        outgoing.start(&engine);
        let eraser = Eraser::new(engine.clone(), Arc::clone(&door) as _);
        let server = Server::new(Parts {
            engine: engine.clone(),
            tokens: Arc::new(self.store.clone()),
            requests: door,
            clock,
            intake,
            outgoing: outgoing.clone(),
            eraser,
            metrics,
            data: self.folder.path().to_path_buf(),
            page_sessions: Arc::new(self.store.clone()),
            rate: RequestRate::default(),
        })
        .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut answering = JoinSet::new();
        answering.spawn(async move { server.serve(listener, CancellationToken::new()).await.unwrap() });
        Site {
            engine,
            outgoing,
            url,
            client: provost_http::client(None).unwrap().build().unwrap(),
            _answering: answering,
        }
    }

    /// Everything that is sent, in its order.
    async fn lead(&self, site: &Site) {
        self.deliver(site, "firing").await;
        let session = self.until(async || self.sessions().await.first().cloned()).await.id;
        self.deliver(site, "resolved").await;
        self.tell(site, session).await;
        self.stop(site, session).await;
        self.until(async || self.sessions().await.first().cloned().filter(|row| row.ended && row.owner.is_none()))
            .await;
        let body = json!({ "reason": "asked for" });
        self.until(async || {
            let path = format!("/v1/sessions/{session}/erase");
            drop(answered(self.post(site, 0, &path).json(&body)).await);
            self.holding().is_empty().then_some(())
        })
        .await;
    }

    /// Until it is taken, and worked on.
    async fn deliver(&self, site: &Site, status: &'static str) {
        let labels = json!({"alertname": "A", "service": "shop", "environment": "staging"});
        let alert = json!({"status": status, "labels": labels, "annotations": {"summary": MARKER},
            "startsAt": "2026-01-01T00:00:00Z", "fingerprint": "f"});
        let body = json!({"version": "4", "groupKey": "g", "status": status, "receiver": "r", "alerts": [alert]});
        let taken = || self.sent.lock().unwrap().taken.iter().any(|(of, _)| *of == status);
        while !taken() {
            let delivery = self.post(site, 1, "/hooks/alertmanager").json(&body);
            if let Some((StatusCode::ACCEPTED, answer)) = answered(delivery).await {
                let id = answer["delivery"].as_str().unwrap().to_owned();
                self.sent.lock().unwrap().taken.push((status, id));
            } else {
                sleep(LOOK).await;
            }
        }
        let reads = self.store.reads();
        self.until(async || reads.waiting().await.unwrap().is_empty().then_some(())).await;
    }

    /// A message of the session, until it is stored, and sent.
    async fn tell(&self, site: &Site, session: SessionId) {
        let call = ToolCall {
            session,
            call: CallId::new("1.1.0"),
            tool: ToolName::new("notify:x"),
            args: Arc::new(json!({ "said": MARKER })),
            key: KEY.to_owned(),
        };
        let message = NewMessage { call, at: SystemClock.now() };
        let queued = || self.sent.lock().unwrap().queued;
        while !queued() {
            let stored = site.outgoing.enqueue(message.clone()).await.is_ok();
            self.sent.lock().unwrap().queued = stored;
        }
        let reads = self.store.reads();
        let sent = async || {
            // Once the session is erased the message is, too.
            let row = reads.message(&message.id()).await;
            (row.is_err() || row.is_ok_and(|row| row.state == MessageState::Sent)).then_some(())
        };
        self.until(sent).await;
    }

    /// A stop under a key, until it is answered twice.
    async fn stop(&self, site: &Site, session: SessionId) {
        let body = json!({ "reason": MARKER });
        let path = format!("/v1/sessions/{session}/stop");
        let answers = || self.sent.lock().unwrap().answers.len();
        while answers() < 2 {
            let stop = self.post(site, 0, &path).header("idempotency-key", "k").json(&body);
            match answered(stop).await {
                Some((StatusCode::OK, answer)) => self.sent.lock().unwrap().answers.push(answer),
                Some(_) | None => sleep(LOOK).await,
            }
        }
    }

    /// A request of the administrator or of the sender.
    fn post(&self, site: &Site, who: usize, path: &str) -> RequestBuilder {
        site.client.post(format!("{}{path}", site.url)).bearer_auth(&self.secrets[who])
    }

    async fn until<T>(&self, look: impl AsyncFn() -> Option<T>) -> T {
        loop {
            match look().await {
                Some(found) => return found,
                None => sleep(LOOK).await,
            }
        }
    }

    async fn sessions(&self) -> Vec<SessionRow> {
        // What a dead process still had in the writer's queue comes first.
        let (nothing, never) = (provost_domain::port::Prunable::Requests, provost_domain::time::Timestamp::default());
        provost_domain::port::Erasure::prune(&self.store, nothing, never, 1).await.unwrap();
        self.store.sessions(&SessionFilter { limit: 9, ..SessionFilter::default() }).await.unwrap()
    }

    /// The files that hold what was said.
    fn holding(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let holds = |path: &PathBuf| {
            let bytes = std::fs::read(path).unwrap_or_default();
            bytes.windows(MARKER.len()).any(|part| part == MARKER.as_bytes())
        };
        files.filter(holds).collect()
    }

    /// What an erasure that is not whole left, or what one took that never was.
    async fn half_erased(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for row in self.sessions().await {
            let records = self.store.records(row.id, Seq(0), u32::MAX).await.unwrap();
            let (last, before) = records.split_last().unwrap();
            let gone = before.iter().filter(|record| record.payload.is_none()).count();
            let whole = if row.erased_at.is_some() { before.len() } else { 0 };
            let tombstone = last.header.kinds == "session_erased";
            if gone != whole || tombstone != row.erased_at.is_some() || last.payload.is_none() {
                problems.push(format!("half erased: {gone} of {} records, {row:?}", before.len()));
            }
            problems.extend(invariant::check(&records, row.head_seq, row.head_hash));
        }
        problems
    }

    /// Everything that does not hold.
    pub fn problems(&self) -> Vec<String> {
        self.disk.block_on(self.look())
    }

    async fn look(&self) -> Vec<String> {
        let mut problems = self.between.lock().unwrap().clone();
        let mut hold = |holds: bool, what: String| {
            if !holds {
                problems.push(what);
            }
        };
        let (sessions, reads) = (self.sessions().await, self.store.reads());
        hold(sessions.len() == 1, format!("one case is not one session: {sessions:?}"));
        let erased = sessions.iter().all(|row| row.erased_at.is_some() && row.owner.is_none());
        hold(erased && self.holding().is_empty(), format!("it is not erased: {sessions:?} {:?}", self.holding()));
        for row in &sessions {
            let records = self.store.records(row.id, Seq(0), u32::MAX).await.unwrap();
            let kinds: Vec<&str> = records.iter().map(|record| record.header.kinds.as_str()).collect();
            let kinds = kinds.join(" ");
            for kind in ["session_created", "signal_received", "stop_requested", "session_erased"] {
                hold(kinds.matches(kind).count() == 1, format!("{kind} is not there once: {kinds}"));
            }
        }
        let rows = reads.deliveries(&DeliveryFilter { limit: 99, ..DeliveryFilter::default() }).await.unwrap();
        hold(rows.iter().all(|row| row.state == DeliveryState::Done), format!("deliveries are left: {rows:?}"));
        let messages = reads.messages(&MessageFilter { limit: 9, ..MessageFilter::default() }).await.unwrap();
        hold(messages.is_empty(), format!("messages are left: {messages:?}"));
        let path = self.folder.path().join("p.db");
        let kept = crate::transfer::text(&path, "SELECT group_concat(name) FROM packs").await;
        hold(kept == self.pack.name.as_str(), format!("the packs that are kept: {kept}"));
        let sent = self.sent.lock().unwrap();
        for (_, id) in &sent.taken {
            hold(rows.iter().any(|row| row.id.as_str() == id), format!("delivery {id} was taken and is not there"));
        }
        let arrived = self.door.0.lock().unwrap().clone();
        hold(arrived.keys().eq([KEY]), format!("not carried under its one key: {arrived:?}"));
        hold(sent.answers.len() == 2, format!("not answered: {:?}", sent.answers));
        hold(sent.answers.windows(2).all(|two| two[0] == two[1]), format!("not answered alike: {:?}", sent.answers));
        problems
    }
}

/// The answer; `None` where there was none.
async fn answered(request: RequestBuilder) -> Option<(StatusCode, Value)> {
    let answered = request.send().await.ok()?;
    Some((answered.status(), answered.json().await.ok()?))
}

async fn secret(store: &SqliteStore, role: AccessRole) -> String {
    let random = provost_face::random();
    let (token, secret) = Token::mint(role.as_str(), role, person("test"), SystemClock.now(), &random).unwrap();
    assert_eq!(store.mint(&token).await, Ok(MintAnswer::Stored));
    secret.reveal().to_owned()
}
