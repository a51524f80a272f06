//! The measurements.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use prometheus::Registry;
use provost_agents::StandardRoles;
use provost_domain::ids::{Seq, SessionId};
use provost_domain::invariant;
use provost_domain::origin::CaseOrigin;
use provost_domain::port::{CommandLog, Reads, SessionStore};
use provost_domain::principal::Principal;
use provost_domain::time::Timestamp;
use provost_engine::{
    Case, Engine, EngineSettings, LockRegistry, ModelGateway, ModelLimits, Ports, Resources, SystemClock, SystemRandom,
    ToolGateway,
};
use provost_mail::StandardForms;
use provost_packs::{Inventory, load};
use provost_store::{MemoryStore, SqliteStore};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::machine;
use crate::parts::{BenchModel, KibTool};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Memory,
}

type Seams = (Arc<dyn SessionStore>, Arc<dyn CommandLog>, Arc<dyn Reads>);

fn seams<T: SessionStore + CommandLog + Reads + 'static>(store: Arc<T>) -> Seams {
    (Arc::clone(&store) as _, Arc::clone(&store) as _, store)
}

/// An engine on a fresh store.
pub(crate) struct Subject {
    pub(crate) engine: Engine,
    sqlite: Option<SqliteStore>,
    pub(crate) folder: TempDir,
}

impl Subject {
    pub(crate) async fn open(kind: Kind, model: BenchModel, sessions_max: usize) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let tools = ToolGateway::new(KibTool::all()?);
        let catalog = tools.catalog();
        let models = BTreeSet::from(["default".to_owned()]);
        let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("pack");
        let pack = Arc::new(load(
            &pack,
            Inventory { catalog: &catalog, models: Some(&models), roles: &StandardRoles, forms: &StandardForms },
        )?);
        let sqlite = match kind {
            Kind::Memory => None,
            Kind::Sqlite => Some(SqliteStore::open(&folder.path().join("w1.db")).await?),
        };
        let (store, commands, reads) = match &sqlite {
            None => seams(Arc::new(MemoryStore::new())),
            Some(sqlite) => seams(Arc::new(sqlite.clone())),
        };
        let limits = ModelLimits { concurrency: 1024, ..ModelLimits::default() };
        let models = ModelGateway::default().with("default", Arc::new(model), limits);
        let (roles, clock) = (Arc::new(StandardRoles), Arc::new(SystemClock));
        let (random, metrics) = (Arc::new(SystemRandom), Registry::new());
        let ports = Ports { store, commands, reads, roles, clock, random, metrics };
        let settings = EngineSettings { sessions_max, ..EngineSettings::default() };
        let engine = Engine::start(ports, Resources::new(vec![pack], models, tools), settings).await?;
        Ok(Self { engine, sqlite, folder })
    }

    /// Its store, which must be on disk.
    pub(crate) fn sqlite(&self) -> Result<&SqliteStore> {
        self.sqlite.as_ref().context("the subject has no store on disk")
    }

    pub(crate) fn case() -> Case {
        Case {
            id: SessionId::new(uuid::Uuid::now_v7()),
            pack: "w1".into(),
            fields: json!({"summary": "it hurts"}),
            title: "it hurts".to_owned(),
            by: Principal::user("bench"),
            parent: None,
            origin: CaseOrigin::default(),
            start: true,
        }
    }

    /// Every log, verified; events, records and bytes per session.
    async fn verified(&self, ids: &[SessionId]) -> Result<(u64, u64)> {
        let reads = self.engine.reads();
        let (mut events, mut records) = (0, 0);
        for id in ids {
            let row = reads.session(*id).await?;
            let log = reads.records(*id, Seq(0), u32::MAX).await?;
            let problems = invariant::check(&log, row.head_seq, row.head_hash);
            ensure!(problems.is_empty() && row.status.as_str() == "resolved", "{id} is {}: {problems:?}", row.status);
            events += row.head_seq.0;
            records += log.len() as u64;
        }
        Ok((events, records))
    }

    /// The store's file.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("w1.db")
    }

    pub(crate) fn bytes(&self) -> Result<u64> {
        let mut total = 0;
        for entry in std::fs::read_dir(self.folder.path())? {
            total += entry?.metadata()?.len();
        }
        Ok(total)
    }

    pub(crate) async fn close(&self) {
        self.engine.shutdown(Duration::from_secs(5)).await;
        if let Some(sqlite) = &self.sqlite {
            sqlite.close().await;
        }
    }
}

type Waiting = Arc<Mutex<HashMap<SessionId, oneshot::Sender<()>>>>;

/// Tells each waiting caller that its session rests; on a lag, looks at all of them.
async fn dispatch(engine: Engine, waiting: Waiting, rests: &'static [&'static str]) {
    let mut hints = engine.hints();
    loop {
        let done = match hints.recv().await {
            Ok(hint) if hint.status.as_ref().is_some_and(|status| rests.contains(&status.as_str())) => {
                vec![hint.session]
            }
            Ok(_) => continue,
            Err(RecvError::Closed) => return,
            Err(RecvError::Lagged(_)) => {
                let ids: Vec<SessionId> = lock(&waiting).keys().copied().collect();
                let mut done = Vec::new();
                for id in ids {
                    let rested = engine.reads().session(id).await.is_ok_and(|row| rests.contains(&row.status.as_str()));
                    done.extend(rested.then_some(id));
                }
                done
            }
        };
        let mut waiting = lock(&waiting);
        for session in done {
            if let Some(waiter) = waiting.remove(&session) {
                // A caller that failed meanwhile does not listen any more.
                waiter.send(()).unwrap_or_default();
            }
        }
    }
}

