//! The envelope as a JSON object, with the keys that models and prompts use for its parts.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::form::{EnvelopeProblem, bad_confidence};
use super::number;
use crate::confidence::Confidence;
use crate::lenient::{self, NonFinite};

const CONTENT: [&str; 5] = ["content", "response", "answer", "final_answer", "summary"];
const CONFIDENCE: [&str; 3] = ["confidence", "confidence_score", "confidence_level"];
const RATIONALE: [&str; 6] =
    ["rationale", "confidence_rationale", "confidence_reason", "reasoning", "reason", "justification"];
/// Inside a confidence that is an object itself.
const VALUE: [&str; 5] = ["value", "score", "confidence", "level", "number"];
/// How deep an envelope may stand inside objects of one key.
const WRAPPED_MAX: usize = 3;

/// The parts of an envelope. Its texts are not bounded yet.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EnvelopeParts {
    pub(super) content: String,
    pub(super) confidence: Confidence,
    pub(super) rationale: String,
    pub(super) signal: Option<String>,
    pub(super) report: Option<Arc<Value>>,
}

/// Whether an object holds an envelope, and not some other JSON: it states a confidence and says something.
pub(super) fn is_envelope(object: &Map<String, Value>) -> bool {
    let object = inner(object);
    part(object, &CONFIDENCE).is_some() && part(object, &CONTENT).is_some()
}

/// Reads an object. Keys that an envelope does not have are left out.
pub(super) fn read(object: &Map<String, Value>) -> Result<EnvelopeParts, EnvelopeProblem> {
    let object = inner(object);
    let (confidence, reason) = confidence(part(object, &CONFIDENCE))?;
    let content = part(object, &CONTENT)
        .map(text)
        .ok_or_else(|| EnvelopeProblem::BadForm { detail: "it has no `content`".to_owned() })?;
    Ok(EnvelopeParts {
        content,
        confidence,
        rationale: part(object, &RATIONALE).map_or(reason, text),
        signal: part(object, &["signal"]).map(text),
        report: part(object, &["report"]).map(|report| Arc::new(structure(report))),
    })
}

/// The object inside objects of one key, as `{"finish_turn": {…}}`.
fn inner(mut object: &Map<String, Value>) -> &Map<String, Value> {
    for _ in 0..WRAPPED_MAX {
        match object.values().next() {
            Some(Value::Object(inside)) if object.len() == 1 => object = inside,
            Some(_) | None => break,
        }
    }
    object
}

/// The first of these keys that holds something, whatever its letters' size.
fn part<'a>(object: &'a Map<String, Value>, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().find_map(|key| {
        let alike = || {
            object
                .iter()
                .find(|(own, _)| own.replace([' ', '-'], "_").eq_ignore_ascii_case(key))
                .map(|(_, value)| value)
        };
        object.get(*key).or_else(alike).filter(|value| !value.is_null())
    })
}

fn confidence(value: Option<&Value>) -> Result<(Confidence, String), EnvelopeProblem> {
    match value {
        None => Err(EnvelopeProblem::MissingConfidence),
        Some(Value::Number(number)) => {
            let confidence = number.as_f64().and_then(|value| Confidence::new(value).ok());
            confidence.map(|own| (own, String::new())).ok_or_else(|| bad_confidence(&number.to_string()))
        }
        Some(Value::String(text)) => {
            number::read(text).map(|(own, reason)| (own, reason.to_owned())).ok_or_else(|| bad_confidence(text))
        }
        Some(whole @ Value::Object(object)) => {
            let inside = part(object, &VALUE).filter(|inside| !inside.is_object());
            let (own, reason) =
                inside.map_or_else(|| Err(bad_confidence(&whole.to_string())), |inside| confidence(Some(inside)))?;
            Ok((own, part(object, &RATIONALE).map_or(reason, text)))
        }
        Some(other @ (Value::Null | Value::Bool(_) | Value::Array(_))) => Err(bad_confidence(&other.to_string())),
    }
}

/// A text as it is; lines of texts; anything else as JSON.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
        }
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// A report that was written as a text that holds it.
fn structure(report: &Value) -> Value {
    let read = report.as_str().and_then(|text| lenient::json(lenient::unfenced(text.trim()), NonFinite::Refused));
    read.filter(Value::is_object).unwrap_or_else(|| report.clone())
}
