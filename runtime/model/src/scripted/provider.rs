//! The scripted provider: ordered rules, the first that matches answers. It reads the conversation and the real tool
//! results, and the same history always gets the same answer (a fault with `times` aside, which counts its asks).

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use provost_domain::condition::all_hold;
use provost_domain::envelope::{Envelope, FINISH_TOOL};
use provost_domain::failure::ModelFailure;
use provost_domain::ids::{AssignmentId, SessionId};
use provost_domain::model::{Arguments, ModelReply, ModelRequest, ProposedCall, Usage};
use provost_domain::port::ModelProvider;
use serde_json::{Value, json};

use super::facts;
use super::render::Renderer;
use super::rules::{Reply, Rule, Script, ScriptFault, ScriptFaultKind, Via};

/// Faults whose asks are counted at once; beyond it the count starts anew.
const COUNTED_MAX: usize = 4096;
/// Largest script read, in bytes.
const SCRIPT_MAX: u64 = 1024 * 1024;

/// A script cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {detail}", path.display())]
pub struct ScriptError {
    path: PathBuf,
    detail: String,
}

/// Why a script gives no reply.
#[derive(Debug, Clone, PartialEq)]
pub enum NoReply {
    /// A rule says that the question fails so.
    Fault(ModelFailure),
    /// No rule answers, or the one that does cannot be filled in; in words for whoever writes the script.
    Gap(String),
}

type FaultKey = (SessionId, AssignmentId, u32, usize);

/// A provider that answers by rules.
#[derive(Debug)]
pub struct ScriptedProvider {
    rules: Vec<Rule>,
    renderer: Renderer,
    faults: Mutex<HashMap<FaultKey, u32>>,
}

impl ScriptedProvider {
    /// Reads a script.
    ///
    /// # Errors
    /// The file cannot be read, is too large, or does not hold a script; the message names file, line and column.
    pub fn load(path: &Path) -> Result<Self, ScriptError> {
        let error = |detail: String| ScriptError { path: path.to_owned(), detail };
        let length = fs::metadata(path).map_err(|e| error(e.to_string()))?.len();
        if length > SCRIPT_MAX {
            return Err(error(format!("{length} bytes, over the limit of {SCRIPT_MAX}")));
        }
        let text = fs::read_to_string(path).map_err(|e| error(e.to_string()))?;
        Self::of_text(path, &text)
    }

    /// Reads the text of a script that was read from a file.
    ///
    /// # Errors
    /// It does not hold a script; the message names file, line and column.
    pub fn of_text(path: &Path, text: &str) -> Result<Self, ScriptError> {
        Self::from_yaml(text).map_err(|detail| ScriptError { path: path.to_owned(), detail })
    }

    /// Reads a script's text.
    fn from_yaml(text: &str) -> Result<Self, String> {
        let script: Script = serde_saphyr::from_str(text).map_err(|e| e.to_string())?;
        for (index, rule) in script.rules.iter().enumerate() {
            rule.check().map_err(|problem| format!("rule {}: {problem}", index + 1))?;
        }
        Ok(Self { rules: script.rules, renderer: Renderer::new(), faults: Mutex::default() })
    }

    fn answer(&self, request: &ModelRequest) -> Result<ModelReply, ModelFailure> {
        self.reply_to(request).map_err(|none| match none {
            NoReply::Fault(failure) => failure,
            NoReply::Gap(detail) => ModelFailure::Refused { detail },
        })
    }

    /// The script's reply to a question. The same history gets the same reply; only a fault with `times` counts its asks.
    ///
    /// # Errors
    /// The script has none.
    pub fn reply_to(&self, request: &ModelRequest) -> Result<ModelReply, NoReply> {
        let facts = facts::of(request);
        for (index, rule) in self.rules.iter().enumerate() {
            if !matches(rule, request, &facts) {
                continue;
            }
            if let Some(fault) = &rule.reply.fault {
                if self.is_due(fault, request, index) {
                    return Err(NoReply::Fault(failure(fault)));
                }
                continue;
            }
            return self
                .reply(&rule.reply, &facts)
                .map(|reply| with_usage(reply, request))
                .map_err(|detail| NoReply::Gap(format!("script rule {}: {detail}", index + 1)));
        }
        let last = facts.get("last").map(ToString::to_string).unwrap_or_default();
        Err(NoReply::Gap(format!(
            "no script rule matches agent `{}` in round {}; last result: {}",
            request.agent,
            request.round,
            last.chars().take(300).collect::<String>()
        )))
    }

