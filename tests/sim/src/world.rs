//! A world: one store, one witness, one clock, and nodes that come and go.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use prometheus::Registry;
use provost_agents::StandardRoles;
use provost_domain::ids::ToolName;
use provost_domain::port::{Carrier, Prunable, SessionStore, ToolBackend};
use provost_engine::{
    Controls, Engine, EngineSettings, Eraser, ModelGateway, ModelLimits, Ports, Resources, Retention,
    RetentionSettings, Scrub, StartError, ToolGateway,
};
use provost_mail::{Outgoing, OutgoingParts};
use provost_removals::{AttemptKeys, LateIntents, PresumedUndone};
use provost_store::MemoryStore;

use crate::Removed;
use crate::board::Board;
use crate::clock::SimClock;
use crate::deeds::Deeds;
use crate::dice::Dice;
use crate::gate::{Gate, Life};
use crate::ledger::Ledger;
use crate::link::{Link, Storm};
use crate::mouth::{Away, Mouth};
use crate::outbox::Courier;
use crate::packs::{self, Pins};
use crate::trace::Trace;
use crate::witness::{NOTICE, Witness, beside};

/// How long a notice is tried: none is given up because of its age.
const NEVER: Duration = Duration::from_hours(24);

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
    /// How long closed sessions are kept, where they are erased by age.
    pub(crate) kept_for: Option<Duration>,
    /// When its model is away.
    pub(crate) away: Away,
    /// Whether all sessions are about one service; else each has one of its own.
    pub(crate) is_crowded: bool,
    present: Board<Option<Node>>,
    nodes: Arc<AtomicU32>,
}

/// A process.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Its engine.
    pub(crate) engine: Engine,
    /// What erases there.
    pub(crate) eraser: Eraser,
    outgoing: Outgoing,
    /// Whether it lives.
    pub(crate) gate: Gate,
    /// Which one it is, from 1.
    pub(crate) number: u32,
}

impl World {
    /// Without a node yet.
    pub(crate) fn new(clock: Arc<SimClock>, storm: Storm, trace: Trace, removed: Option<Removed>) -> Self {
        let empty = removed.and_then(Removed::of_store).map_or_else(MemoryStore::new, MemoryStore::without);
        let deeds = Deeds::default();
        let ledger = Arc::new(Ledger::new(empty, deeds.clone(), trace.clone()));
        let witness = Arc::new(Witness::new(Arc::clone(&ledger), deeds.clone(), trace.clone()));
        let away = Away::never(Arc::clone(&clock));
        Self {
            ledger,
            deeds,
            witness,
            clock,
            storm,
            trace,
            removed,
            kept_for: None,
            away,
            is_crowded: false,
            present: Board::new(None),
            nodes: Arc::default(),
        }
    }

    /// Starts a node, which is the present one from then on.
    pub(crate) async fn start(&self, dice: &Dice) -> Result<Node, StartError> {
        let number = self.nodes.fetch_add(1, Ordering::Relaxed) + 1;
        self.trace.line(|| format!("node {number} starts"));
        let (gate, storm) = (Gate::open(), self.storm.clone());
        let link = (dice.fork(), self.trace.clone(), number);
        let way = Arc::new(Link::new(Arc::clone(&self.ledger), gate.clone(), storm, link));
        let metrics = Registry::new();
        let outgoing = self.outgoing(&way, &metrics)?;
        let (models, tools) = self.equipment((&gate, number), dice, &outgoing);
        let ports = Ports {
            store: self.store(&way),
            commands: Arc::clone(&way) as _,
            reads: Arc::clone(&way) as _,
            roles: Arc::new(StandardRoles),
            clock: Arc::clone(&self.clock) as _,
            random: Arc::new(dice.fork()),
            metrics: metrics.clone(),
        };
        let sessions_max = if dice.permille(200) { 2 } else { 64 };
        let controls = Controls { without_consumption: self.is_without(Removed::Consumption) };
        let settings = EngineSettings { sessions_max, controls, ..EngineSettings::default() };
        let engine =
            Engine::start(ports, Resources::new(packs::kept(dice, self.pins()), models, tools), settings).await?;
        let courier = Courier::new(Arc::clone(&self.witness), gate.clone(), dice.fork());
        outgoing.carry_with(BTreeMap::from([(ToolName::new(NOTICE), courier as Arc<dyn Carrier>)]));
        outgoing.start(&engine);
        let eraser = Eraser::new(engine.clone(), Arc::clone(&way) as _);
        self.retain(&eraser, &metrics)?;
        let node = Node { engine, eraser, outgoing, gate, number };
        self.present.change(|present| *present = Some(node.clone()));
        Ok(node)
    }

