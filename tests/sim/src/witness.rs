//! The tools of a simulation: they count what happens in the world, under which key, and hold each effect against the log.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::ids::{CallId, SessionId};
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, Happened, Risk, ToolCall, ToolFailure, ToolOutcome, ToolSpec};
use provost_tests::tools::{Behaviour, CountedTool};
use serde_json::json;

use crate::dice::Dice;
use crate::gate::Gate;
use crate::ledger::Ledger;
use crate::trace::Trace;

/// How long a tool may take. Some calls take longer.
const TIMEOUT: Duration = Duration::from_secs(6);
/// The slowest way to a tool or back.
const WAY_MS: u64 = 2_000;

/// What each tool is, read once per process: schemas are compiled.
fn specs() -> &'static [ToolSpec] {
    static SPECS: OnceLock<Vec<ToolSpec>> = OnceLock::new();
    SPECS.get_or_init(|| {
        let tools = [
            ("read:gauge", EffectClass::Read, Risk::Low),
            ("act:unsafe", EffectClass::Unsafe, Risk::High),
            ("act:safe", EffectClass::Unsafe, Risk::Low),
            ("act:idempotent", EffectClass::Idempotent, Risk::Medium),
            ("act:probe", EffectClass::Probe, Risk::Low),
            ("notify:team", EffectClass::Idempotent, Risk::Low),
        ];
        let spec = |(name, effect, risk)| {
            let counted = CountedTool::new(name, effect, risk, Behaviour::Refuses);
            ToolSpec { timeout: TIMEOUT, ..counted.spec().clone() }
        };
        tools.into_iter().map(spec).collect()
    })
}

/// All that happened: how often, by key.
#[derive(Debug)]
pub(crate) struct Witness {
    ledger: Arc<Ledger>,
    trace: Trace,
    effects: Mutex<BTreeMap<String, u32>>,
}

impl Witness {
    /// Of a world in which nothing has happened yet.
    pub(crate) fn new(ledger: Arc<Ledger>, trace: Trace) -> Self {
        Self { ledger, trace, effects: Mutex::default() }
    }

    /// All that happened so far: how often, by key.
    pub(crate) fn effects(&self) -> BTreeMap<String, u32> {
        self.effects.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often this call happened.
    pub(crate) fn times(&self, session: SessionId, call: &CallId) -> u32 {
        self.effects().get(&call.key(session)).copied().unwrap_or(0)
    }

    fn happens(&self, call: &ToolCall, class: EffectClass) {
        self.trace.line(|| format!("EFFECT {} {} {} {}", call.tool, call.session, call.call, call.args));
        if let Some(problem) = self.ledger.undue(call.session, &call.call, &call.args) {
            self.trace.problem(format!("{}: {} {} happened {problem}", call.session, call.tool, call.call));
        }
        let mut effects = self.effects.lock().unwrap_or_else(PoisonError::into_inner);
        let times = effects.entry(call.key.clone()).or_default();
        *times += 1;
        if matches!(class, EffectClass::Unsafe | EffectClass::Probe) && *times > 1 {
            self.trace.problem(format!("{}: {} {} happened {times} times", call.session, call.tool, call.call));
        }
    }

    /// The tools as one node reaches them.
    pub(crate) fn tools(self: &Arc<Self>, gate: &Gate, dice: &Dice) -> Vec<Arc<dyn ToolBackend>> {
        let tool = |spec: &ToolSpec| {
            let (witness, gate, dice) = (Arc::clone(self), gate.clone(), dice.clone());
            Arc::new(Tool { spec: spec.clone(), witness, gate, dice }) as _
        };
        specs().iter().map(tool).collect()
    }
}

/// One tool as one node reaches it.
#[derive(Debug)]
struct Tool {
    spec: ToolSpec,
    witness: Arc<Witness>,
    gate: Gate,
    dice: Dice,
}

fn failed(happened: Happened) -> ToolOutcome {
    let (kind, detail) = (FailureKind::Transient, "as told".to_owned());
    ToolOutcome::Failed { failure: ToolFailure { kind, happened, detail, exit: None, signal: None, timeout_ms: None } }
}

#[async_trait]
impl ToolBackend for Tool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        self.gate.pass().await;
        let mood = self.dice.below(100);
        tokio::time::sleep(self.dice.millis(WAY_MS)).await;
        // What is on its way arrives, whatever becomes of its node.
        let arrives = !matches!(mood, 0..5 | 8);
        if arrives {
            self.witness.happens(call, self.spec.effect);
        }
        let back = if matches!(mood, 10..13) { TIMEOUT * 2 } else { self.dice.millis(WAY_MS) };
        tokio::time::sleep(back).await;
        self.gate.pass().await;
        match mood {
            0..5 => failed(Happened::No),
            5..10 => failed(Happened::Maybe),
            13..16 => ToolOutcome::Ok { content: json!("x".repeat(6 * 1024)) },
            16..18 => ToolOutcome::Empty { note: "nothing".to_owned() },
            _ => ToolOutcome::Ok { content: json!({"level": self.dice.below(8)}) },
        }
    }
}
