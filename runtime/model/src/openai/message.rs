//! What a choice of an answer says, in whichever form its server gives it.

use std::sync::Arc;

use provost_domain::model::{Arguments, OpaqueItem, ProposedCall};
use provost_domain::reply::without_thinking;
use serde_json::{Map, Value};

use super::opaque;

/// What one choice of an answer says, whichever form it has.
#[derive(Debug, Default)]
pub(super) struct ReadChoice {
    pub(super) text: String,
    pub(super) calls: Vec<ProposedCall>,
    pub(super) refusal: Option<String>,
    pub(super) finish: String,
    /// An error inside the choice.
    pub(super) error: Option<Value>,
    /// What only the server can read.
    pub(super) opaque: Vec<OpaqueItem>,
    /// Where it stands in the answer's list.
    pub(super) at: Option<usize>,
}

impl ReadChoice {
    /// Reads a choice: its message, or the choice itself where it has none.
    pub(super) fn of(choice: &Value) -> Option<Self> {
        let choice = choice.as_object()?;
        let inner = ["message", "delta"].iter().find_map(|key| choice.get(*key)?.as_object());
        let message = inner.unwrap_or(choice);
        let word = |key: &str| choice.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            text: content(message),
            calls: calls(message),
            refusal: message
                .get("refusal")
                .and_then(Value::as_str)
                .map(str::to_owned)
                .filter(|text| !text.trim().is_empty()),
            finish: word("finish_reason")
                .or_else(|| word("done_reason"))
                .or_else(|| word("stop_reason"))
                .unwrap_or_default(),
            error: choice.get("error").filter(|error| !error.is_null()).cloned(),
            opaque: opaque::read(message),
            at: None,
        })
    }

    /// Whether it says anything besides thinking.
    pub(super) fn says_something(&self) -> bool {
        !self.calls.is_empty() || self.refusal.is_some() || !without_thinking(&self.text).trim().is_empty()
    }
}

/// The text: one, or the joined text parts of a list. Thinking and foreign parts are left out.
fn content(message: &Map<String, Value>) -> String {
    let content = ["content", "text"].iter().find_map(|key| message.get(*key).filter(|content| !content.is_null()));
    content.map(text_of).unwrap_or_default()
}

fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(part).collect(),
        Value::Object(_) => part(content).unwrap_or_else(|| content.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}

/// The text of a part; nothing for a part of another kind.
fn part(part: &Value) -> Option<String> {
    match part {
        Value::String(text) => Some(text.clone()),
        Value::Object(part) => {
            let kind = part.get("type").and_then(Value::as_str).unwrap_or("text");
            if !matches!(kind, "text" | "output_text") {
                return None;
            }
            let text = part.get("text").or_else(|| part.get("content"))?;
            text.as_str().or_else(|| text.get("value")?.as_str()).map(str::to_owned)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

/// The calls, in order. Null entries and calls of a foreign kind are left out.
fn calls(message: &Map<String, Value>) -> Vec<ProposedCall> {
    let many = match message.get("tool_calls") {
        Some(Value::Array(calls)) => calls.iter().filter_map(call).collect(),
        Some(one @ Value::Object(_)) => call(one).into_iter().collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => Vec::new(),
    };
    if many.is_empty() { message.get("function_call").and_then(call).into_iter().collect() } else { many }
}

/// A call, unless it is of a foreign kind.
pub(super) fn call(call: &Value) -> Option<ProposedCall> {
    let call = call.as_object()?;
    let function = match call.get("function") {
        Some(Value::Object(function)) => function,
        Some(Value::Null) | None if call.contains_key("name") => call,
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) | None => {
            return None;
        }
    };
    let name = function.get("name").and_then(Value::as_str).unwrap_or_default();
    let args = ["arguments", "parameters", "input"].iter().find_map(|key| function.get(*key));
    let args = match args {
        None | Some(Value::Null) => Arguments::parse(""),
        Some(Value::String(text)) => Arguments::parse(text),
        Some(json @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
            Arguments::parse(&json.to_string())
        }
    };
    Some(ProposedCall { tool: name.to_owned(), args: Arc::new(args) })
}
