//! The envelope every turn ends in, and the sources it is read from.

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
/// Most characters kept of an envelope's content.
const CONTENT_MAX: usize = 16 * 1024;
/// Most characters kept of its rationale.
const RATIONALE_MAX: usize = 4 * 1024;
/// Most characters of a signal.
const SIGNAL_MAX: usize = 64;

/// Why a reply is no envelope; the text tells the model how to mend it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EnvelopeProblem {
    /// Neither JSON nor the Markdown contract.
    #[error(
        "it is neither a JSON object {{content, confidence, rationale, signal}} nor has the headings Response and Confidence"
    )]
    NoEnvelope,
    /// JSON of another form.
    #[error("the JSON does not fit: {detail}")]
    BadForm {
        /// What is wrong.
        detail: String,
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
    let envelope: Envelope = Envelope::deserialize(args)
        .map_err(|error| EnvelopeProblem::BadForm { detail: error.to_string().chars().take(200).collect() })?;
    bounded(envelope)
}

/// From a terminal tool's own arguments, where they state a confidence.
pub fn from_terminal(args: &Value) -> Option<Envelope> {
    let text = |key: &str| args.get(key).and_then(Value::as_str).map(str::to_owned);
    let confidence = args.get("confidence")?.as_f64()?;
    let rationale = text("rationale").unwrap_or_default();
    let content = text("summary").or_else(|| text("reason")).unwrap_or_else(|| rationale.clone());
    bounded(Envelope { content, confidence, rationale, signal: None }).ok()
}

/// From a reply's text: strict JSON (bare or in one fence), then the Markdown contract.
pub fn parse(text: &str) -> Result<(Envelope, EnvelopeSource), EnvelopeProblem> {
    let bare = text.trim();
    let fenced = bare.strip_prefix("```json").or_else(|| bare.strip_prefix("```")).and_then(|b| b.strip_suffix("```"));
    match serde_json::from_str::<Value>(fenced.unwrap_or(bare)) {
        Ok(value @ Value::Object(_)) => from_args(&value).map(|envelope| (envelope, EnvelopeSource::Json)),
        Ok(_) | Err(_) => markdown(bare).map(|envelope| (envelope, EnvelopeSource::Markdown)),
    }
}

fn bounded(mut envelope: Envelope) -> Result<Envelope, EnvelopeProblem> {
    if !(0.0..=1.0).contains(&envelope.confidence) {
        return Err(EnvelopeProblem::BadConfidence { text: envelope.confidence.to_string() });
    }
    envelope.content = envelope.content.chars().take(CONTENT_MAX).collect();
    envelope.rationale = envelope.rationale.chars().take(RATIONALE_MAX).collect();
    envelope.signal = envelope.signal.as_deref().and_then(signal_word);
    Ok(envelope)
}

/// A signal as `[a-z0-9_]`; nothing usable is no signal.
fn signal_word(text: &str) -> Option<String> {
    let word: String = text
        .trim_matches(|c: char| !c.is_alphanumeric())
        .chars()
        .take(SIGNAL_MAX)
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    (!word.is_empty()).then_some(word)
}

/// The Markdown contract's headings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heading {
    Response,
    Confidence,
    Rationale,
    Signal,
}

fn markdown(text: &str) -> Result<Envelope, EnvelopeProblem> {
    let mut sections: Vec<(Heading, String)> = Vec::new();
    for line in text.lines() {
        if let Some((heading, rest)) = heading(line) {
            sections.push((heading, rest.to_owned()));
        } else if let Some((_, body)) = sections.last_mut() {
            body.push('\n');
            body.push_str(line);
        }
    }
    let find = |wanted| sections.iter().find(|(h, _)| *h == wanted).map(|(_, body)| body.trim().to_owned());
    let content = find(Heading::Response).ok_or(EnvelopeProblem::NoEnvelope)?;
    let confidence = number(&find(Heading::Confidence).ok_or(EnvelopeProblem::MissingConfidence)?)?;
    bounded(Envelope {
        content,
        confidence,
        rationale: find(Heading::Rationale).unwrap_or_default(),
        signal: find(Heading::Signal),
    })
}

/// A heading line: `## Response`, `**Confidence** — 0.8`, `Signal: done`; the rest of the line is its first text.
fn heading(line: &str) -> Option<(Heading, &str)> {
    let trimmed = line.trim_start();
    let bare = trimmed.trim_start_matches(['#', '*', ' ']);
    let end = bare.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(bare.len());
    let (word, rest) = bare.split_at_checked(end)?;
    let heading = match word.to_ascii_lowercase().as_str() {
        "response" => Heading::Response,
        "confidence" => Heading::Confidence,
        "rationale" => Heading::Rationale,
        "signal" => Heading::Signal,
        _ => return None,
    };
    let after = rest.trim_start_matches(['*', ' ']);
    let separated = after.trim_start_matches(|c: char| c == ':' || is_dash(c)).trim_start_matches(['*', ' ']);
    let marked = trimmed.starts_with(['#', '*']) || separated.len() != after.len();
    marked.then_some((heading, separated))
}

/// Any Unicode dash.
fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}')
}

/// `0.85`, `85 %` or `85%`.
fn number(text: &str) -> Result<f64, EnvelopeProblem> {
    let bad = || EnvelopeProblem::BadConfidence { text: text.chars().take(40).collect() };
    let (digits, scale) = match text.strip_suffix('%') {
        Some(percent) => (percent, 100.0),
        None => (text, 1.0),
    };
    let value: f64 = digits.trim().parse().ok().ok_or_else(bad)?;
    let value = value / scale;
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err(bad()) }
}

#[cfg(test)]
mod tests;
