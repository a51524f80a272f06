//! A model on a server that speaks the protocol.

use serde_json::{Map, Value};

use crate::server::ModelServer;

/// A model on a server that speaks the protocol.
#[derive(Debug, Clone)]
pub struct OpenAiSettings {
    /// How the server is reached.
    pub server: ModelServer,
    /// What is sent besides the exchange itself.
    pub options: ChatOptions,
}

/// What is sent besides the exchange itself. Nothing that is not written.
#[derive(Debug, Clone, Default)]
pub struct ChatOptions {
    /// How freely the model chooses, from 0.
    pub temperature: Option<f64>,
    /// How much the model thinks, in the server's words.
    pub effort: Option<String>,
    /// Whether it must call a tool, in the server's words.
    pub tool_choice: Option<Value>,
    /// Whether it may make several calls at once.
    pub parallel_tools: Option<bool>,
    /// Most tokens of one answer, and the key the server reads that under.
    pub output: Option<(u32, String)>,
    /// Where the prompt stands.
    pub system: SystemRole,
    /// Whether a server holds the model to the tools' schemas, as a grammar: all is required, and null where it may be absent.
    pub strict: bool,
    /// More keys of the body.
    pub request: Map<String, Value>,
}

impl ChatOptions {
    /// The keys of the body that are written, in the protocol's words.
    pub(super) fn written(&self) -> impl Iterator<Item = (&str, Value)> {
        [
            self.temperature.map(|value| ("temperature", value.into())),
            self.effort.as_ref().map(|value| ("reasoning_effort", value.as_str().into())),
            self.tool_choice.as_ref().map(|value| ("tool_choice", value.clone())),
            self.parallel_tools.map(|value| ("parallel_tool_calls", value.into())),
            self.output.as_ref().map(|(value, key)| (key.as_str(), (*value).into())),
        ]
        .into_iter()
        .flatten()
    }
}

/// Where the prompt stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemRole {
    /// In a message of its own, of the role `system`.
    #[default]
    System,
    /// At the beginning of the first message of the user's, for templates that know no other role.
    FirstUser,
}
