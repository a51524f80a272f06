//! The only doors to models and tools: concurrency, time, retries and output bounds live here, not in providers.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use provost_domain::failure::{FailureKind, ModelFailure};
use provost_domain::ids::{SessionId, ToolName};
use provost_domain::model::{ModelReply, ModelRequest};
use provost_domain::port::{ModelProvider, ToolBackend};
use provost_domain::session::Call;
use provost_domain::tool::{Catalog, EffectClass, Happened, ToolCall, ToolFailure, ToolOutcome, ToolSpec};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::schedule::{Failures, Schedules};

/// How one model may be used.
#[derive(Debug, Clone, Copy)]
pub struct ModelLimits {
    /// Questions under way at once.
    pub concurrency: usize,
    /// How long one question may take.
    pub timeout: Duration,
    /// When it is asked again.
    pub schedules: Schedules,
}

impl Default for ModelLimits {
    fn default() -> Self {
        Self { concurrency: 64, timeout: Duration::from_mins(1), schedules: Schedules::default() }
    }
}

#[derive(Debug)]
struct Model {
    provider: Arc<dyn ModelProvider>,
    limits: ModelLimits,
    places: Semaphore,
}

/// All configured models.
#[derive(Debug, Default)]
pub struct ModelGateway {
    models: HashMap<String, Model>,
}

impl ModelGateway {
    /// Adds a model under its configured name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, provider: Arc<dyn ModelProvider>, limits: ModelLimits) -> Self {
        let places = Semaphore::new(limits.concurrency.max(1));
        self.models.insert(name.into(), Model { provider, limits, places });
        self
    }

    /// Asks, waiting for a place, within the time limit, with retries of what may succeed later.
    pub(crate) async fn ask(&self, request: &ModelRequest) -> Result<ModelReply, ModelFailure> {
        let Some(model) = self.models.get(&request.model) else {
            let detail = format!("no model `{}` is configured; add it under `models`", request.model);
            return Err(ModelFailure::LlmConfig { detail });
        };
        let mut failures = Failures::default();
        loop {
            let failure = match model.ask_once(request).await {
                Ok(reply) => return Ok(reply.bounded()),
                Err(failure) => failure,
            };
            let Some(pause) = failures.pause_after(&failure, &model.limits.schedules) else { return Err(failure) };
            tracing::warn!(session = %request.session, agent = %request.agent, ?pause, %failure, "asking the model again");
            tokio::time::sleep(pause).await;
        }
    }
}

impl Model {
    async fn ask_once(&self, request: &ModelRequest) -> Result<ModelReply, ModelFailure> {
        let closed = |_closed| ModelFailure::Unavailable { detail: "shutting down".to_owned() };
        let place = self.places.acquire().await.map_err(closed)?;
        let reply = tokio::time::timeout(self.limits.timeout, self.provider.ask(request)).await;
        drop(place);
        reply.unwrap_or_else(|_elapsed| {
            let after_ms = u64::try_from(self.limits.timeout.as_millis()).unwrap_or(u64::MAX);
            Err(ModelFailure::LlmTimeout { after_ms })
        })
    }
}

/// The right to make one call: only a supervisor can build it, and only from a durable intent.
#[derive(Debug, Clone)]
pub(crate) struct Permit {
    call: ToolCall,
}

impl Permit {
    /// From a call whose intent is durable.
    pub(crate) fn of(session: SessionId, call: &Call) -> Option<Self> {
        let intent = call.intent()?;
        let key = call.id.key(session);
        let args = Arc::clone(&intent.args);
        Some(Self { call: ToolCall { session, call: call.id.clone(), tool: intent.tool.clone(), args, key } })
    }

    pub(crate) fn call(&self) -> &ToolCall {
        &self.call
    }
}

/// Tries of an idempotent call whose outcome was lost, the first included; all under the same key.
const IDEMPOTENT_ATTEMPTS: u32 = 3;
/// The pause between them.
const IDEMPOTENT_PAUSE: Duration = Duration::from_millis(200);

/// All backend tools.
#[derive(Default)]
pub struct ToolGateway {
    tools: HashMap<ToolName, Arc<dyn ToolBackend>>,
}

impl fmt::Debug for ToolGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.tools.keys()).finish()
    }
}

impl ToolGateway {
    /// From backends; of two with one name the later is kept.
    pub fn new(tools: impl IntoIterator<Item = Arc<dyn ToolBackend>>) -> Self {
        Self { tools: tools.into_iter().map(|tool| (tool.spec().name.clone(), tool)).collect() }
    }

    /// What the tools declare.
    pub fn catalog(&self) -> Catalog {
        self.tools.iter().map(|(name, tool)| (name.clone(), Arc::new(tool.spec().clone()))).collect()
    }

    /// Makes a permitted call, within its time and output bounds.
    pub(crate) async fn call(&self, permit: &Permit) -> ToolOutcome {
        let Some(tool) = self.tools.get(&permit.call.tool) else {
            return ToolOutcome::Failed {
                failure: never_sent(format!("no tool `{}` is configured", permit.call.tool)),
            };
        };
        let spec = tool.spec();
        for attempt in 1.. {
            let outcome = once(&**tool, permit, spec).await;
            let lost = matches!(&outcome, ToolOutcome::Failed { failure } if failure.happened == Happened::Maybe);
            if !lost || spec.effect != EffectClass::Idempotent || attempt >= IDEMPOTENT_ATTEMPTS {
                return bounded(outcome, spec.output_limit);
            }
            tokio::time::sleep(IDEMPOTENT_PAUSE).await;
        }
        ToolOutcome::Failed { failure: never_sent("no attempt is allowed".to_owned()) }
    }
}

async fn once(tool: &dyn ToolBackend, permit: &Permit, spec: &ToolSpec) -> ToolOutcome {
    let result = tokio::time::timeout(spec.timeout, tool.call(&permit.call)).await;
    result.unwrap_or_else(|_elapsed| {
        let timeout_ms = u64::try_from(spec.timeout.as_millis()).unwrap_or(u64::MAX);
        let failure = ToolFailure {
            kind: FailureKind::Transient,
            happened: if spec.effect == EffectClass::Read { Happened::No } else { Happened::Maybe },
            detail: format!("no answer within {timeout_ms} ms"),
            exit: None,
            signal: None,
            timeout_ms: Some(timeout_ms),
        };
        ToolOutcome::Failed { failure }
    })
}

fn never_sent(detail: String) -> ToolFailure {
    ToolFailure {
        kind: FailureKind::Permanent,
        happened: Happened::No,
        detail,
        exit: None,
        signal: None,
        timeout_ms: None,
    }
}

/// The last bound on what a tool may bring in, whatever the tool itself does.
fn bounded(outcome: ToolOutcome, limit: usize) -> ToolOutcome {
    match outcome {
        ToolOutcome::Ok { content } | ToolOutcome::Truncated { content, .. } if content.to_string().len() > limit => {
            let text = content.to_string();
            let total_bytes = text.len() as u64;
            let mut end = limit;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let kept = text.get(..end).unwrap_or_default().to_owned();
            ToolOutcome::Truncated { content: Value::String(kept), total_bytes }
        }
        outcome @ (ToolOutcome::Ok { .. }
        | ToolOutcome::Truncated { .. }
        | ToolOutcome::Empty { .. }
        | ToolOutcome::Failed { .. }) => outcome,
    }
}
