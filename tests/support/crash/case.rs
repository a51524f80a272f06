//! One run: processes one after the other over one store and one world, then what must hold.

use std::sync::Arc;
use std::time::Duration;

use prometheus::Registry;
use provost_agents::StandardRoles;
use provost_domain::event::{Event, EventBody, Settlement};
use provost_domain::ids::{CallId, Seq, SessionId};
use provost_domain::invariant;
use provost_domain::pack::Pack;
use provost_domain::port::{CommandLog as _, Reads as _};
use provost_domain::status::Status;
use provost_domain::tool::{EffectClass, Happened, RecordedOutcome};
use provost_engine::{
    Engine, EngineSettings, ModelGateway, ModelLimits, Ports, Resources, Schedules, SystemRandom, ToolGateway,
};
use provost_store::MemoryStore;
use serde_json::json;
use tokio::runtime::Builder;
use tokio::time::timeout;

use super::log::Log;
use super::operator::{EDITED, Operator};
use super::points::{Points, Strike};
use super::ports::Pointed;
use super::script::Script;
use super::world::{Seen, World};
use crate::clock::TokioClock;
use crate::house::events;

/// How long a process may take to bring the session to its end, in virtual time.
const PATIENCE: Duration = Duration::from_mins(2);

/// One run.
#[derive(Debug)]
pub struct Run {
    /// Its points.
    pub points: Arc<Points>,
    store: Arc<MemoryStore>,
    world: Arc<World>,
    operator: Operator,
    session: SessionId,
    script: Arc<Script>,
    clock: Arc<TokioClock>,
}

impl Run {
    /// Runs processes until one of them has brought the session to its end.
    pub fn of(pack: &Arc<Pack>, strikes: Vec<Vec<Strike>>) -> Self {
        let session = SessionId::new(uuid::Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0001));
        let (store, script) = (Arc::new(MemoryStore::new()), Arc::new(Script::default()));
        let log = Arc::new(Log::new(&store, session));
        let world = World::new(&log);
        let operator = Operator::new(session, &store, &log, &world, &script);
        let processes = strikes.len();
        let run = Self {
            points: Arc::new(Points::new(strikes)),
            store,
            world,
            operator,
            session,
            script,
            clock: Arc::default(),
        };
        for _ in 0..=processes {
            if run.process(pack) {
                break;
            }
        }
        run
    }

    /// One process: everything of it goes with its runtime. Whether the session came to its end.
    fn process(&self, pack: &Arc<Pack>) -> bool {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            self.points.begin();
            self.clock.begin();
            let work = async {
                let engine = self.engine(pack).await;
                self.operator.work(&engine).await;
                engine.shutdown(PATIENCE).await;
            };
            tokio::select! {
                biased;
                () = self.points.death() => false,
                done = timeout(PATIENCE, work) => {
                    assert!(done.is_ok(), "it never ended: {}", self.told().await);
                    true
                }
            }
        })
    }

    async fn engine(&self, pack: &Arc<Pack>) -> Engine {
        let store = Arc::new(Pointed::new(Arc::clone(&self.store), &self.points));
        let model = Arc::new(Pointed::new(Arc::clone(&self.script), &self.points));
        let limits = ModelLimits { schedules: Schedules::once(), ..ModelLimits::default() };
        let models = ModelGateway::default().with("stub", model, limits);
        let tools = ToolGateway::new(self.world.tools(&self.points));
        let ports = Ports {
            store: Arc::clone(&store) as _,
            commands: Arc::clone(&store) as _,
            reads: store,
            roles: Arc::new(StandardRoles),
            clock: Arc::clone(&self.clock) as _,
            random: Arc::new(SystemRandom),
            metrics: Registry::new(),
        };
        let sweep_every = Duration::from_millis(50);
        // Every run looks for work at the same instants.
        let settings = EngineSettings { sweep_every, sweep_jitter: 0.0, ..EngineSettings::default() };
        Engine::start(
            ports,
            Resources::new(vec![Arc::clone(pack)], models, tools).with_outage_budget(Duration::ZERO),
            settings,
        )
        .await
        .unwrap()
    }

    async fn told(&self) -> String {
        let row = self.store.session(self.session).await;
        let log = events(&*self.store, self.session).await;
        let kinds: Vec<_> = log.iter().map(|event| format!("{} {}", event.at, event.body.kind())).collect();
        format!("{:?} {row:#?} {kinds:#?} {:#?}", self.points, self.world.seen())
    }

    /// Everything that does not hold.
    pub fn problems(&self) -> Vec<String> {
        Builder::new_current_thread().build().unwrap().block_on(self.look())
    }

    async fn look(&self) -> Vec<String> {
        let row = self.store.session(self.session).await.unwrap();
        let records = self.store.records(self.session, Seq(0), u32::MAX).await.unwrap();
        let log = events(&*self.store, self.session).await;
        let mut problems = invariant::check(&records, row.head_seq, row.head_hash);
        let mut hold = |holds: bool, what: String| {
            if !holds {
                problems.push(what);
            }
        };
        hold(row.status == Status::Stopped && row.ended && row.owner.is_none(), format!("it does not rest: {row:?}"));
        hold(self.store.inbox(self.session).await.unwrap().0.is_empty(), "commands are unread".to_owned());
        for (cmd_id, version) in self.operator.acknowledged() {
            hold(version <= row.head_seq, format!("`{cmd_id}` was acknowledged and is not there"));
        }
        let stops = log.iter().filter(|event| matches!(event.body, EventBody::StopRequested(_))).count();
        hold(stops == 1, format!("stopped {stops} times"));
        hold(self.world.undue().is_empty(), format!("made before it was intended: {:?}", self.world.undue()));
        for (key, seen) in self.world.seen() {
            hold(seen.call.key(self.session) == key, format!("call {} under the key {key}", seen.call));
            hold(seen.done <= 1 || seen.effect == EffectClass::Read, format!("done more than once: {seen:?}"));
            hold(!is_gated(&seen) || seen.args["n"] == json!(EDITED), format!("not as approved: {seen:?}"));
        }
        for (call, effect) in intents(&log) {
            let done = self.world.done(&call.key(self.session));
            hold(
                agrees(&log, &call, effect, done),
                format!("of {call} ({effect:?}) the log and the world ({done}) differ"),
            );
        }
        problems
    }
}

