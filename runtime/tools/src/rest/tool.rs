//! `SERVER:TOOL` of a server of the kind `http`: one request, and what its answer means.

use std::time::Duration;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, Happened, ProbeAnswer, Risk, ToolCall, ToolOutcome, ToolSpec};
use reqwest::StatusCode;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::entry::RestEntry;
use super::probe::RestProbe;
use super::request::RestRequest;
use crate::bound;
use crate::error::ToolsError;
use crate::http::{self, PostFailure, ReplyBody};
use crate::mapping::{AnswerForm, ResultMap, is_nothing};
use crate::redact::redact;
use crate::server::{OpenServer, RemoteServer, ToolWords};
use crate::spec::failed;
use crate::status::StatusRules;

/// What an empty answer to a read says.
const NOTHING: &str = "the server answered nothing";

/// One request of a server.
#[derive(Debug)]
pub(super) struct RestTool {
    spec: ToolSpec,
    server: RemoteServer,
    request: RestRequest,
    key: Option<HeaderName>,
    rules: StatusRules,
    result: ResultMap,
    probe: Option<RestProbe>,
    /// Whether the request itself only reads, whatever else is said of the effect.
    reads_only: bool,
}

impl RestTool {
    pub(super) fn new(server: &OpenServer<'_>, remote: RemoteServer, entry: &RestEntry) -> Result<Self, ToolsError> {
        let about = format!("{}.", entry.request.shown());
        let words = ToolWords {
            tool: &entry.name,
            about: &about,
            effect: EffectClass::Unsafe,
            risk: Risk::High,
            timeout: Duration::from_secs(30),
        };
        let spec = server.spec_of(words, entry.args.clone(), Some(entry.result.schema().clone()))?;
        Ok(Self {
            spec,
            server: remote,
            request: entry.request.clone(),
            key: entry.key.clone(),
            rules: entry.rules.clone(),
            result: entry.result.clone(),
            probe: entry.probe.clone(),
            reads_only: entry.reads_only,
        })
    }

    /// The answer to a call, if the server answered.
    async fn exchange(&self, call: &ToolCall, data: &Value) -> Result<(StatusCode, ReplyBody), ToolOutcome> {
        let unwritten = |why: String| failed(Happened::No, FailureKind::Permanent, format!("nothing was sent: {why}"));
        let mut request = self.request.write(&self.server, data).map_err(unwritten)?;
        if let Some(name) = &self.key {
            let key = HeaderValue::from_str(&call.key).map_err(|error| unwritten(error.to_string()))?;
            request = request.header(name, key);
        }
        let answered = http::try_exchange(request, &self.rules).await;
        answered.map_err(|failure| {
            // A read that failed never happened.
            let happened = if self.reads_only { Happened::No } else { failure.happened };
            ToolOutcome::from(PostFailure { happened, ..failure })
        })
    }

    /// What the model gets of an answer.
    fn outcome(&self, status: StatusCode, body: &ReplyBody, args: &Value) -> ToolOutcome {
        let output = self.spec.output_limit;
        let status = status.as_u16();
        if body.cut {
            let content = json!({"status": status, "body": body.text});
            return match bound::outcome(&content, output, NOTHING) {
                ToolOutcome::Ok { content } | ToolOutcome::Truncated { content, .. } => {
                    ToolOutcome::Truncated { content, total_bytes: body.bytes }
                }
                other => other,
            };
        }
        let read = match body.text.trim() {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_else(|_| Value::String(body.text.clone())),
        };
        if self.reads_only && is_nothing(&read) {
            return ToolOutcome::Empty { note: NOTHING.to_owned() };
        }
        let data = json!({"status": status, "body": read, "args": args});
        let as_it_came = json!({"status": status, "body": read});
        let nothing = self.reads_only.then_some(NOTHING);
        self.result.outcome(&AnswerForm { as_it_came: &as_it_came, data: &data, limit: output, nothing })
    }
}

#[async_trait]
impl ToolBackend for RestTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        let data = json!({"args": &*call.args});
        match self.exchange(call, &data).await {
            Ok((status, body)) => self.outcome(status, &body, &call.args),
            Err(outcome) => outcome,
        }
    }

    async fn probe(&self, call: &ToolCall) -> ProbeAnswer {
        let cannot = |detail: String| ProbeAnswer::CannotTell { detail: redact(&detail) };
        let Some(probe) = &self.probe else {
            return cannot("the configuration does not say how the server is asked whether a call happened".to_owned());
        };
        let asked = json!({"args": &*call.args, "key": call.key});
        let request = match probe.request.write(&self.server, &asked) {
            Ok(request) => request,
            Err(why) => return cannot(format!("the question cannot be written: {why}")),
        };
        // Any status is an answer here: the conditions say what it means.
        let (status, body) = match http::any_answer(request).await {
            Ok(answer) => answer,
            Err(why) => return cannot(why),
        };
        if body.cut {
            return cannot("the answer is too long to be judged".to_owned());
        }
        let read: Value = serde_json::from_str(&body.text).unwrap_or(Value::String(body.text.clone()));
        let data = json!({"args": &*call.args, "key": call.key, "status": status.as_u16(), "body": read});
        probe.meaning(&data, self.outcome(status, &body, &call.args))
    }
}
