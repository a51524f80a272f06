//! A world: one store, one witness, one clock, and nodes that come and go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use provost_agents::StandardRoles;
use provost_domain::gate::ApprovalRule;
use provost_domain::ids::{AgentName, ToolName};
use provost_domain::pack::Pack;
use provost_engine::{Engine, EngineError, EngineSettings, ModelGateway, ModelLimits, Ports, ToolGateway};
use provost_store::MemoryStore;
use provost_tests::pack;

use crate::Removed;
use crate::board::Board;
use crate::clock::SimClock;
use crate::deeds::Deeds;
use crate::dice::Dice;
use crate::gate::{Gate, Life};
use crate::ledger::Ledger;
use crate::link::{Link, Storm};
use crate::mouth::Mouth;
use crate::trace::Trace;
use crate::witness::{Witness, beside};

/// Everything that outlives a node.
#[derive(Debug, Clone)]
pub(crate) struct World {
    /// The store.
    pub(crate) ledger: Arc<Ledger>,
    /// What truly happened.
    pub(crate) deeds: Deeds,
    /// The tools.
    witness: Arc<Witness>,
    /// The clock.
    pub(crate) clock: Arc<SimClock>,
    /// The faults.
    pub(crate) storm: Storm,
    /// The notes.
    pub(crate) trace: Trace,
    removed: Option<Removed>,
    packs: Vec<Arc<Pack>>,
    present: Board<Option<Node>>,
    nodes: Arc<AtomicU32>,
}

/// A process.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Its engine.
    pub(crate) engine: Engine,
    /// Whether it lives.
    pub(crate) gate: Gate,
    /// Which one it is, from 1.
    pub(crate) number: u32,
}

/// The test pack, with a call that can be probed, and times short enough for all of them to pass.
fn quick_pack() -> Pack {
    let mut pack = pack::pack();
    for agent in pack.agents.values_mut() {
        agent.deadline = Duration::from_secs(if agent.watch.is_some() { 12 } else { 25 });
        if let Some(watch) = &mut agent.watch {
            watch.every = Duration::from_secs(2);
        }
        if agent.name == AgentName::new("closer") {
            agent.tools.push(ToolName::new("act:probe"));
        }
    }
    pack.gates.approval = ApprovalRule { expires: Duration::from_secs(40), ..pack.gates.approval };
    pack
}

/// Read once per process: its schemas are compiled.
fn shared_pack() -> Arc<Pack> {
    static PACK: std::sync::OnceLock<Arc<Pack>> = std::sync::OnceLock::new();
    Arc::clone(PACK.get_or_init(|| Arc::new(quick_pack())))
}

impl World {
    /// Without a node yet.
    pub(crate) fn new(clock: Arc<SimClock>, storm: Storm, trace: Trace, removed: Option<Removed>) -> Self {
        let empty = removed.and_then(Removed::of_store).map_or_else(MemoryStore::new, MemoryStore::without);
        let deeds = Deeds::default();
        let ledger = Arc::new(Ledger::new(empty, deeds.clone(), trace.clone()));
        let witness = Arc::new(Witness::new(Arc::clone(&ledger), deeds.clone(), trace.clone()));
        let (packs, present) = (vec![shared_pack()], Board::new(None));
        Self { ledger, deeds, witness, clock, storm, trace, removed, packs, present, nodes: Arc::default() }
    }

    /// Starts a node, which is the present one from then on.
    pub(crate) async fn start(&self, dice: &Dice) -> Result<Node, EngineError> {
        let number = self.nodes.fetch_add(1, Ordering::Relaxed) + 1;
        self.trace.line(|| format!("node {number} starts"));
        let (gate, storm) = (Gate::open(), self.storm.clone());
        let link = (dice.fork(), self.trace.clone(), number);
        let link = Arc::new(Link::new(Arc::clone(&self.ledger), gate.clone(), storm, link));
        let limits = ModelLimits { timeout: Duration::from_secs(9), ..ModelLimits::default() };
        let ports = Ports {
            store: Arc::clone(&link) as _,
            commands: Arc::clone(&link) as _,
            reads: link as _,
            models: ModelGateway::default().with("stub", Mouth::new(gate.clone(), dice.fork()), limits),
            tools: ToolGateway::new(self.witness.tools(&gate, &dice.fork())),
            roles: Arc::new(StandardRoles),
            clock: Arc::clone(&self.clock) as _,
            random: Arc::new(dice.fork()),
        };
        let sessions_max = if dice.permille(200) { 2 } else { 64 };
        let removed = self.removed.and_then(Removed::of_engine);
        let settings = EngineSettings { sessions_max, removed, ..EngineSettings::default() };
        let engine = Engine::start(ports, self.packs.clone(), settings).await?;
        let node = Node { engine, gate, number };
        self.present.change(|present| *present = Some(node.clone()));
        Ok(node)
    }

    /// The present node, once there is one that is not dead.
    pub(crate) async fn node(&self) -> Option<Node> {
        let lives = |node: &Option<Node>| node.as_ref().is_some_and(|node| node.gate.life() != Life::Dead);
        self.present.until(lives).await
    }

    /// A node's whole life, and how it ends.
    pub(crate) async fn chapter(&self, dice: &Dice) {
        let Ok(node) = self.start(dice).await else { return };
        let time = dice.millis(25_000);
        if tokio::time::timeout(time, node.gate.dead()).await.is_ok() {
            self.trace.line(|| format!("node {} has died", node.number));
        } else {
            self.end(&node, dice).await;
        }
        tokio::time::sleep(dice.millis(1_500)).await;
    }

    async fn end(&self, node: &Node, dice: &Dice) {
        match dice.below(4) {
            0 => {
                self.trace.line(|| format!("node {} drains", node.number));
                let drained = node.engine.shutdown(dice.millis(5_000));
                drop(tokio::time::timeout(Duration::from_mins(1), drained).await);
                node.gate.set(Life::Dead);
            }
            1 => {
                self.trace.line(|| format!("node {} is killed", node.number));
                node.gate.set(Life::Dead);
            }
            _ => self.outlive(node.clone(), dice.fork()),
        }
    }

    /// It stands still for a while, and then goes on beside its successor until it dies.
    fn outlive(&self, node: Node, dice: Dice) {
        self.trace.line(|| format!("node {} stands still", node.number));
        node.gate.set(Life::Stands);
        let trace = self.trace.clone();
        drop(beside(async move {
            tokio::time::sleep(dice.millis(10_000)).await;
            trace.line(|| format!("node {} goes on and is stale", node.number));
            node.gate.set(Life::Stale);
            tokio::time::sleep(dice.millis(10_000)).await;
            node.gate.set(Life::Dead);
        }));
    }
}
