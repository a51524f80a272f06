//! The only doors to models and tools: concurrency, time, retries and output bounds live here, not in providers.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use provost_domain::call::{Call, Intent};
use provost_domain::failure::{FailureKind, ModelFailure};
use provost_domain::ids::{SessionId, ToolName};
use provost_domain::length::value_bytes;
use provost_domain::model::{ModelOrigin, ModelReply, ModelRequest};
use provost_domain::port::{ModelProvider, Models, ToolBackend};
use provost_domain::reply::understood;
use provost_domain::request::Question;
use provost_domain::tool::{Catalog, EffectClass, Happened, ProbeAnswer, ToolCall, ToolFailure, ToolOutcome, ToolSpec};
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::breaker::{Absence, Breaker, Passage};
use crate::deadline;
use crate::schedule::{Failures, Schedules};

/// How one model may be used.
#[derive(Debug, Clone, Copy)]
pub struct ModelLimits {
    /// Questions under way at once.
    pub concurrency: usize,
    /// How long one question may take.
    pub timeout: Duration,
    /// When it is asked again at once.
    pub schedules: Schedules,
    /// How long a question waits for its server when that fails; `None`: as long as calls do where nothing is written.
    pub outage_budget: Option<Duration>,
}

impl Default for ModelLimits {
    fn default() -> Self {
        Self { concurrency: 64, timeout: Duration::from_mins(1), schedules: Schedules::default(), outage_budget: None }
    }
}

#[derive(Debug)]
struct Model {
    provider: Arc<dyn ModelProvider>,
    limits: ModelLimits,
    places: Semaphore,
    /// That of its server; a model inside this process has none.
    breaker: Option<Arc<Breaker>>,
    /// The models to ask while its server is away, the best first.
    fallbacks: Vec<String>,
}

/// A question under way.
#[derive(Debug)]
struct Asking<'a> {
    /// The failure that stands so far.
    last: ModelFailure,
    /// The right under which the server is asked now.
    passage: Option<Passage<'a>>,
}

/// A model server that is left alone because it keeps failing.
#[derive(Debug)]
pub(crate) struct AwayServer {
    pub(crate) server: String,
    /// The configured names of its models, in order.
    pub(crate) models: Vec<String>,
    pub(crate) absence: Absence,
}

/// All configured models.
#[derive(Debug, Default)]
pub struct ModelGateway {
    models: HashMap<String, Model>,
    /// The breakers of servers, by their addresses.
    breakers: BTreeMap<String, Arc<Breaker>>,
}

impl ModelGateway {
    /// Adds a model under its configured name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, provider: Arc<dyn ModelProvider>, limits: ModelLimits) -> Self {
        let (name, places) = (name.into(), Semaphore::new(limits.concurrency.max(1)));
        let origin = provider.origin(&name);
        let breaker = (!origin.is_internal()).then(|| {
            let new = || Arc::new(Breaker::new(origin.server.clone()));
            Arc::clone(self.breakers.entry(origin.server.clone()).or_insert_with(new))
        });
        self.models.insert(name, Model { provider, limits, places, breaker, fallbacks: Vec::new() });
        self
    }

    /// The same where these models are asked, the best first, while the server of the model of this name is away. A
    /// name that is not configured changes nothing.
    #[must_use]
    pub fn falling_back(mut self, name: &str, fallbacks: Vec<String>) -> Self {
        if let Some(model) = self.models.get_mut(name) {
            model.fallbacks = fallbacks;
        }
        self
    }

    /// Asks, waiting for a place, with retries of what may succeed later. Answers before `within` is over: a failure that
    /// is known says more than silence.
    pub(crate) async fn ask(&self, question: &Question, within: Duration) -> Result<ModelReply, ModelFailure> {
        let model = self.model(&question.request.model)?;
        let late = ModelFailure::LlmTimeout { after_ms: millis(within) };
        let mut asking = Asking { last: late.clone(), passage: None };
        let answered = deadline::within(within, model.ask(question, &mut asking)).await;
        if let Some(passage) = asking.passage {
            passage.ends(Some(&late));
        }
        answered.unwrap_or(Err(asking.last))
    }

    /// The servers that are left alone now.
    pub(crate) fn away(&self) -> Vec<AwayServer> {
        let away = self.breakers.iter().filter_map(|(server, breaker)| Some((server, breaker, breaker.absence()?)));
        let of = |breaker: &Arc<Breaker>| {
            let is_its = |model: &Model| model.breaker.as_ref().is_some_and(|own| Arc::ptr_eq(own, breaker));
            let mut names: Vec<_> =
                self.models.iter().filter(|(_, model)| is_its(model)).map(|(name, _)| name.clone()).collect();
            names.sort();
            names
        };
        away.map(|(server, breaker, absence)| AwayServer { server: server.clone(), models: of(breaker), absence })
            .collect()
    }

    /// The servers that have a breaker.
    pub(crate) fn servers(&self) -> impl Iterator<Item = &str> {
        self.breakers.keys().map(String::as_str)
    }

    /// How long questions wait for the servers of models, where that is written.
    pub(crate) fn outage_budgets(&self) -> BTreeMap<String, Duration> {
        let budget = |(name, model): (&String, &Model)| Some((name.clone(), model.limits.outage_budget?));
        self.models.iter().filter_map(budget).collect()
    }

    fn model(&self, name: &str) -> Result<&Model, ModelFailure> {
        let detail = || format!("no model `{name}` is configured; add it under `models`");
        self.models.get(name).ok_or_else(|| ModelFailure::LlmConfig { detail: detail() })
    }
}

