//! A tool of a server with what all of them have: a rate of calls, and results without the server's secrets.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{Happened, ProbeAnswer, ToolCall, ToolFailure, ToolOutcome, ToolSpec};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::time::Instant;

use super::rate::RateMeter;
use crate::spec::failed;

/// What stands in a secret's place.
const MASK: &str = "[redacted]";
/// Shortest secret that is looked for: a shorter one would stand in any text.
const SECRET_MIN: usize = 4;

/// The secrets of a server, to be kept out of what its tools return.
#[derive(Debug, Clone, Default)]
pub(super) struct SecretMask(Arc<[SecretString]>);

impl SecretMask {
    pub(super) fn new(secrets: impl IntoIterator<Item = SecretString>) -> Self {
        Self(secrets.into_iter().filter(|secret| secret.expose_secret().len() >= SECRET_MIN).collect())
    }

    fn text(&self, text: String) -> String {
        self.0.iter().fold(text, |text, secret| {
            let secret = secret.expose_secret();
            let text = if text.contains(secret) { text.replace(secret, MASK) } else { text };
            without_beginning(text, secret)
        })
    }

    fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(list) => list.into_iter().map(|value| self.value(value)).collect(),
            Value::Object(object) => {
                object.into_iter().map(|(key, value)| (self.text(key), self.value(value))).collect()
            }
            plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain,
        }
    }

    fn outcome(&self, outcome: ToolOutcome) -> ToolOutcome {
        if self.0.is_empty() {
            return outcome;
        }
        match outcome {
            ToolOutcome::Ok { content } => ToolOutcome::Ok { content: self.value(content) },
            ToolOutcome::Empty { note } => ToolOutcome::Empty { note: self.text(note) },
            ToolOutcome::Truncated { content, total_bytes } => {
                ToolOutcome::Truncated { content: self.value(content), total_bytes }
            }
            ToolOutcome::Partial { content, why } => {
                ToolOutcome::Partial { content: self.value(content), why: self.text(why) }
            }
            ToolOutcome::Failed { failure } => {
                ToolOutcome::Failed { failure: ToolFailure { detail: self.text(failure.detail), ..failure } }
            }
        }
    }
}

/// A text that was cut within the secret, without the part that is left.
fn without_beginning(mut text: String, secret: &str) -> String {
    let kept = text.trim_end_matches(['…', '"']).len();
    let whole = text.get(..kept).unwrap_or_default();
    let left = (SECRET_MIN..secret.len())
        .rev()
        .find(|length| secret.get(..*length).is_some_and(|beginning| whole.ends_with(beginning)));
    if let Some(length) = left {
        text.truncate(kept - length);
        text.push_str(MASK);
    }
    text
}

/// A tool of a server.
#[derive(Debug)]
pub(super) struct ServedTool {
    pub(super) tool: Arc<dyn ToolBackend>,
    pub(super) meter: Option<RateMeter>,
    pub(super) mask: SecretMask,
}

#[async_trait]
impl ToolBackend for ServedTool {
    fn spec(&self) -> &ToolSpec {
        self.tool.spec()
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        if let Some(Err(wait)) = self.meter.as_ref().map(|meter| meter.count(Instant::now())) {
            return too_often(&call.tool.to_string(), wait);
        }
        self.mask.outcome(self.tool.call(call).await)
    }

    fn withdrawn(&self) -> Option<String> {
        self.tool.withdrawn()
    }

    async fn probe(&self, call: &ToolCall) -> ProbeAnswer {
        match self.tool.probe(call).await {
            ProbeAnswer::Happened { outcome } => ProbeAnswer::Happened { outcome: self.mask.outcome(outcome) },
            ProbeAnswer::CannotTell { detail } => ProbeAnswer::CannotTell { detail: self.mask.text(detail) },
            ProbeAnswer::DidNotHappen => ProbeAnswer::DidNotHappen,
        }
    }
}

fn too_often(tool: &str, wait: Duration) -> ToolOutcome {
    let seconds = wait.as_secs_f64().ceil();
    let detail = format!("`{tool}` was called as often as its `rate` allows; the next call may begin in {seconds} s");
    failed(Happened::No, FailureKind::Transient, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_was_cut_is_masked_too() {
        let mask = SecretMask::new(["hush-hush-key".to_owned().into(), "abc".to_owned().into()]);
        let text = |text: &str| mask.text(text.to_owned());
        assert_eq!(text("key hush-hush-key, abc"), "key [redacted], abc");
        assert_eq!(text("key hush-hu"), "key [redacted]");
        assert_eq!(text("key hush-…"), "key [redacted]");
        assert_eq!(text("key hus"), "key hus");
        assert_eq!(text("ends in é"), "ends in é");
    }
}
