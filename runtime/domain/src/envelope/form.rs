//! What an envelope is, and why a reply may not be one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::confidence::Confidence;

/// Most characters of the model's own text that a problem shows back to it.
pub(super) const SHOWN_MAX: usize = 40;

/// What a turn ends in. The confidence is always the model's own; none is ever made up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The answer.
    pub content: String,
    /// How sure the agent is.
    pub confidence: Confidence,
    /// Why.
    pub rationale: String,
    /// Where to go next; no signal takes the default route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// What stood where the signal belongs and names no route, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmatched: Option<String>,
    /// The typed report of the agent's role, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Arc<Value>>,
}

/// Where an envelope was read from, in the order they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvelopeSource {
    /// The `finish_turn` tool.
    FinishTool,
    /// One JSON object in the reply.
    Json,
    /// The Markdown contract: headings Response, Confidence, Rationale, Signal.
    Markdown,
    /// A terminal tool's own arguments.
    TerminalArguments,
    /// A findings tool's own arguments.
    FindingArguments,
    /// Measured by the runtime.
    Measured,
}

/// Why a reply is not an envelope; the text tells the model how to correct it.
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
    /// The answer itself is empty.
    #[error("it says nothing; give your answer as `content`")]
    Empty,
    /// A call of a tool that stands in the text and cannot be read.
    #[error(
        "it holds a tool call written as text that cannot be read; call tools by their names on offer, with one JSON object of arguments"
    )]
    WrittenCall,
    /// No value for `confidence` was found.
    #[error("the confidence is missing; give a number from 0 to 1")]
    MissingConfidence,
    /// The confidence is not a number from 0 to 1.
    #[error("the confidence `{text}` is not a number from 0 to 1")]
    BadConfidence {
        /// As written.
        text: String,
    },
    /// A heading stands more than once, so that nobody can tell which one counts.
    #[error(
        "the heading `{heading}` stands more than once; give it once, and quote text that looks like it in a code block"
    )]
    Repeated {
        /// The heading that stands there more than once.
        heading: &'static str,
    },
}

pub(super) fn bad_confidence(text: &str) -> EnvelopeProblem {
    EnvelopeProblem::BadConfidence { text: text.chars().take(SHOWN_MAX).collect() }
}