impl Models for ModelGateway {
    fn origin(&self, name: &str) -> Result<ModelOrigin, ModelFailure> {
        Ok(self.model(name)?.provider.origin(name))
    }

    fn fallbacks(&self, name: &str) -> &[String] {
        self.models.get(name).map_or(&[], |model| &model.fallbacks)
    }

    fn is_away(&self, name: &str) -> bool {
        let breaker = self.models.get(name).and_then(|model| model.breaker.as_ref());
        breaker.is_some_and(|breaker| breaker.admits().is_err())
    }

    fn reads_case(&self, name: &str) -> bool {
        self.models.get(name).is_some_and(|model| model.provider.reads_case())
    }

    fn body(&self, request: &ModelRequest) -> Result<Vec<u8>, ModelFailure> {
        self.model(&request.model)?.provider.body(request)
    }
}

impl Model {
    /// Asks until there is a reply or no further try.
    async fn ask<'a>(&'a self, question: &Question, asking: &mut Asking<'a>) -> Result<ModelReply, ModelFailure> {
        let mut failures = Failures::default();
        loop {
            // Before it waits for a place: those that ask a dead server may hold them all.
            self.breaker.as_ref().map_or(Ok(()), |breaker| breaker.admits())?;
            let place = self.place().await?;
            asking.passage = self.breaker.as_ref().map(|breaker| breaker.enter()).transpose()?;
            let result = self.ask_once(question).await;
            drop(place);
            if let Some(passage) = asking.passage.take() {
                passage.ends(result.as_ref().err());
            }
            let failure = match result {
                // Before it is cut: thinking does not count against what is said.
                Ok(reply) => return Ok(understood(reply, &question.request.tools).bounded()),
                Err(failure) => failure,
            };
            let Some(pause) = failures.pause_after(&failure, &self.limits.schedules) else { return Err(failure) };
            let request = &question.request;
            tracing::warn!(session = %request.session, agent = %request.agent, ?pause, %failure, "asking the model again");
            asking.last = failure;
            tokio::time::sleep(pause).await;
        }
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>, ModelFailure> {
        let closed = |_closed| ModelFailure::Unavailable { detail: "shutting down".to_owned() };
        self.places.acquire().await.map_err(closed)
    }

