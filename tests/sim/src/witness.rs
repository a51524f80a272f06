//! The tools of a simulation: they hold each effect against the log, and know what became of each call.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::claims::{ClaimRule, Repeat};
use provost_domain::failure::FailureKind;
use provost_domain::port::{Clock, Outbox, ToolBackend};
use provost_domain::tool::{EffectClass, Happened, ProbeAnswer, Risk, ToolCall, ToolFailure, ToolOutcome, ToolSpec};
use provost_tests::tools::{Behaviour, CountedTool};
use provost_tools::Queue;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::deeds::{Deeds, Request};
use crate::dice::Dice;
use crate::erasure::secret;
use crate::gate::{Gate, Life};
use crate::ledger::Ledger;
use crate::trace::Trace;

/// The tool that stores notices, and their target.
pub(crate) const NOTICE: &str = "notify:team";
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
            (NOTICE, EffectClass::Idempotent, Risk::Low),
        ];
        let spec = |(name, effect, risk)| {
            let counted = CountedTool::new(name, effect, risk, Behaviour::Refuses);
            // What a model of the simulation does over and over is to be seen.
            let repeat = Repeat { max: 10_000, within: TIMEOUT };
            ToolSpec { timeout: TIMEOUT, claim: ClaimRule { target: None, repeat }, ..counted.spec().clone() }
        };
        tools.into_iter().map(spec).collect()
    })
}

/// Who sees everything that happens.
#[derive(Debug)]
pub(crate) struct Witness {
    ledger: Arc<Ledger>,
    deeds: Deeds,
    trace: Trace,
}

impl Witness {
    /// Of a world in which nothing has happened yet.
    pub(crate) fn new(ledger: Arc<Ledger>, deeds: Deeds, trace: Trace) -> Self {
        Self { ledger, deeds, trace }
    }

    fn problem(&self, call: &ToolCall, problem: &str) {
        self.trace.problem(format!("{}: {} {} {problem}", call.session, call.tool, call.call));
    }

    /// A node sends a request.
    pub(crate) fn begin(&self, call: &ToolCall, class: EffectClass, life: Life) -> Request {
        let (request, problem) = self.deeds.begin(call, class, life);
        if let Some(problem) = problem {
            self.problem(call, &problem);
        }
        request
    }

    /// A request has come. Whether it took effect.
    pub(crate) fn arrive(&self, call: &ToolCall, request: Request, outcome: &ToolOutcome) -> bool {
        let Some(times) = self.deeds.arrive(call, request, outcome) else {
            self.trace.line(|| format!("turned away: {} {} {}", call.tool, call.session, call.call));
            return false;
        };
        self.trace.line(|| format!("EFFECT {} {} {} {}", call.tool, call.session, call.call, call.args));
        if let Some(problem) = self.ledger.undue(call.session, &call.call, &call.args) {
            self.problem(call, &format!("happened {problem}"));
        }
        if times > 1 && !request.may_repeat() {
            self.problem(call, &format!("happened {times} times"));
        }
        true
    }

    /// A tool that can be sure is asked about a call.
    fn asked(&self, call: &ToolCall) -> ProbeAnswer {
        let (outcome, problem) = self.deeds.asked(call);
        if let Some(problem) = problem {
            self.problem(call, &problem);
        }
        let word = if outcome.is_some() { "it happened" } else { "it did not happen" };
        self.trace.line(|| format!("asked about {} {} {}: {word}", call.tool, call.session, call.call));
        outcome.map_or(ProbeAnswer::DidNotHappen, |outcome| ProbeAnswer::Happened { outcome })
    }

    /// The target of a notice will never take it.
    pub(crate) fn refuse(&self, call: &ToolCall) {
        self.trace.line(|| format!("refused for good: {} {} {}", call.tool, call.session, call.call));
        self.deeds.refuse(call);
    }

    /// The tools as one node reaches them. Notices are stored by the tool that is shipped.
    pub(crate) fn tools(
        self: &Arc<Self>,
        gate: &Gate,
        dice: &Dice,
        (outbox, clock): (Arc<dyn Outbox>, Arc<dyn Clock>),
    ) -> Vec<Arc<dyn ToolBackend>> {
        let tool = |spec: &ToolSpec| -> Arc<dyn ToolBackend> {
            if spec.name.as_str() == NOTICE {
                return Arc::new(Queue::new(spec.clone(), Arc::clone(&outbox), Arc::clone(&clock)));
            }
            let (witness, gate, dice) = (Arc::clone(self), gate.clone(), dice.clone());
            Arc::new(Tool { spec: spec.clone(), witness, gate, dice })
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

impl Tool {
    /// Some results are large; of these some are another session's too.
    fn outcome(&self, call: &ToolCall, mood: u64) -> ToolOutcome {
        match mood {
            13 => ToolOutcome::Ok { content: json!("x".repeat(6 * 1024)) },
            14..16 => ToolOutcome::Ok { content: json!(secret(call.session).repeat(300)) },
            16..18 => ToolOutcome::Empty { note: "nothing".to_owned() },
            _ => ToolOutcome::Ok { content: json!({"level": self.dice.below(8)}) },
        }
    }

    /// Sends it. It arrives, whatever becomes of its node and of whoever waits for it.
    async fn send(&self, call: &ToolCall, mood: u64) -> ToolOutcome {
        let request = self.witness.begin(call, self.spec.effect, self.gate.life());
        let (outcome, way) = (self.outcome(call, mood), self.dice.millis(WAY_MS));
        // Some get lost.
        if matches!(mood, 0..5 | 8) {
            tokio::time::sleep(way).await;
            return failed(Happened::No);
        }
        let (witness, call) = (Arc::clone(&self.witness), call.clone());
        let arrived = beside(async move {
            tokio::time::sleep(way).await;
            if witness.arrive(&call, request, &outcome) { outcome } else { failed(Happened::No) }
        });
        arrived.await.unwrap_or_else(|_gone| failed(Happened::Maybe))
    }
}

#[async_trait]
impl ToolBackend for Tool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        self.gate.pass().await;
        let mood = self.dice.below(100);
        let outcome = self.send(call, mood).await;
        let back = if matches!(mood, 10..13) { TIMEOUT * 2 } else { self.dice.millis(WAY_MS) };
        tokio::time::sleep(back).await;
        self.gate.pass().await;
        let outcome = if matches!(mood, 5..10) { failed(Happened::Maybe) } else { outcome };
        if let ToolOutcome::Failed { failure: ToolFailure { happened: Happened::No, .. } } = &outcome {
            self.witness.deeds.lose(call);
        }
        outcome
    }

    /// The truth, or that it cannot tell; some answers come too late.
    async fn probe(&self, call: &ToolCall) -> ProbeAnswer {
        self.gate.pass().await;
        let mood = self.dice.below(100);
        tokio::time::sleep(self.dice.millis(WAY_MS)).await;
        let answer = match mood {
            0..20 => ProbeAnswer::CannotTell { detail: "as told".to_owned() },
            20..22 => ProbeAnswer::Happened { outcome: failed(Happened::Maybe) },
            _ => self.witness.asked(call),
        };
        let back = if matches!(mood, 22..26) { TIMEOUT * 2 } else { self.dice.millis(WAY_MS) };
        tokio::time::sleep(back).await;
        self.gate.pass().await;
        answer
    }
}

/// Beside whoever began it, who may be gone before it ends.
#[expect(clippy::disallowed_methods, reason = "its runtime ends with it")]
pub(crate) fn beside<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(work)
}
