//! What is asked of a language model and what comes back.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{AgentName, AssignmentId, CallId, SessionId};
use crate::length::value_bytes;
use crate::lenient;
use crate::nesting;
use crate::tool::Content;

mod offer;
mod opaque;

pub use offer::{OfferSchema, ToolOffer};
pub use opaque::{ModelOrigin, OPAQUE_MAX, OpaqueItem, OpaquePlace, OpaqueState};

/// Most characters of free text kept of one reply; more is cut (a model's whole useful answer fits well within).
pub const REPLY_TEXT_MAX: usize = 32 * 1024;
/// Most bytes of one call's arguments; more is refused as too large before anything reads them.
pub const ARGUMENTS_MAX: usize = 64 * 1024;
/// Most characters kept of arguments that could not be read: enough to see what was wrong.
const BROKEN_MAX: usize = 200;
/// Most characters kept of a word by which a server names its model or says why a reply ended.
const SERVER_WORD_MAX: usize = 200;
/// Most calls taken of one reply; the rest is dropped and counted in [`ModelReply::dropped_calls`].
pub const CALLS_MAX: usize = 32;

/// One question to a model. Built purely from the session, so a recorded session can be asked again bit for bit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelRequest {
    /// The session that asks.
    pub session: SessionId,
    /// The agent that asks.
    pub agent: AgentName,
    /// The assignment it works on.
    pub assignment: AssignmentId,
    /// The round within the turn, from 1.
    pub round: u32,
    /// The configured model's name (a key of `models` in the configuration).
    pub model: String,
    /// The system prompt.
    pub system: Arc<str>,
    /// The exchange so far; always valid: every call has its result.
    pub messages: Vec<Message>,
    /// The tools on offer, with injected arguments already stripped.
    pub tools: Arc<[ToolOffer]>,
    /// The typed case behind the briefing: `{session: {id, handle, fields}, reports: {agent: …}}`. For providers that
    /// read data instead of prose (the scripted one); `null` for all others.
    pub case: Arc<Value>,
}

/// One message of the exchange.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Message {
    /// From the runtime: the briefing, a repair request, an operator's words.
    User {
        /// What the model reads as the user's message.
        text: Arc<str>,
    },
    /// From the model.
    Assistant {
        /// Free text, possibly empty.
        text: Arc<str>,
        /// The calls it proposed, with the ids the runtime gave them.
        calls: Vec<AssistantCall>,
        /// What only its server can read of the reply, to be sent back there; nothing where there was none, or where another
        /// server or model is asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opaque: Option<OpaqueState>,
    },
    /// The result of one call; follows its assistant message, in call order.
    Tool {
        /// The call it answers.
        call: CallId,
        /// The tool's wire name.
        tool: String,
        /// `{"status":…, "evidence":…, "content":…}`, untrusted data for the model.
        result: Arc<Value>,
    },
}

/// A call inside an assistant message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssistantCall {
    /// The runtime's id.
    pub id: CallId,
    /// The name as the model wrote it.
    pub tool: String,
    /// The arguments as the model wrote them.
    pub args: Arc<Arguments>,
}

/// A call's arguments as they came from the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arguments {
    /// They parsed.
    Json(Value),
    /// They did not; the text's beginning is kept.
    Broken(String),
}

impl Arguments {
    /// Parses text from a provider, as far as it has one reading; what is too large, nested too deeply or no JSON object
    /// becomes [`Arguments::Broken`].
    pub fn parse(text: &str) -> Self {
        if text.len() > ARGUMENTS_MAX {
            return Self::Broken(format!("{} bytes, over the limit of {ARGUMENTS_MAX}", text.len()));
        }
        match lenient::object(text).map(Value::Object) {
            Some(value) => match nesting::check(&value) {
                Ok(()) => Self::Json(value),
                Err(error) => Self::Broken(error.to_string()),
            },
            None => Self::Broken(text.chars().take(BROKEN_MAX).collect()),
        }
    }