    async fn ask_once(&self, question: &Question) -> Result<ModelReply, ModelFailure> {
        let reply = deadline::within(self.limits.timeout, self.provider.ask(&question.request, &question.body)).await;
        reply.unwrap_or_else(|_elapsed| Err(ModelFailure::LlmTimeout { after_ms: millis(self.limits.timeout) }))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The right to make one call: only a supervisor can build it, and only from a durable intent.
#[derive(Debug, Clone)]
pub(crate) struct Permit {
    call: ToolCall,
}

impl Permit {
    /// From a call whose intent is durable.
    pub(crate) fn of(session: SessionId, call: &Call) -> Option<Self> {
        call.intent().map(|intent| Self { call: made(session, call, intent) })
    }

    pub(crate) fn call(&self) -> &ToolCall {
        &self.call
    }
}

/// A question about one call whose end nobody saw. It is not a permit: nothing can be called with it.
#[derive(Debug, Clone)]
pub(crate) struct Inquiry {
    call: ToolCall,
}

impl Inquiry {
    /// About a call whose tool is durably to be asked.
    pub(crate) fn of(session: SessionId, call: &Call) -> Option<Self> {
        call.probing().map(|intent| Self { call: made(session, call, intent) })
    }

    pub(crate) fn call(&self) -> &ToolCall {
        &self.call
    }
}

/// A call as its tool gets it: the same at every attempt and at every question about it.
fn made(session: SessionId, call: &Call, intent: &Intent) -> ToolCall {
    let (key, args) = (call.id.key(session), Arc::clone(&intent.args));
    ToolCall { session, call: call.id.clone(), tool: intent.tool.clone(), args, key }
}

/// Tries of an idempotent call whose outcome was lost, all under the same key, and of a question about a call; the first
/// included.
const ATTEMPTS: u32 = 3;
/// The pause between them.
const PAUSE: Duration = Duration::from_millis(200);

/// All backend tools.
#[derive(Default)]
pub struct ToolGateway {
    tools: HashMap<ToolName, Arc<dyn ToolBackend>>,
    outage_budgets: BTreeMap<ToolName, Duration>,
    notices: Vec<String>,
}

impl fmt::Debug for ToolGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.tools.keys()).finish()
    }
}

impl ToolGateway {
    /// From backends; of two with one name the later is kept.
    pub fn new(tools: impl IntoIterator<Item = Arc<dyn ToolBackend>>) -> Self {
        let tools = tools.into_iter().map(|tool| (tool.spec().name.clone(), tool)).collect();
        Self { tools, outage_budgets: BTreeMap::new(), notices: Vec::new() }
    }

    /// The same where calls of these tools wait so long for their servers when those fail.
    #[must_use]
    pub fn with_outage_budgets(self, outage_budgets: BTreeMap<ToolName, Duration>) -> Self {
        Self { outage_budgets, ..self }
    }

    /// The same with what people who run it should know of its tools although they work, a sentence each.
    #[must_use]
    pub fn with_notices(self, notices: Vec<String>) -> Self {
        Self { notices, ..self }
    }

    /// What people who run it should know of its tools: also those that are not called at present, in the order of names.
    pub(crate) fn notices(&self) -> Vec<String> {
        let withdrawn = self.tools.iter().filter_map(|(name, tool)| Some(format!("`{name}`: {}", tool.withdrawn()?)));
        let mut withdrawn: Vec<String> = withdrawn.collect();
        withdrawn.sort_unstable();
        self.notices.iter().cloned().chain(withdrawn).collect()
    }

    /// How long calls wait for the servers of tools, where that is written.
    pub(crate) fn outage_budgets(&self) -> &BTreeMap<ToolName, Duration> {
        &self.outage_budgets
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
        let mut outcome = once(&**tool, permit, spec).await;
        let lost = |outcome: &ToolOutcome| match outcome {
            ToolOutcome::Failed { failure } => {
                failure.happened == Happened::Maybe && spec.effect == EffectClass::Idempotent
            }
            ToolOutcome::Ok { .. }
            | ToolOutcome::Empty { .. }
            | ToolOutcome::Truncated { .. }
            | ToolOutcome::Partial { .. } => false,
        };
        let mut attempts = 1;
        while lost(&outcome) && attempts < ATTEMPTS {
            tokio::time::sleep(PAUSE).await;
            outcome = once(&**tool, permit, spec).await;
            attempts += 1;
        }
        let outcome = if attempts > 1 { outcome.after_a_lost_attempt() } else { outcome };
        bounded(outcome, spec.output_limit)
    }

