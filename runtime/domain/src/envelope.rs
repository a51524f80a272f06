//! The envelope every turn ends in, and the sources it is read from.

mod dash;
mod form;
mod label;
mod lines;
mod markdown;
mod number;
mod object;
mod signal;
mod tagged;

use serde_json::{Map, Value, json};

use crate::confidence::Confidence;
use crate::lenient::{self, NonFinite};
use crate::model::Arguments;
use crate::nesting;
use crate::reply::{looks_like_a_call, resolve, without_thinking, written_calls};
pub use form::{Envelope, EnvelopeProblem, EnvelopeSource};
use object::EnvelopeParts;

/// The tool that ends a turn.
pub const FINISH_TOOL: &str = "finish_turn";
/// Most bytes kept of an envelope's content: a long report; evidence stands in the log, not here.
const CONTENT_MAX: usize = 16 * 1024;
/// Most bytes kept of its rationale: a few paragraphs.
const RATIONALE_MAX: usize = 4 * 1024;
/// Tags that some models put around their whole answer.
const ANSWERS: [&str; 4] = ["answer", "final_answer", "final", "output"];

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

/// From `finish_turn`'s arguments, or any JSON object of that form. `routes` are the signals that lead somewhere; without any,
/// every word may be one.
pub fn from_args(args: &Value, routes: &[&str]) -> Result<Envelope, EnvelopeProblem> {
    match args {
        Value::Object(object) => from_object(object, routes),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(EnvelopeProblem::BadForm { detail: "it is not a JSON object".to_owned() })
        }
    }
}

fn from_object(object: &Map<String, Value>, routes: &[&str]) -> Result<Envelope, EnvelopeProblem> {
    let deep = || EnvelopeProblem::BadForm { detail: nesting::TooDeep.to_string() };
    if !object.values().all(|value| nesting::fits(value, nesting::LEVELS_MAX - 1)) {
        return Err(deep());
    }
    let EnvelopeParts { content, confidence, rationale, signal, report } = object::read(object)?;
    // A report that was a text may be deeper than the text.
    if report.as_deref().is_some_and(|report| !nesting::fits(report, nesting::LEVELS_MAX - 1)) {
        return Err(deep());
    }
    bounded(Envelope { content, confidence, rationale, signal, unmatched: None, report }, routes)
}

/// From a terminal tool's own arguments, where they state a confidence.
pub fn from_terminal(args: &Value) -> Option<Envelope> {
    let text = |key: &str| args.get(key).and_then(Value::as_str).map(str::to_owned);
    let confidence = Confidence::new(args.get("confidence")?.as_f64()?).ok()?;
    let rationale = text("rationale").unwrap_or_default();
    let content = text("summary").or_else(|| text("reason")).unwrap_or_else(|| rationale.clone());
    Some(cut(Envelope { content, confidence, rationale, signal: None, unmatched: None, report: None }))
}

/// From a reply's text: a call of `finish_turn` written as text, JSON, or the Markdown contract; alone, in one block of code,
/// or among other words, where only one can be meant. `routes` as in [`from_args`].
pub fn parse(text: &str, routes: &[&str]) -> Result<(Envelope, EnvelopeSource), EnvelopeProblem> {
    let said = without_thinking(text);
    let bare = answer(lenient::without_tokens(said.trim()));
    if let Some(args) = finish_call(bare) {
        return from_object(&args, routes).map(|envelope| (envelope, EnvelopeSource::Json));
    }
    let inner = lenient::unfenced(bare);
    if let Some(Value::Object(object)) = lenient::json(inner, NonFinite::Refused) {
        return from_object(&object, routes).map(|envelope| (envelope, EnvelopeSource::Json));
    }
    match markdown::read(bare) {
        Err(EnvelopeProblem::NoEnvelope) => inside(bare, routes),
        read => contract(read?, routes),
    }
}

fn contract(sections: markdown::Sections, routes: &[&str]) -> Result<(Envelope, EnvelopeSource), EnvelopeProblem> {
    let markdown::Sections { content, confidence, rationale, signal } = sections;
    let envelope = Envelope { content, confidence, rationale, signal, unmatched: None, report: None };
    bounded(envelope, routes).map(|envelope| (envelope, EnvelopeSource::Markdown))
}

/// The one envelope among other words: a JSON object, or the contract in a block of code.
fn inside(text: &str, routes: &[&str]) -> Result<(Envelope, EnvelopeSource), EnvelopeProblem> {
    let mut objects: Vec<Map<String, Value>> =
        lenient::objects(text).into_iter().map(|(_, _, object)| object).filter(object::is_envelope).collect();
    objects.dedup();
    match objects.as_slice() {
        [object] => return from_object(object, routes).map(|envelope| (envelope, EnvelopeSource::Json)),
        [] => {}
        [_, ..] => {
            return Err(EnvelopeProblem::BadForm { detail: "it holds several; give one".to_owned() });
        }
    }
    let blocks = text.split(lenient::FENCE).skip(1).step_by(2);
    if let Some(sections) = tagged::read(text) {
        return contract(sections?, routes);
    }
    let mut read = blocks.filter_map(|block| markdown::read(block.split_once('\n')?.1).ok());
    match (read.next(), read.next()) {
        (Some(sections), None) => contract(sections, routes),
        (Some(_), Some(_)) => Err(EnvelopeProblem::BadForm { detail: "it holds several; give one".to_owned() }),
        (None, _) if looks_like_a_call(text) => Err(EnvelopeProblem::WrittenCall),
        (None, _) => Err(EnvelopeProblem::NoEnvelope),
    }
}

/// The arguments of the one call of `finish_turn` that a text is.
fn finish_call(text: &str) -> Option<Map<String, Value>> {
    let (calls, _) = written_calls(text, &[FINISH_TOOL])?;
    let mut finishing = calls.iter().filter(|call| resolve(&call.tool, &[FINISH_TOOL]).is_some());
    match (finishing.next().map(|call| &*call.args), finishing.next()) {
        (Some(Arguments::Json(Value::Object(args))), None) => Some(args.clone()),
        (_, _) => None,
    }
}

/// The inside of a text that stands in a tag for answers as a whole.
fn answer(text: &str) -> &str {
    let within = |tag: &str| {
        let inner = text.strip_prefix('<')?.strip_prefix(tag)?.strip_prefix('>')?;
        inner.strip_suffix('>')?.strip_suffix(tag)?.strip_suffix("</").map(str::trim)
    };
    ANSWERS.iter().find_map(|tag| within(tag)).unwrap_or(text)
}

/// The signal read as one of the routes, the texts cut. An answer must say something.
fn bounded(mut envelope: Envelope, routes: &[&str]) -> Result<Envelope, EnvelopeProblem> {
    let said = envelope.content.trim();
    if said.is_empty() {
        return Err(EnvelopeProblem::Empty);
    }
    let read = envelope.signal.take().map(|signal| signal::read(&signal, routes)).unwrap_or_default();
    (envelope.signal, envelope.unmatched) = (read.word, read.unmatched);
    Ok(cut(envelope))
}

fn cut(mut envelope: Envelope) -> Envelope {
    envelope.content.truncate(envelope.content.floor_char_boundary(CONTENT_MAX));
    envelope.rationale.truncate(envelope.rationale.floor_char_boundary(RATIONALE_MAX));
    envelope.report = envelope.report.filter(|report| !report.is_null());
    envelope
}

/// What stands as a signal and names no route, as a word for the record.
pub fn signal_word(text: &str) -> Option<String> {
    Some(signal::word(text)).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests;
