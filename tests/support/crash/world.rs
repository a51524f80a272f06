//! What the tools act upon. It is outside: it outlives every process, and counts what was done under which key.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::event::{Event, EventBody};
use provost_domain::ids::CallId;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, Happened, ProbeAnswer, ToolCall, ToolFailure, ToolOutcome, ToolSpec};
use provost_domain::{failure::FailureKind, ids::ToolName};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::log::Log;
use super::points::Points;
use super::ports::Pointed;
use crate::house::Tools;

/// Half of what a call takes.
const HALF: Duration = Duration::from_millis(10);
/// More than an event holds itself, so that the runtime must read it again.
const LARGE: usize = 5_000;

/// The argument `n` of a probe tool's call whose first request arrives, and whose answer is lost.
pub const ANSWER_LOST: i64 = 2;
/// The same of one whose first request is lost before it arrives.
pub const REQUEST_LOST: i64 = 3;

/// What the tools declare, made once: a schema takes longer to build than a process to run.
static SPECS: LazyLock<Vec<ToolSpec>> = LazyLock::new(|| Tools::new().each().map(|tool| tool.spec().clone()).into());

/// What the world saw under one key.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The tool.
    pub tool: ToolName,
    /// Its class.
    pub effect: EffectClass,
    /// The call.
    pub call: CallId,
    /// The arguments it came with last.
    pub args: Arc<Value>,
    /// The requests that arrived.
    pub arrived: u32,
    /// How often something was done.
    pub done: u32,
}

/// The world.
#[derive(Debug)]
pub struct World {
    log: Arc<Log>,
    seen: Mutex<BTreeMap<String, Seen>>,
    undue: Mutex<Vec<String>>,
}

impl World {
    /// A world that looks into this log for each call's intent.
    pub fn new(log: &Arc<Log>) -> Arc<Self> {
        Arc::new(Self { log: Arc::clone(log), seen: Mutex::default(), undue: Mutex::default() })
    }

    /// All that was seen, by key.
    pub fn seen(&self) -> BTreeMap<String, Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How often something was done under a key.
    pub fn done(&self, key: &str) -> u32 {
        self.seen.lock().unwrap().get(key).map_or(0, |seen| seen.done)
    }

    /// The keys of requests whose intent, with the same arguments, did not stand in the log when they arrived.
    pub fn undue(&self) -> Vec<String> {
        self.undue.lock().unwrap().clone()
    }

    /// Its tools, each a point. They are like those of [`Tools`].
    pub fn tools(self: &Arc<Self>, points: &Arc<Points>) -> Vec<Arc<dyn ToolBackend>> {
        let far = SPECS.iter().map(|spec| Arc::new(FarTool { spec: spec.clone(), world: Arc::clone(self) }));
        far.map(|tool| Arc::new(Pointed::new(tool, points)) as _).collect()
    }

    /// A request arrives; the key is taken once where the tool is safe to repeat, and each time where it is not.
    async fn arrive(&self, call: &ToolCall, effect: EffectClass, acts: bool) {
        let intent = |event: &Event| match &event.body {
            EventBody::ToolIntended(intent) => (&intent.call, &intent.args) == (&call.call, &call.args),
            _ => false,
        };
        if self.log.look(|_, events| events.iter().any(intent)).await != Some(true) {
            self.undue.lock().unwrap().push(call.key.clone());
        }
        let new = || {
            let (tool, args) = (call.tool.clone(), Arc::clone(&call.args));
            Seen { tool, effect, call: call.call.clone(), args, arrived: 0, done: 0 }
        };
        let mut seen = self.seen.lock().unwrap();
        let seen = seen.entry(call.key.clone()).or_insert_with(new);
        seen.args = Arc::clone(&call.args);
        seen.arrived += 1;
        let once = effect == EffectClass::Idempotent && seen.done > 0;
        seen.done += u32::from(acts && !once);
    }
}

/// One tool of the world.
#[derive(Debug)]
pub struct FarTool {
    spec: ToolSpec,
    world: Arc<World>,
}

impl FarTool {
    fn result(&self, call: &ToolCall) -> ToolOutcome {
        let large = self.spec.effect == EffectClass::Read;
        let padding = if large { "x".repeat(LARGE) } else { String::new() };
        ToolOutcome::Ok { content: json!({"level": 1, "key": call.key, "padding": padding}) }
    }
}

#[async_trait]
impl ToolBackend for FarTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        sleep(HALF).await;
        let n = call.args.get("n").and_then(Value::as_i64).unwrap_or_default();
        let asks = self.spec.effect == EffectClass::Probe;
        let first = asks && !self.world.seen().contains_key(&call.key);
        let lost = first && n == REQUEST_LOST;
        let acts = self.spec.effect != EffectClass::Read && !lost;
        self.world.arrive(call, self.spec.effect, acts).await;
        sleep(HALF).await;
        if lost || (first && n == ANSWER_LOST) { unheard() } else { self.result(call) }
    }

    async fn probe(&self, call: &ToolCall) -> ProbeAnswer {
        sleep(HALF).await;
        let done = self.world.done(&call.key) > 0;
        sleep(HALF).await;
        if done { ProbeAnswer::Happened { outcome: self.result(call) } } else { ProbeAnswer::DidNotHappen }
    }
}

fn unheard() -> ToolOutcome {
    let failure = ToolFailure {
        kind: FailureKind::Transient,
        happened: Happened::Maybe,
        detail: "no answer".to_owned(),
        exit: None,
        signal: None,
        timeout_ms: None,
    };
    ToolOutcome::Failed { failure }
}
