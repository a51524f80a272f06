//! Tools that count what reaches them.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::event::EventBody;
use provost_domain::failure::FailureKind;
use provost_domain::ids::ToolName;
use provost_domain::port::{Reads, ToolBackend};
use provost_domain::schema::ArgSchema;
use provost_domain::tool::{EffectClass, Happened, ProbeAnswer, Risk, ToolCall, ToolFailure, ToolOutcome, ToolSpec};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::house::events;
use crate::model::PATIENCE;

/// How a counted tool behaves.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// Works, with this content.
    Works(Value),
    /// Fails without having happened.
    Refuses,
    /// Fails and may have happened.
    LosesTheAnswer,
    /// Never answers.
    Hangs,
    /// Hangs until it is cut off, and even then does not listen: it fails, without having happened.
    FailsLate,
    /// Answers once it behaves otherwise, and then like that.
    Waits,
    /// As this says for each call.
    ByCall(fn(&ToolCall) -> Self),
}

/// One tool and what arrived at it.
#[derive(Debug)]
pub struct CountedTool {
    spec: ToolSpec,
    behaviour: watch::Sender<Behaviour>,
    arrived: watch::Sender<Vec<ToolCall>>,
    says: watch::Sender<Option<ProbeAnswer>>,
    asked: watch::Sender<Vec<ToolCall>>,
    log: OnceLock<Arc<dyn Reads>>,
    undue: Mutex<Vec<String>>,
}

impl CountedTool {
    /// A tool over `{environment, service, n}` whose `environment` is bound to the roster of environments.
    pub fn new(name: &str, effect: EffectClass, risk: Risk, behaviour: Behaviour) -> Arc<Self> {
        let schema = json!({"type": "object", "additionalProperties": false, "properties": {
            "environment": {"type": "string"}, "service": {"type": "string"}, "n": {"type": "integer"},
            "team": {"type": "string"}, "reason": {"type": "string"},
        }});
        let spec = ToolSpec {
            name: ToolName::new(name),
            description: "a counted tool".to_owned(),
            schema: ArgSchema::new(schema).unwrap(),
            effect,
            risk,
            timeout: Duration::from_secs(20),
            output_limit: 64 * 1024,
            rosters: BTreeMap::from([
                ("environment".to_owned(), "environments".to_owned()),
                ("team".to_owned(), "teams".to_owned()),
            ]),
            tells_people: name.starts_with("notify:"),
            claim: provost_domain::claims::ClaimRule::default(),
            risk_floor: None,
            output: None,
        };
        Arc::new(Self {
            spec,
            behaviour: watch::Sender::new(behaviour),
            arrived: watch::Sender::new(Vec::new()),
            says: watch::Sender::new(Some(ProbeAnswer::CannotTell { detail: "as told".to_owned() })),
            asked: watch::Sender::new(Vec::new()),
            log: OnceLock::new(),
            undue: Mutex::default(),
        })
    }

    /// From now on looks into the log for each arrival's intent.
    pub fn expect_intents(&self, log: Arc<dyn Reads>) {
        self.log.set(log).unwrap();
    }

    /// The keys of arrivals whose intent, with the same arguments, did not stand in the log when they arrived.
    pub fn undue(&self) -> Vec<String> {
        self.undue.lock().unwrap().clone()
    }

    async fn look_for_intent(&self, call: &ToolCall) {
        let Some(log) = self.log.get() else { return };
        let intended = events(&**log, call.session).await.iter().any(|event| match &event.body {
            EventBody::ToolIntended(intent) => (&intent.call, &intent.args) == (&call.call, &call.args),
            _ => false,
        });
        if !intended {
            self.undue.lock().unwrap().push(call.key.clone());
        }
    }

    /// Changes how it behaves from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.behaviour.send_replace(behaviour);
    }

    /// What arrived, in order.
    pub fn arrived(&self) -> Vec<ToolCall> {
        self.arrived.borrow().clone()
    }

    /// What it says from now on when it is asked whether a call happened; `None`: it answers once it is told what.
    pub fn say(&self, answer: Option<ProbeAnswer>) {
        self.says.send_replace(answer);
    }

    /// The calls it was asked about, in order.
    pub fn asked(&self) -> Vec<ToolCall> {
        self.asked.borrow().clone()
    }

    /// Waits until it was asked `count` times; panics when that never comes.
    pub async fn asked_times(&self, count: usize) {
        let mut receiver = self.asked.subscribe();
        let come = tokio::time::timeout(PATIENCE, receiver.wait_for(|calls| calls.len() >= count)).await;
        assert!(come.is_ok(), "asked about {} calls, not {count}", self.asked().len());
    }

    /// Waits until `count` calls have arrived; panics when they never come.
    pub async fn arrived_times(&self, count: usize) -> Vec<ToolCall> {
        let mut receiver = self.arrived.subscribe();
        let come = tokio::time::timeout(PATIENCE, receiver.wait_for(|calls| calls.len() >= count)).await;
        let Ok(calls) = come else { panic!("{} calls arrived, not {count}", self.arrived().len()) };
        calls.unwrap().clone()
    }
}

fn failure(happened: Happened) -> ToolOutcome {
    ToolOutcome::Failed {
        failure: ToolFailure {
            kind: FailureKind::Transient,
            happened,
            detail: "as told".to_owned(),
            exit: None,
            signal: None,
            timeout_ms: None,
        },
    }
}

/// Done when it is looked at a second time: as nothing wakes it, when whoever waits for it is told not to.
async fn cut_off() {
    let mut waiting = false;
    poll_fn(|_| if std::mem::replace(&mut waiting, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

#[async_trait]
impl ToolBackend for CountedTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        self.look_for_intent(call).await;
        let mut now = self.behaviour.subscribe();
        let mut behaviour = now.borrow_and_update().clone();
        self.arrived.send_modify(|calls| calls.push(call.clone()));
        if matches!(behaviour, Behaviour::Waits) {
            behaviour = now.wait_for(|now| !matches!(now, Behaviour::Waits)).await.unwrap().clone();
        }
        if let Behaviour::ByCall(of) = behaviour {
            behaviour = of(call);
        }
        match behaviour {
            Behaviour::Works(content) => ToolOutcome::Ok { content },
            Behaviour::Refuses => failure(Happened::No),
            Behaviour::LosesTheAnswer => failure(Happened::Maybe),
            Behaviour::FailsLate => {
                cut_off().await;
                failure(Happened::No)
            }
            Behaviour::Hangs | Behaviour::Waits | Behaviour::ByCall(_) => std::future::pending().await,
        }
    }

    async fn probe(&self, call: &ToolCall) -> ProbeAnswer {
        self.asked.send_modify(|calls| calls.push(call.clone()));
        let mut says = self.says.subscribe();
        says.wait_for(Option::is_some).await.unwrap().clone().unwrap()
    }
}
