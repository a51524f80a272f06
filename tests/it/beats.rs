//! A wedged engine does not beat, whatever else of the process still runs.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use prometheus::Registry;
use provost_agents::StandardRoles;
use provost_domain::command::Command;
use provost_domain::ids::{CmdId, Owner, SessionId};
use provost_domain::port::{Claimed, CommandLog, CommandOutcome, InboxEntry, StoreError, Submitted};
use provost_domain::time::Timestamp;
use provost_engine::{
    Engine, EngineSettings, ModelGateway, Packs, Ports, Resources, SystemClock, SystemRandom, ToolGateway,
};
use provost_store::MemoryStore;
use tokio::sync::watch;
use tokio::time::timeout;

/// Only how long a failing test takes.
const PATIENCE: Duration = Duration::from_secs(20);
/// So many sweeps would fit into the time a wedged engine is looked at.
const SWEEPS: u32 = 20;

/// A store whose looks for work get no answer while it is shut; it counts them.
#[derive(Debug)]
struct Door {
    store: Arc<MemoryStore>,
    shut: watch::Sender<bool>,
    asked: watch::Sender<u64>,
}

#[async_trait]
impl CommandLog for Door {
    async fn submit(&self, cmd_id: &CmdId, session: SessionId, command: &Command) -> Result<Submitted, StoreError> {
        self.store.submit(cmd_id, session, command).await
    }

    async fn outcome(&self, cmd_id: &CmdId, session: SessionId) -> Result<Option<CommandOutcome>, StoreError> {
        self.store.outcome(cmd_id, session).await
    }

    async fn inbox(&self, session: SessionId) -> Result<(Vec<InboxEntry>, u64), StoreError> {
        self.store.inbox(session).await
    }

    async fn runnable(&self, owner: &Owner, now: Timestamp, limit: u32) -> Result<Vec<Claimed>, StoreError> {
        self.asked.send_modify(|asked| *asked += 1);
        self.shut.subscribe().wait_for(|shut| !shut).await.unwrap();
        self.store.runnable(owner, now, limit).await
    }
}

#[tokio::test]
async fn only_completed_looks_for_work_count_as_beats() {
    let store = Arc::new(MemoryStore::new());
    let door = Arc::new(Door { store: Arc::clone(&store), shut: watch::channel(false).0, asked: watch::channel(0).0 });
    let ports = Ports {
        store: Arc::clone(&store) as _,
        commands: Arc::clone(&door) as _,
        reads: store,
        roles: Arc::new(StandardRoles),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        metrics: Registry::new(),
    };
    let resources = Resources::new(Packs::default(), ModelGateway::default(), ToolGateway::new([]));
    let sweep_every = Duration::from_millis(5);
    let settings = EngineSettings { sweep_every, ..EngineSettings::default() };
    let engine = Engine::start(ports, resources, settings).await.unwrap();
    let (mut beats, mut asked) = (engine.beats(), door.asked.subscribe());
    let beaten = |beats: u64| move |now: &u64| *now > beats;
    timeout(PATIENCE, beats.wait_for(beaten(2))).await.unwrap().unwrap();

    door.shut.send_replace(true);
    let before = *asked.borrow();
    timeout(PATIENCE, asked.wait_for(|now| *now > before)).await.unwrap().unwrap();
    let at_the_door = *beats.borrow_and_update();
    let another = timeout(sweep_every * SWEEPS, beats.changed()).await;
    assert!(another.is_err(), "{} after {at_the_door}, and nothing was looked at", *beats.borrow());

    door.shut.send_replace(false);
    timeout(PATIENCE, beats.wait_for(beaten(at_the_door))).await.unwrap().unwrap();
    engine.shutdown(Duration::ZERO).await;
}