fn is_gated(seen: &Seen) -> bool {
    seen.tool.as_str() == "act:unsafe"
}

fn intents(log: &[Event]) -> Vec<(CallId, EffectClass)> {
    let intent = |event: &Event| match &event.body {
        EventBody::ToolIntended(intent) => Some((intent.call.clone(), intent.effect)),
        _ => None,
    };
    log.iter().filter_map(intent).collect()
}

/// Whether the last word of the log on a call is what was done: nothing lost, nothing silently open.
fn agrees(log: &[Event], id: &CallId, effect: EffectClass, done: u32) -> bool {
    let said = log.iter().rev().find_map(|event| match &event.body {
        EventBody::ToolReturned(returned) if returned.call == *id => match &returned.outcome {
            RecordedOutcome::Failed { failure } if failure.happened == Happened::No => Some(Some(false)),
            // An idempotent call whose every answer was lost.
            RecordedOutcome::Failed { .. } => Some(None),
            RecordedOutcome::Ok { .. }
            | RecordedOutcome::Empty { .. }
            | RecordedOutcome::Truncated { .. }
            | RecordedOutcome::Partial { .. } => Some(Some(true)),
        },
        EventBody::OutcomeSettled(settled) if settled.call == *id => match settled.settlement {
            Settlement::Happened { .. } => Some(Some(true)),
            Settlement::DidNotHappen { .. } => Some(Some(false)),
            Settlement::GiveUp { .. } => Some(None),
        },
        _ => None,
    });
    match said {
        // What only reads leaves nothing to be known.
        _ if effect == EffectClass::Read => true,
        Some(Some(happened)) => happened == (done > 0),
        Some(None) => true,
        None => false,
    }
}
