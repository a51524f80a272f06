//! One session and the people around it: opens it, follows its events across every crash, answers what it is asked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use provost_domain::ids::{CallId, SessionId};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::caller::Caller;
use super::ledger::{Ledger, Promise};
use super::outside::Outside;
use super::plan::{Doubt, Haste, Persona, Reply};
use super::stream::Stream;

/// One case.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) index: u64,
    pub(super) persona: Persona,
    pub(super) operator: Caller,
    pub(super) approver: Caller,
    pub(super) witness: Arc<Outside>,
    pub(super) ledger: Arc<Ledger>,
    /// Approvals of calls whose target is taken until somebody settles the call before.
    pub(super) postponed: Mutex<Vec<Value>>,
    /// How often it asked something: each time under a key of its own.
    pub(super) asked: AtomicU64,
}

/// Whether there is more to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    /// It has ended, or nobody will end its wait.
    Leave,
}

/// What is posted, and what a yes to it promises.
struct Command {
    path: String,
    body: Value,
    promise: Promise,
}

impl Case {
    /// From opening to the end that this case has.
    pub(super) async fn run(&self) {
        let Some(session) = self.open().await else { return };
        let path = format!("/v1/sessions/{session}/events");
        let mut after = 0;
        // The first of two approvals, until the second is there.
        let mut asked = None;
        loop {
            let stream = match self.operator.stream(&path, after).await {
                Ok(stream) => stream,
                Err(refused) => {
                    return self
                        .ledger
                        .complain("acknowledged_lost", format!("{session} after event {after}: {refused}"));
                }
            };
            let mut stream = Stream::of(stream);
            while let Some(event) = stream.next().await {
                after = event["seq"].as_u64().unwrap();
                self.ledger.saw(session, after, &event);
                if self.react(session, after, event, &mut asked).await == Next::Leave {
                    return;
                }
            }
        }
    }

    async fn open(&self) -> Option<SessionId> {
        let Self { index, persona, .. } = self;
        let body = json!({"pack": "chaos", "title": format!("case {index}"), "fields": {
            "summary": format!("case {index}"), "service": format!("shop-{index}"),
            "environment": persona.environment, "ending": persona.ending}});
        let (status, answer) = self.operator.post("/v1/sessions", &format!("open-{index}"), &body).await;
        if status != StatusCode::CREATED {
            self.ledger.complain("acknowledged_lost", format!("case {index} could not be opened: {status} {answer}"));
            return None;
        }
        let session = answer["session"].as_str().unwrap().parse().unwrap();
        self.ledger.opened(*index, session);
        Some(session)
    }

    async fn react(&self, session: SessionId, seq: u64, event: Value, asked: &mut Option<Value>) -> Next {
        let data = &event["data"];
        if self.persona.stop_at == Some(seq) {
            let promise = Self::promise(session, "stop_requested", "reason", &format!("stop of case {}", self.index));
            let body = json!({"reason": promise.value});
            self.ask(&self.operator, Command { path: format!("/v1/sessions/{session}/stop"), body, promise }).await;
        }
        match event["kind"].as_str().unwrap() {
            "approval_requested" if self.persona.answer == Reply::Never => Next::Leave,
            "approval_requested" if self.persona.environment == "crowded" => {
                match asked.take() {
                    Some(first) => self.answer_both(session, &first, data).await,
                    None => *asked = Some(data.clone()),
                }
                Next::GoOn
            }
            "approval_requested" => {
                self.answer(session, data).await;
                Next::GoOn
            }
            "outcome_unknown" => self.settle(session, data).await,
            "status_changed" if is_end(&data["to"]) => Next::Leave,
            _ => Next::GoOn,
        }
    }

    /// The second answer does not wait for what became of the first.
    async fn answer_both(&self, session: SessionId, one: &Value, other: &Value) {
        let Haste { first, second } = self.persona.haste;
        sleep(first).await;
        let later = async {
            sleep(second).await;
            self.answer(session, other).await;
        };
        tokio::join!(self.answer(session, one), later);
    }

    async fn answer(&self, session: SessionId, asked: &Value) {
        let approval = asked["approval"].as_str().unwrap();
        let body = match self.persona.answer {
            Reply::Approve => json!({"answer": "approve"}),
            Reply::Edit => json!({"answer": "edit", "args": edited(asked)}),
            Reply::Reject => json!({"answer": "reject", "reason": "not today"}),
            Reply::Respond => json!({"answer": "respond", "text": "do without"}),
            Reply::Never => return,
        };
        let promise = Self::promise(session, "approval_decided", "approval", approval);
        let command = Command { path: format!("/v1/approvals/{approval}/decide"), body, promise };
        if self.ask(&self.approver, command).await == Answered::TargetBusy {
            self.postponed.lock().unwrap().push(asked.clone());
        }
    }

    async fn settle(&self, session: SessionId, doubt: &Value) -> Next {
        let call = doubt["call"].as_str().unwrap();
        let what = match self.persona.doubt {
            Doubt::Settle if self.witness.knows(&CallId::new(call).key(session)).await => "happened",
            // Somebody who asked may yet act.
            Doubt::Settle if !self.witness.sure => "give_up",
            Doubt::Settle => "did_not_happen",
            Doubt::GiveUp => "give_up",
            Doubt::Never => return Next::Leave,
        };
        let body = json!({"call": call, "what": what, "note": "as the witness says"});
        let promise = Self::promise(session, "outcome_settled", "call", call);
        self.ask(&self.operator, Command { path: format!("/v1/sessions/{session}/settle"), body, promise }).await;
        let postponed = std::mem::take(&mut *self.postponed.lock().unwrap());
        for asked in postponed {
            self.answer(session, &asked).await;
        }
        Next::GoOn
    }

    fn promise(session: SessionId, kind: &'static str, field: &'static str, value: &str) -> Promise {
        Promise { session, kind, field, value: value.to_owned() }
    }

    /// Sends a command under a key of its own; yes is a promise, no is counted. Only a case that somebody stops may have
    /// moved on before it is answered.
    async fn ask(&self, caller: &Caller, Command { path, body, promise }: Command) -> Answered {
        let turn = self.asked.fetch_add(1, Ordering::Relaxed);
        let key = format!("{}-{path}-{}-{turn}", self.index, body["call"].as_str().unwrap_or_default());
        self.ledger.sent(&key);
        let (status, answer) = caller.post(&path, &key, &body).await;
        self.ledger.answered(&key);
        if status.is_success() {
            self.ledger.promised(promise);
            return Answered::Taken;
        }
        let code = answer["code"].as_str().unwrap_or("none");
        self.ledger.refused(code);
        if code == "target_busy" {
            return Answered::TargetBusy;
        }
        if self.persona.stop_at.is_none() {
            self.ledger.complain("refused", format!("{path} was answered {status} {code}: {answer}"));
        }
        Answered::Refused
    }
}

/// What a command came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answered {
    Taken,
    /// Later, once the call before it is settled.
    TargetBusy,
    Refused,
}

/// The arguments of a call as its approver wants them: what the session supplies is not his to change.
fn edited(asked: &Value) -> Value {
    let mut args = asked["args"].clone();
    for injected in asked["injected"].as_array().unwrap() {
        args.as_object_mut().unwrap().remove(injected.as_str().unwrap());
    }
    args["reason"] = json!(format!("edited {}", asked["approval"].as_str().unwrap()));
    args
}

/// Whether a status, as its event has it, is an end.
pub(super) fn is_end(status: &Value) -> bool {
    !["new", "in_progress", "awaiting_input"].iter().any(|open| status == *open)
}
