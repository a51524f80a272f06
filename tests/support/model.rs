//! `StubModel`: a ractor actor that stands in for a model and is told its answers by the test.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::failure::ModelFailure;
use provost_domain::ids::AgentName;
use provost_domain::model::{Arguments, ModelReply, ModelRequest, ProposedCall, Usage};
use provost_domain::port::ModelProvider;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// How long a test waits for something that must come.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// What a stub answers.
pub type Answer = Result<ModelReply, ModelFailure>;

/// What the stub actor is told.
#[derive(Debug)]
pub enum ToStub {
    /// The runtime asks.
    Ask(Box<ModelRequest>, RpcReplyPort<Answer>),
    /// The test queues an answer.
    Answer(Answer),
    /// The test wants to see what was asked so far.
    Asked(RpcReplyPort<Vec<ModelRequest>>),
}

/// The actor.
#[derive(Debug)]
pub struct StubActor;

/// Answers queued and questions seen; a question without an answer waits for one.
#[derive(Debug, Default)]
pub struct StubState {
    answers: VecDeque<Answer>,
    waiting: VecDeque<RpcReplyPort<Answer>>,
    asked: Vec<ModelRequest>,
    changed: Arc<Notify>,
    /// Whose questions the queued answers are for; every other agent ends its turn at once.
    agent: Option<AgentName>,
}

impl Actor for StubActor {
    type Msg = ToStub;
    type State = StubState;
    type Arguments = (Arc<Notify>, Option<AgentName>);

    async fn pre_start(
        &self,
        _: ActorRef<ToStub>,
        (changed, agent): Self::Arguments,
    ) -> Result<StubState, ActorProcessingErr> {
        Ok(StubState { changed, agent, ..StubState::default() })
    }

    async fn handle(
        &self,
        _: ActorRef<ToStub>,
        message: ToStub,
        state: &mut StubState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ToStub::Ask(request, reply) if state.agent.as_ref().is_some_and(|agent| *agent != request.agent) => {
                drop(reply.send(Ok(plain_end())));
            }
            ToStub::Ask(request, reply) => {
                state.asked.push(*request);
                state.waiting.push_back(reply);
            }
            ToStub::Answer(answer) => state.answers.push_back(answer),
            ToStub::Asked(reply) => drop(reply.send(state.asked.clone())),
        }
        state.waiting.retain(|reply| !reply.is_closed());
        while !state.waiting.is_empty() && !state.answers.is_empty() {
            let (reply, answer) = (state.waiting.pop_front().unwrap(), state.answers.pop_front().unwrap());
            drop(reply.send(answer));
        }
        state.changed.notify_waiters();
        Ok(())
    }
}

/// The handle a test holds and the provider the engine asks.
#[derive(Debug, Clone)]
pub struct StubModel {
    actor: ActorRef<ToStub>,
    changed: Arc<Notify>,
}

impl StubModel {
    /// Starts a stub without answers.
    pub async fn start() -> Self {
        Self::serving(None).await
    }

    /// Starts a stub that answers for one agent; every other agent ends its turn at once with a report of its role.
    pub async fn for_agent(agent: &str) -> Self {
        Self::serving(Some(AgentName::new(agent))).await
    }

    async fn serving(agent: Option<AgentName>) -> Self {
        let changed = Arc::new(Notify::new());
        let (actor, _joined) = StubActor::spawn(None, StubActor, (Arc::clone(&changed), agent)).await.unwrap();
        Self { actor, changed }
    }

    /// Queues the end of a turn with a typed report.
    pub fn report(&self, report: &Value) {
        let args = json!({"content": "done", "confidence": 0.9, "rationale": "seen", "report": report});
        self.calls(&[("finish_turn", args)]);
    }

    /// Queues an answer.
    pub fn answer(&self, answer: Answer) {
        self.actor.cast(ToStub::Answer(answer)).unwrap();
    }

    /// Queues a reply with calls.
    pub fn calls(&self, calls: &[(&str, Value)]) {
        self.answer(Ok(reply("", calls)));
    }

    /// Queues the end of a turn.
    pub fn finish(&self, signal: &str, confidence: f64) {
        let args = json!({"content": "done", "confidence": confidence, "rationale": "seen", "signal": signal});
        self.calls(&[("finish_turn", args)]);
    }

    /// Queues free text.
    pub fn text(&self, text: &str) {
        self.answer(Ok(reply::<&str>(text, &[])));
    }

    /// What was asked so far.
    pub async fn asked(&self) -> Vec<ModelRequest> {
        ractor::call!(self.actor, ToStub::Asked).unwrap()
    }

    /// Waits until it was asked `count` times; panics when that never comes.
    pub async fn asked_times(&self, count: usize) -> Vec<ModelRequest> {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                let asked = self.asked().await;
                if asked.len() >= count {
                    return asked;
                }
                changed.await;
            }
        };
        let done = tokio::time::timeout(PATIENCE, wait).await;
        let Ok(asked) = done else { panic!("asked {} times only, not {count}", self.asked().await.len()) };
        asked
    }
}

/// The end of a turn with a report that fits every role.
fn plain_end() -> ModelReply {
    let report = json!({
        "real": true, "scope": "the shop", "nothing_found": true, "step": "none", "outcome": "not_tried",
    });
    let args = json!({"content": "done", "confidence": 0.9, "rationale": "seen", "report": report});
    reply("", &[("finish_turn", args)])
}

/// A reply. Arguments that are a string stand for a provider's raw text, broken or not.
pub fn reply<T: AsRef<str>>(text: &str, calls: &[(T, Value)]) -> ModelReply {
    let calls = calls.iter().map(|(tool, args)| ProposedCall {
        tool: tool.as_ref().to_owned(),
        args: Arc::new(match args {
            Value::Object(_) => Arguments::Json(args.clone()),
            Value::String(raw) => Arguments::parse(raw),
            other => Arguments::parse(&other.to_string()),
        }),
    });
    let usage = Usage { input: 10, cached: 0, output: 5, cost_micro_usd: Some(1), estimated: false };
    ModelReply { text: text.into(), calls: calls.collect(), usage, ..ModelReply::default() }
}

#[async_trait]
impl ModelProvider for StubModel {
    async fn ask(&self, request: &ModelRequest, _body: &[u8]) -> Answer {
        let request = Box::new(request.clone());
        let gone = |detail: String| ModelFailure::Unavailable { detail };
        ractor::call!(self.actor, ToStub::Ask, request).map_err(|error| gone(error.to_string()))?
    }
}
