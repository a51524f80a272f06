//! A model on a server that speaks the protocol.

use serde_json::{Map, Value};

use crate::server::ModelServer;

/// A model on a server that speaks the protocol.
#[derive(Debug, Clone)]
pub struct AnthropicSettings {
    /// How the server is reached.
    pub server: ModelServer,
    /// What is sent besides the exchange itself.
    pub options: MessagesOptions,
}

/// What is sent besides the exchange itself. Nothing that is not written, but for the longest answer, which the protocol
/// demands.
#[derive(Debug, Clone)]
pub struct MessagesOptions {
    /// Most tokens of one answer.
    pub output: u32,
    /// How freely the model chooses, from 0 to 1.
    pub temperature: Option<f64>,
    /// How much the model thinks, in the server's words.
    pub effort: Option<String>,
    /// Whether it must call a tool, in the server's words.
    pub tool_choice: Option<Value>,
    /// Whether it may make several calls at once.
    pub parallel_tools: Option<bool>,
    /// More keys of the body.
    pub request: Map<String, Value>,
}

impl MessagesOptions {
    /// Only the longest answer, in tokens.
    pub fn within(output: u32) -> Self {
        Self { output, temperature: None, effort: None, tool_choice: None, parallel_tools: None, request: Map::new() }
    }
}
