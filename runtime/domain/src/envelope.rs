//! The envelope every turn ends in, and the sources it is read from.

mod form;
mod markdown;

use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::confidence::Confidence;
use crate::nesting;
pub use form::{Envelope, EnvelopeProblem, EnvelopeSource};
use form::{SHOWN_MAX, bad_confidence};

/// The tool that ends a turn.
pub const FINISH_TOOL: &str = "finish_turn";
/// Most bytes kept of an envelope's content: a long report; evidence stands in the log, not here.
const CONTENT_MAX: usize = 16 * 1024;
/// Most bytes kept of its rationale: a few paragraphs.
const RATIONALE_MAX: usize = 4 * 1024;
/// Most bytes of a signal: one word of a route.
const SIGNAL_MAX: usize = 64;
/// An envelope's keys.
const KEYS: [&str; 5] = ["content", "confidence", "rationale", "signal", "report"];

/// JSON Schema of `finish_turn`'s arguments: the envelope, with the signals an agent may give, and the schema of its role's
/// report and whether one is required.
pub fn finish_schema<'a>(signals: impl Iterator<Item = &'a str>, report: Option<(Value, bool)>) -> Value {
    let mut properties = json!({
        "content": {"type": "string", "description": "Your report."},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "rationale": {"type": "string", "description": "Why you are that sure."}
    });
    let mut required = vec!["content", "confidence", "rationale"];
    let signals: Vec<&str> = signals.collect();
    if let Some(properties) = properties.as_object_mut() {
        if !signals.is_empty() {
            let about = "Where to go next, as your instructions name it.";
            let signal = json!({"type": "string", "enum": signals, "description": about});
            properties.insert("signal".to_owned(), signal);
        }
        if let Some((report, is_required)) = report {
            properties.insert("report".to_owned(), report);
            required.extend(is_required.then_some("report"));
        }
    }
    json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties})
}

/// From `finish_turn`'s arguments, or any JSON object of that form.
pub fn from_args(args: &Value) -> Result<Envelope, EnvelopeProblem> {
    let bad_form = |detail: String| EnvelopeProblem::BadForm { detail: detail.chars().take(200).collect() };
    let object = args.as_object().ok_or_else(|| bad_form("it is not a JSON object".to_owned()))?;
    nesting::check(args).map_err(|error| bad_form(error.to_string()))?;
    if let Some(key) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(EnvelopeProblem::UnknownKey { key: key.chars().take(SHOWN_MAX).collect() });
    }
    match object.get("confidence") {
        None | Some(Value::Null) => return Err(EnvelopeProblem::MissingConfidence),
        Some(Value::Number(number)) => {
            number.as_f64().map_or(Err(bad_confidence(&number.to_string())), confidence_of)?;
        }
        Some(other) => return Err(bad_confidence(&other.to_string())),
    }
    Ok(bounded(Envelope::deserialize(args).map_err(|error| bad_form(error.to_string()))?))
}

/// From a terminal tool's own arguments, where they state a confidence.
pub fn from_terminal(args: &Value) -> Option<Envelope> {
    let text = |key: &str| args.get(key).and_then(Value::as_str).map(str::to_owned);
    let confidence = Confidence::new(args.get("confidence")?.as_f64()?).ok()?;
    let rationale = text("rationale").unwrap_or_default();
    let content = text("summary").or_else(|| text("reason")).unwrap_or_else(|| rationale.clone());
    Some(bounded(Envelope { content, confidence, rationale, signal: None, report: None }))
}

/// From a reply's text: strict JSON, then the Markdown contract; either bare or in one fence.
pub fn parse(text: &str) -> Result<(Envelope, EnvelopeSource), EnvelopeProblem> {
    let bare = text.trim();
    let fenced = fenced(bare);
    if let Ok(value @ Value::Object(_)) = serde_json::from_str(fenced.unwrap_or(bare)) {
        return from_args(&value).map(|envelope| (envelope, EnvelopeSource::Json));
    }
    let whole = fenced.filter(|inner| !inner.contains(FENCE)).unwrap_or(bare);
    markdown::read(whole).map(|envelope| (bounded(envelope), EnvelopeSource::Markdown))
}

/// What opens and closes a block of code.
const FENCE: &str = "```";

/// The inside of a text that is one block of code.
fn fenced(text: &str) -> Option<&str> {
    let inner = text.strip_prefix(FENCE)?.strip_suffix(FENCE)?;
    Some(inner.trim_start_matches(|c: char| c.is_ascii_alphanumeric()))
}

/// The texts cut, the signal made a word.
fn bounded(mut envelope: Envelope) -> Envelope {
    envelope.content.truncate(envelope.content.floor_char_boundary(CONTENT_MAX));
    envelope.rationale.truncate(envelope.rationale.floor_char_boundary(RATIONALE_MAX));
    envelope.signal = envelope.signal.as_deref().and_then(signal_word);
    envelope.report = envelope.report.filter(|report| !report.is_null());
    envelope
}

fn confidence_of(value: f64) -> Result<Confidence, EnvelopeProblem> {
    Confidence::new(value).map_err(|_out_of_range| bad_confidence(&value.to_string()))
}

/// A signal as a word of `[a-z0-9_]`; `None` if the text has no usable character.
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