    fn is_without(&self, mechanism: Removed) -> bool {
        self.removed == Some(mechanism)
    }

    fn pins(&self) -> Pins {
        if self.is_without(Removed::Pin) { Pins::Forged } else { Pins::True }
    }

    /// The store as a node writes to it.
    fn store(&self, way: &Arc<Link>) -> Arc<dyn SessionStore> {
        let way = Arc::clone(way) as Arc<dyn SessionStore>;
        if self.is_without(Removed::Intent) { Arc::new(LateIntents::new(way)) } else { way }
    }

    /// A tool as a node of this number reaches it.
    fn tool(&self, tool: Arc<dyn ToolBackend>, number: u32) -> Arc<dyn ToolBackend> {
        match self.removed {
            Some(Removed::Key) => Arc::new(AttemptKeys::new(tool, number)),
            Some(Removed::Probe) => Arc::new(PresumedUndone::new(tool)),
            Some(Removed::Store(_) | Removed::Intent | Removed::Consumption | Removed::Pin) | None => tool,
        }
    }

    fn outgoing(&self, way: &Arc<Link>, metrics: &Registry) -> prometheus::Result<Outgoing> {
        let (outbox, reads) = (Arc::clone(way) as _, Arc::clone(way) as _);
        let clock = Arc::clone(&self.clock) as _;
        Outgoing::new(OutgoingParts { outbox, reads, clock, give_up_after: NEVER, metrics: metrics.clone() })
    }

    /// The models and tools as a node reaches them.
    fn equipment(&self, (gate, number): (&Gate, u32), dice: &Dice, outgoing: &Outgoing) -> (ModelGateway, ToolGateway) {
        let limits = ModelLimits { timeout: Duration::from_secs(9), ..ModelLimits::default() };
        let mouth = Mouth::new(gate.clone(), dice.fork(), (Arc::clone(&self.ledger), self.away.clone()));
        let store = (Arc::new(outgoing.clone()) as _, Arc::clone(&self.clock) as _);
        let tools = self.witness.tools(gate, &dice.fork(), store);
        let tools = tools.into_iter().map(|tool| self.tool(tool, number));
        (ModelGateway::default().with("stub", mouth, limits), ToolGateway::new(tools))
    }

    /// Erases by age, where this world does.
    fn retain(&self, eraser: &Eraser, metrics: &Registry) -> prometheus::Result<()> {
        let Some(age) = self.kept_for else { return Ok(()) };
        let rows = BTreeMap::from([(Prunable::Outbox, age)]);
        let settings = RetentionSettings { sessions: Some(age), rows, every: Duration::from_mins(1) };
        let (engine, every) = (eraser.engine(), settings.every);
        drop(engine.start_ticker(Scrub::new(eraser.clone(), every)));
        let retention = Retention::new(eraser.clone(), Arc::clone(&self.clock) as _, settings, metrics)?;
        drop(engine.start_ticker(retention));
        Ok(())
    }

    /// The present node loads packs anew.
    pub(crate) async fn reload(&self, dice: &Dice) {
        let Some(node) = self.node().await else { return };
        let packs = packs::reloaded(dice, self.pins());
        self.trace.line(|| {
            let versions: Vec<_> = packs.present.iter().map(|pack| pack.version).collect();
            format!("node {} loads version {versions:?}", node.number)
        });
        let (models, tools) = self.equipment((&node.gate, node.number), dice, &node.outgoing);
        node.engine.reload(Resources::new(packs, models, tools));
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