fn lock(waiting: &Waiting) -> std::sync::MutexGuard<'_, HashMap<SessionId, oneshot::Sender<()>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs sessions, so many at once, each to its rest; their ids and times.
pub(crate) async fn drive(
    subject: &Subject,
    at_once: usize,
    sessions: usize,
    rests: &'static [&'static str],
) -> Result<Vec<(SessionId, Duration)>> {
    let waiting = Waiting::default();
    let mut tasks = JoinSet::new();
    let mut dispatcher = JoinSet::new();
    dispatcher.spawn(dispatch(subject.engine.clone(), Arc::clone(&waiting), rests));
    let places = Arc::new(Semaphore::new(at_once));
    for _ in 0..sessions {
        let place = Arc::clone(&places).acquire_owned().await?;
        let (engine, waiting) = (subject.engine.clone(), Arc::clone(&waiting));
        tasks.spawn(async move {
            let began = Instant::now();
            let case = Subject::case();
            let id = case.id;
            let (done, rested) = oneshot::channel();
            lock(&waiting).insert(id, done);
            engine.open(case).await?;
            rested.await.context("nobody told")?;
            drop(place);
            anyhow::Ok((id, began.elapsed()))
        });
    }
    let mut took = Vec::with_capacity(sessions);
    while let Some(done) = tasks.join_next().await {
        took.push(done??);
    }
    dispatcher.abort_all();
    Ok(took)
}

#[expect(clippy::cast_precision_loss, reason = "figures are rounded for people")]
pub(crate) fn ratio(a: impl Into<u128>, b: u128) -> f64 {
    let (a, b): (u128, u128) = (a.into(), b.max(1));
    (a as f64 / b as f64 * 100.0).round() / 100.0
}

pub(crate) async fn throughput(kind: Kind, at_once: usize, sessions: usize) -> Result<Value> {
    let subject = Subject::open(kind, BenchModel::default(), at_once * 2 + 64).await?;
    let (cpu, began) = (machine::cpu()?, Instant::now());
    let mut took = drive(&subject, at_once, sessions, &["resolved"]).await?;
    let (wall, cpu) = (began.elapsed(), machine::cpu()?.saturating_sub(cpu));
    let ids: Vec<SessionId> = took.iter().map(|(id, _)| *id).collect();
    let (events, records) = subject.verified(&ids).await?;
    took.sort_unstable_by_key(|(_, took)| *took);
    let p99 = took.get(took.len() * 99 / 100).map_or(0, |(_, took)| took.as_micros());
    let durability = subject.sqlite.as_ref().map(|sqlite| format!("{:?}", sqlite.durability()));
    subject.close().await;
    let count = sessions as u128;
    Ok(json!({
        "sessions_per_s": ratio(count * 1_000_000, wall.as_micros()),
        "cpu_ms": ratio(cpu.as_micros(), count * 1_000),
        "p99_ms": ratio(p99, 1_000),
        "bytes": ratio(u128::from(subject.bytes()?), count),
        "events": ratio(u128::from(events), count),
        "records": ratio(u128::from(records), count),
        "durability": durability,
    }))
}

/// From nothing to the first finished session, the store's file included.
pub(crate) async fn cold_start() -> Result<Value> {
    let began = Instant::now();
    let subject = Subject::open(Kind::Sqlite, BenchModel::default(), 8).await?;
    drive(&subject, 1, 1, &["resolved"]).await?;
    let took = began.elapsed();
    subject.close().await;
    Ok(json!(ratio(took.as_micros(), 1_000)))
}

/// The refusal of a held session, p50 and p99.
pub(crate) fn busy_lock() -> Value {
    let registry = LockRegistry::default();
    let session = SessionId::new(uuid::Uuid::now_v7());
    let guard = registry.try_acquire(session, "holder", Timestamp::default());
    let mut took: Vec<u128> = (0..100_000)
        .map(|_| {
            let began = Instant::now();
            let busy = registry.try_acquire(session, "other", Timestamp::default()).is_err();
            let took = began.elapsed().as_nanos();
            if busy { took } else { u128::MAX }
        })
        .collect();
    drop(guard);
    took.sort_unstable();
    json!({"p50": took.get(50_000), "p99": took.get(99_000)})
}

/// Resident memory with none and with many parked sessions.
pub(crate) async fn parked(count: u32) -> Result<Value> {
    let model = BenchModel { parks: true, ..BenchModel::default() };
    let subject = Subject::open(Kind::Sqlite, model, 1_024).await?;
    drive(&subject, 64, 500, &["awaiting_input"]).await?;
    let before = machine::resident_kib()?;
    drive(&subject, 64, count as usize, &["awaiting_input"]).await?;
    let after = machine::resident_kib()?;
    let held = subject.engine.registry().len();
    subject.close().await;
    Ok(json!({"sessions": count, "resident_kib_before": before, "resident_kib_after": after, "held": held}))
}
