//! The envelope every turn ends in, and the sources it is read from.

mod markdown;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a turn ends in. The confidence is always the model's own; none is ever made up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The answer.
    pub content: String,
    /// 0 to 1.
    pub confidence: f64,
    /// Why.
    pub rationale: String,
    /// Where to go next; no signal takes the default route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
}

/// Where an envelope was read from, in the order they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvelopeSource {
    /// The `finish_turn` tool.
    FinishTool,
    /// The reply is one JSON object.
    Json,
    /// The Markdown contract: headings Response, Confidence, Rationale, Signal.
    Markdown,
    /// A terminal tool's own arguments.
    TerminalArguments,
    /// Measured by a watcher.
    Measured,
}

/// The tool that ends a turn.
pub const FINISH_TOOL: &str = "finish_turn";
/// Most bytes kept of an envelope's content: a long report; evidence stands in the log, not here.
const CONTENT_MAX: usize = 16 * 1024;
/// Most bytes kept of its rationale: a few paragraphs.
const RATIONALE_MAX: usize = 4 * 1024;
/// Most bytes of a signal: one word of a route.
const SIGNAL_MAX: usize = 64;
/// Most characters of the model's own text that a problem shows back to it.
const SHOWN_MAX: usize = 40;
/// An envelope's keys.
const KEYS: [&str; 4] = ["content", "confidence", "rationale", "signal"];

/// Why a reply is no envelope; the text tells the model how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeProblem {
    /// Neither JSON nor the Markdown contract.
    #[error(
        "it is neither a JSON object {{content, confidence, rationale, signal}} nor has the headings `## Response` and `## Confidence`"
    )]
    NoEnvelope,
    /// JSON of another form.
    #[error("the JSON does not fit: {detail}")]
    BadForm {
        /// What is wrong.
        detail: String,
    },
    /// JSON with a key that an envelope does not have.
    #[error("the key `{key}` is not known; give only content, confidence, rationale and signal")]
    UnknownKey {
        /// The first such key.
        key: String,
    },
    /// The confidence is missing.
    #[error("the confidence is missing; give a number from 0 to 1")]
    MissingConfidence,
    /// The confidence is no number from 0 to 1.
    #[error("the confidence `{text}` is no number from 0 to 1")]
    BadConfidence {
        /// As written.
        text: String,
    },
    /// A heading stands more than once, so that nobody can tell which one counts.
    #[error(
        "the heading `{heading}` stands more than once; give it once, and quote text that looks like it in a code block"
    )]
    Repeated {
        /// The heading.
        heading: &'static str,
    },
}

/// JSON Schema of `finish_turn`'s arguments.
pub fn finish_schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["content", "confidence", "rationale"],
        "properties": {
            "content": {"type": "string", "description": "Your report."},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
            "rationale": {"type": "string", "description": "Why you are that sure."},
            "signal": {"type": "string", "description": "Where to go next, as your instructions name it."}
        }
    })
}

/// From `finish_turn`'s arguments, or any JSON object of that form.
pub fn from_args(args: &Value) -> Result<Envelope, EnvelopeProblem> {
    let bad_form = |detail: String| EnvelopeProblem::BadForm { detail: detail.chars().take(200).collect() };
    let object = args.as_object().ok_or_else(|| bad_form("it is no object".to_owned()))?;
    if let Some(key) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(EnvelopeProblem::UnknownKey { key: key.chars().take(SHOWN_MAX).collect() });
    }
    match object.get("confidence") {
        None | Some(Value::Null) => return Err(EnvelopeProblem::MissingConfidence),
        Some(Value::Number(_)) => {}
        Some(other) => return Err(bad_confidence(&other.to_string())),
    }
    bounded(Envelope::deserialize(args).map_err(|error| bad_form(error.to_string()))?)
}

/// From a terminal tool's own arguments, where they state a confidence.
pub fn from_terminal(args: &Value) -> Option<Envelope> {
    let text = |key: &str| args.get(key).and_then(Value::as_str).map(str::to_owned);
    let confidence = args.get("confidence")?.as_f64()?;
    let rationale = text("rationale").unwrap_or_default();
    let content = text("summary").or_else(|| text("reason")).unwrap_or_else(|| rationale.clone());
    bounded(Envelope { content, confidence, rationale, signal: None }).ok()
}

/// From a reply's text: strict JSON, then the Markdown contract; either bare or in one fence.
pub fn parse(text: &str) -> Result<(Envelope, EnvelopeSource), EnvelopeProblem> {
    let bare = text.trim();
    let fenced = fenced(bare);
    if let Ok(value @ Value::Object(_)) = serde_json::from_str(fenced.unwrap_or(bare)) {
        return from_args(&value).map(|envelope| (envelope, EnvelopeSource::Json));
    }
    let whole = fenced.filter(|inner| !inner.contains(FENCE)).unwrap_or(bare);
    bounded(markdown::read(whole)?).map(|envelope| (envelope, EnvelopeSource::Markdown))
}

/// What opens and closes a block of code.
const FENCE: &str = "```";

/// The inside of a text that is one block of code.
fn fenced(text: &str) -> Option<&str> {
    let inner = text.strip_prefix(FENCE)?.strip_suffix(FENCE)?;
    Some(inner.trim_start_matches(|c: char| c.is_ascii_alphanumeric()))
}

/// The confidence checked, the texts cut, the signal made a word.
fn bounded(mut envelope: Envelope) -> Result<Envelope, EnvelopeProblem> {
    if !(0.0..=1.0).contains(&envelope.confidence) {
        return Err(bad_confidence(&envelope.confidence.to_string()));
    }
    envelope.content.truncate(envelope.content.floor_char_boundary(CONTENT_MAX));
    envelope.rationale.truncate(envelope.rationale.floor_char_boundary(RATIONALE_MAX));
    envelope.signal = envelope.signal.as_deref().and_then(signal_word);
    Ok(envelope)
}

fn bad_confidence(text: &str) -> EnvelopeProblem {
    EnvelopeProblem::BadConfidence { text: text.chars().take(SHOWN_MAX).collect() }
}

/// A signal as a word of `[a-z0-9_]`; nothing usable is no signal. A word stays as it is.
fn signal_word(text: &str) -> Option<String> {
    let mut word = String::new();
    for c in text.trim_matches(|c: char| !c.is_ascii_alphanumeric()).chars() {
        if word.len() == SIGNAL_MAX {
            break;
        }
        if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c.to_ascii_lowercase());
        } else if !word.ends_with('_') {
            word.push('_');
        }
    }
    let word = word.trim_end_matches('_');
    (!word.is_empty()).then(|| word.to_owned())
}

#[cfg(test)]
mod tests;