    /// Asks a tool whether a call happened, within the time one call may take. What fails cannot tell; asking changes
    /// nothing, so it is tried again before a person is bothered.
    pub(crate) async fn probe(&self, inquiry: &Inquiry) -> ProbeAnswer {
        let Some(tool) = self.tools.get(&inquiry.call.tool) else {
            return ProbeAnswer::CannotTell { detail: format!("no tool `{}` is configured", inquiry.call.tool) };
        };
        let within = tool.spec().timeout;
        let late = || format!("asked whether the call happened, the tool gave no answer within {} ms", millis(within));
        let answer = deadline::within(within, asked(&**tool, inquiry)).await;
        match answer.unwrap_or_else(|_elapsed| ProbeAnswer::CannotTell { detail: late() }) {
            ProbeAnswer::Happened { outcome } => {
                ProbeAnswer::Happened { outcome: bounded(outcome, tool.spec().output_limit) }
            }
            answer @ (ProbeAnswer::DidNotHappen | ProbeAnswer::CannotTell { .. }) => answer,
        }
    }
}

async fn asked(tool: &dyn ToolBackend, inquiry: &Inquiry) -> ProbeAnswer {
    let mut answer = tool.probe(&inquiry.call).await;
    for _ in 1..ATTEMPTS {
        match &answer {
            ProbeAnswer::CannotTell { .. } => {}
            ProbeAnswer::Happened { .. } | ProbeAnswer::DidNotHappen => break,
        }
        tokio::time::sleep(PAUSE).await;
        answer = tool.probe(&inquiry.call).await;
    }
    answer
}

async fn once(tool: &dyn ToolBackend, permit: &Permit, spec: &ToolSpec) -> ToolOutcome {
    let result = deadline::within(spec.timeout, tool.call(&permit.call)).await;
    result.unwrap_or_else(|_elapsed| {
        let timeout_ms = millis(spec.timeout);
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
        ToolOutcome::Ok { content } | ToolOutcome::Truncated { content, .. } | ToolOutcome::Partial { content, .. }
            if value_bytes(&content) > limit =>
        {
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
        | ToolOutcome::Partial { .. }
        | ToolOutcome::Empty { .. }
        | ToolOutcome::Failed { .. }) => outcome,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use provost_domain::ids::CallId;
    use provost_domain::schema::ArgSchema;
    use provost_domain::tool::Risk;

    use super::*;

    /// A tool that fails each time as the next of these says, from the last one on.
    #[derive(Debug)]
    struct Failing(ToolSpec, Mutex<Vec<Happened>>);

    #[async_trait::async_trait]
    impl ToolBackend for Failing {
        fn spec(&self) -> &ToolSpec {
            &self.0
        }

        async fn call(&self, _call: &ToolCall) -> ToolOutcome {
            let happened = self.1.lock().unwrap().pop().unwrap();
            ToolOutcome::Failed { failure: ToolFailure { happened, ..never_sent(String::new()) } }
        }
    }

    async fn check(effect: EffectClass, attempts: &[Happened], expect: Happened) {
        let spec = ToolSpec {
            name: ToolName::new("a:b"),
            description: String::new(),
            schema: ArgSchema::new(serde_json::json!({})).unwrap(),
            effect,
            risk: Risk::Low,
            timeout: Duration::from_mins(1),
            output_limit: 1024,
            rosters: BTreeMap::new(),
            tells_people: false,
            claim: provost_domain::claims::ClaimRule::default(),
            risk_floor: None,
            output: None,
        };
        let (session, call) = (SessionId::new(uuid::Uuid::nil()), CallId::new("1.1.0"));
        let (tool, key) = (spec.name.clone(), call.key(session));
        let permit = Permit { call: ToolCall { session, call, tool, args: Arc::default(), key } };
        let attempts = attempts.iter().rev().copied().collect();
        let tools = ToolGateway::new([Arc::new(Failing(spec, Mutex::new(attempts))) as Arc<dyn ToolBackend>]);
        let ToolOutcome::Failed { failure } = tools.call(&permit).await else { panic!("it worked") };
        assert_eq!(failure.happened, expect);
    }

    #[tokio::test]
    async fn what_may_have_happened_once_is_not_undone_by_a_later_failure() {
        use Happened::{Maybe, No};
        check(EffectClass::Idempotent, &[No], No).await;
        check(EffectClass::Idempotent, &[Maybe, No], Maybe).await;
        check(EffectClass::Idempotent, &[Maybe, Maybe, No], Maybe).await;
        check(EffectClass::Unsafe, &[Maybe], Maybe).await;
    }
}