    /// Whether a fault still has asks left for this very question.
    fn is_due(&self, fault: &ScriptFault, request: &ModelRequest, rule: usize) -> bool {
        let Some(times) = fault.times else { return true };
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.len() >= COUNTED_MAX {
            faults.clear();
        }
        let count = faults.entry((request.session, request.assignment, request.round, rule)).or_default();
        *count += 1;
        *count <= times
    }

    fn reply(&self, reply: &Reply, facts: &Value) -> Result<ModelReply, String> {
        let mut text = self.renderer.text(reply.text.as_deref().unwrap_or_default(), facts)?;
        let mut calls = Vec::new();
        for call in &reply.calls {
            let args = self.renderer.value(&call.args, facts)?;
            calls.push(ProposedCall { tool: call.tool.replace(':', "__"), args: Arc::new(Arguments::Json(args)) });
        }
        if let Some(envelope) = &reply.envelope {
            let envelope = self.renderer.value(envelope, facts)?;
            match reply.via {
                Via::Tool => {
                    let args = Arc::new(Arguments::Json(envelope));
                    calls.push(ProposedCall { tool: FINISH_TOOL.to_owned(), args });
                }
                Via::Text => text = envelope.to_string(),
                Via::Markdown => text = markdown(&envelope)?,
            }
        }
        Ok(ModelReply { text: text.into(), calls, ..ModelReply::default() })
    }
}

fn matches(rule: &Rule, request: &ModelRequest, facts: &Value) -> bool {
    let wanted = &rule.when;
    wanted.agent.as_ref().is_none_or(|agent| agent == request.agent.as_str())
        && wanted.round.is_none_or(|round| round == request.round)
        && all_hold(&wanted.conditions, facts)
        && wanted.last_refusal.as_ref().is_none_or(|word| facts::last_refusal_is(facts, word))
}

fn failure(fault: &ScriptFault) -> ModelFailure {
    let detail = "as the script says".to_owned();
    match fault.kind {
        ScriptFaultKind::Timeout => ModelFailure::LlmTimeout { after_ms: 0 },
        ScriptFaultKind::RateLimited => ModelFailure::RateLimited {
            retry_after_ms: fault.retry_after.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
        },
        ScriptFaultKind::Unavailable => ModelFailure::Unavailable { detail },
        ScriptFaultKind::Malformed => ModelFailure::Malformed { detail },
        ScriptFaultKind::Refused => ModelFailure::Refused { detail },
    }
}

fn markdown(envelope: &Value) -> Result<String, String> {
    let envelope: Envelope = serde_json::from_value(envelope.clone()).map_err(|error| error.to_string())?;
    let signal = envelope.signal.unwrap_or_default();
    Ok(format!(
        "## Response\n{}\n\n## Confidence\n{}\n\n## Rationale\n{}\n\n## Signal\n{signal}\n",
        envelope.content, envelope.confidence, envelope.rationale
    ))
}

/// Deterministic token counts: a quarter of the bytes, free of charge.
fn with_usage(mut reply: ModelReply, request: &ModelRequest) -> ModelReply {
    let input = request.system.len() + json!(request.messages).to_string().len();
    let output = reply.text.len() + json!(reply.calls).to_string().len();
    reply.usage = Usage {
        input: (input / 4) as u64,
        cached: 0,
        output: (output / 4) as u64,
        cost_micro_usd: Some(0),
        estimated: false,
    };
    reply
}

#[async_trait]
impl ModelProvider for ScriptedProvider {
    async fn ask(&self, request: &ModelRequest, _body: &[u8]) -> Result<ModelReply, ModelFailure> {
        self.answer(request)
    }
}

#[cfg(test)]
mod tests;