    /// What is kept instead of arguments that are too large, nested too deeply or no JSON object.
    fn over_bounds(&self) -> Option<String> {
        match self {
            Self::Json(value @ Value::Object(_)) => {
                if let Err(error) = nesting::check(value) {
                    return Some(error.to_string());
                }
                let size = value_bytes(value);
                (size > ARGUMENTS_MAX).then(|| format!("{size} bytes, over the limit of {ARGUMENTS_MAX}"))
            }
            Self::Json(value) => Some(value.to_string().chars().take(BROKEN_MAX).collect()),
            Self::Broken(text) if text.chars().nth(BROKEN_MAX).is_none() => None,
            Self::Broken(text) => Some(text.chars().take(BROKEN_MAX).collect()),
        }
    }
}

/// A call a model proposes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProposedCall {
    /// The tool's wire name as the model wrote it.
    pub tool: String,
    /// Its arguments.
    pub args: Arc<Arguments>,
}

/// What came back from a model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ModelReply {
    /// Free text, possibly empty.
    pub text: Arc<str>,
    /// The calls it proposes, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<ProposedCall>,
    /// What it used.
    pub usage: Usage,
    /// Calls beyond [`CALLS_MAX`] that were not taken.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped_calls: usize,
    /// The model that answered, as the server names it, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Why the reply ended, in the server's word, if it gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish: Option<String>,
    /// What only the server can read, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opaque: Vec<OpaqueItem>,
    /// Opaque items beyond [`OPAQUE_MAX`], or of dropped calls, that were not taken.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped_opaque: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl ModelReply {
    /// A reply cut down to the limits of this module. Every provider's reply passes here before anything else sees it.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        if self.text.len() > REPLY_TEXT_MAX {
            self.text = self.text.get(..self.text.floor_char_boundary(REPLY_TEXT_MAX)).unwrap_or_default().into();
        }
        self.dropped_calls += self.calls.len().saturating_sub(CALLS_MAX);
        self.calls.truncate(CALLS_MAX);
        let (opaque, dropped) = opaque::bounded(std::mem::take(&mut self.opaque), self.calls.len());
        self.opaque = opaque;
        self.dropped_opaque += dropped;
        for word in [&mut self.model, &mut self.finish].into_iter().flatten() {
            *word = word.chars().take(SERVER_WORD_MAX).collect();
        }
        for call in &mut self.calls {
            call.tool = call.tool.chars().take(200).collect();
            if let Some(broken) = call.args.over_bounds() {
                call.args = Arc::new(Arguments::Broken(broken));
            }
        }
        self
    }

    /// The reply as its event records it: long opaque items are split off, to be stored by their hash.
    pub fn split(mut self) -> (Self, Vec<Content>) {
        let contents = opaque::split(&mut self.opaque);
        (self, contents)
    }
}

/// Tokens and cost of one or more model calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Input tokens that were not served from a cache.
    pub input: u64,
    /// Input tokens served from a cache.
    #[serde(default)]
    pub cached: u64,
    /// Output tokens.
    pub output: u64,
    /// Cost in millionths of a US dollar; `None` when the price is unknown (never 0 for unknown).
    #[serde(default)]
    pub cost_micro_usd: Option<u64>,
    /// Whether tokens are estimated here, at least in part, because a server counted none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
}

/// Bytes of text in one token, roughly.
const TOKEN_BYTES: usize = 4;

impl Usage {
    /// What a question and its answer of so many bytes used, where the server does not say.
    pub fn estimate(asked: usize, answered: usize) -> Self {
        let tokens = |bytes: usize| u64::try_from(bytes.div_ceil(TOKEN_BYTES)).unwrap_or(u64::MAX);
        Self { input: tokens(asked), cached: 0, output: tokens(answered), cost_micro_usd: None, estimated: true }
    }

    /// The sum of all kinds of tokens.
    pub fn tokens(self) -> u64 {
        self.input.saturating_add(self.cached).saturating_add(self.output)
    }

    /// The sum; an unknown cost makes the sum's unknown, except against nothing spent at all.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        if self == Self::default() {
            return other;
        }
        Self {
            input: self.input.saturating_add(other.input),
            cached: self.cached.saturating_add(other.cached),
            output: self.output.saturating_add(other.output),
            cost_micro_usd: self.cost_micro_usd.zip(other.cost_micro_usd).map(|(a, b)| a.saturating_add(b)),
            estimated: self.estimated || other.estimated,
        }
    }
}

#[cfg(test)]
mod tests;
