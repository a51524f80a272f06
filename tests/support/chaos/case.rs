//! One session and the people around it: opens it, follows its events across every crash, answers what it is asked.

use std::sync::Arc;
use std::time::Duration;

use provost_domain::ids::{CallId, SessionId};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::caller::Caller;
use super::ledger::{Ledger, Promise};
use super::plan::{Doubt, Persona, Reply};
use super::witness::Counts;

/// A stream that says nothing for longer than this, heartbeats included, is opened anew.
const SILENCE_MAX: Duration = Duration::from_secs(25);

/// One case.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) index: u64,
    pub(super) persona: Persona,
    pub(super) operator: Caller,
    pub(super) approver: Caller,
    pub(super) witness: Arc<Counts>,
    pub(super) ledger: Arc<Ledger>,
}

/// Whether there is more to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    /// It has ended, or nobody will end its wait.
    Leave,
}

impl Case {
    /// From opening to the end that this case has.
    pub(super) async fn run(&self) {
        let Some(session) = self.open().await else { return };
        let path = format!("/v1/sessions/{session}/events");
        let mut after = 0;
        loop {
            let stream = match self.operator.stream(&path, after).await {
                Ok(stream) => stream,
                Err(refused) => {
                    return self
                        .ledger
                        .complain("acknowledged_lost", format!("{session} after event {after}: {refused}"));
                }
            };
            let mut stream = Stream { response: stream, bytes: Vec::new() };
            while let Some(event) = stream.next().await {
                after = event["seq"].as_u64().unwrap();
                self.ledger.saw(session, after, &event);
                if self.react(session, after, &event).await == Next::Leave {
                    return;
                }
            }
        }
    }

    async fn open(&self) -> Option<SessionId> {
        let Self { index, persona, .. } = self;
        let body = json!({"pack": "chaos", "title": format!("case {index}"), "fields": {
            "summary": format!("case {index}"), "service": "shop",
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

    async fn react(&self, session: SessionId, seq: u64, event: &Value) -> Next {
        let data = &event["data"];
        if self.persona.stop_at == Some(seq) {
            let promise = Self::promise(session, "stop_requested", "reason", &format!("stop of case {}", self.index));
            let body = json!({"reason": promise.value});
            self.ask(&self.operator, &format!("/v1/sessions/{session}/stop"), &body, promise).await;
        }
        match event["kind"].as_str().unwrap() {
            "approval_requested" => self.answer(session, data).await,
            "outcome_unknown" => self.settle(session, data).await,
            "status_changed" if is_end(&data["to"]) => Next::Leave,
            _ => Next::GoOn,
        }
    }

    async fn answer(&self, session: SessionId, asked: &Value) -> Next {
        let approval = asked["approval"].as_str().unwrap();
        let reason = format!("edited {approval}");
        let body = match self.persona.answer {
            Reply::Approve => json!({"answer": "approve"}),
            Reply::Edit => json!({"answer": "edit", "args": {"reason": reason}}),
            Reply::Reject => json!({"answer": "reject", "reason": "not today"}),
            Reply::Respond => json!({"answer": "respond", "text": "do without"}),
            Reply::Never => return Next::Leave,
        };
        let promise = Self::promise(session, "approval_decided", "approval", approval);
        self.ask(&self.approver, &format!("/v1/approvals/{approval}/decide"), &body, promise).await;
        Next::GoOn
    }

    async fn settle(&self, session: SessionId, doubt: &Value) -> Next {
        let call = doubt["call"].as_str().unwrap();
        let what = match self.persona.doubt {
            Doubt::Settle if self.witness.knows(&CallId::new(call).key(session)) => "happened",
            Doubt::Settle => "did_not_happen",
            Doubt::GiveUp => "give_up",
            Doubt::Never => return Next::Leave,
        };
        let body = json!({"call": call, "what": what, "note": "as the witness says"});
        let promise = Self::promise(session, "outcome_settled", "call", call);
        self.ask(&self.operator, &format!("/v1/sessions/{session}/settle"), &body, promise).await;
        Next::GoOn
    }

    fn promise(session: SessionId, kind: &'static str, field: &'static str, value: &str) -> Promise {
        Promise { session, kind, field, value: value.to_owned() }
    }

    /// Sends a command under a key of its own; yes is a promise, no is counted. Only a case that somebody stops may have
    /// moved on before it is answered.
    async fn ask(&self, caller: &Caller, path: &str, body: &Value, promise: Promise) {
        let key = format!("{}-{path}-{}", self.index, body["call"].as_str().unwrap_or_default());
        let (status, answer) = caller.post(path, &key, body).await;
        if status.is_success() {
            return self.ledger.promised(promise);
        }
        let code = answer["code"].as_str().unwrap_or("none");
        self.ledger.refused(code);
        if self.persona.stop_at.is_none() {
            self.ledger.complain("refused", format!("{path} was answered {status} {code}: {answer}"));
        }
    }
}

/// Whether a status, as its event has it, is an end.
pub(super) fn is_end(status: &Value) -> bool {
    !["new", "in_progress", "awaiting_input"].iter().any(|open| status == *open)
}

/// A stream of server-sent events.
struct Stream {
    response: reqwest::Response,
    bytes: Vec<u8>,
}

impl Stream {
    /// The next event; `None` once the stream has broken off.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.bytes.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.bytes.drain(..end + 2).collect();
                let block = String::from_utf8(block).unwrap();
                let data = block.lines().find_map(|line| line.strip_prefix("data: "));
                match data {
                    Some(data) => return Some(serde_json::from_str(data).unwrap()),
                    // A heartbeat.
                    None => continue,
                }
            }
            let chunk = timeout(SILENCE_MAX, self.response.chunk()).await.ok()?.ok()??;
            self.bytes.extend_from_slice(&chunk);
        }
    }
}
