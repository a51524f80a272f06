//! Language-model providers behind the domain's port. None of them retries; schedules are the engine's.
//!
//! A provider is a folder (its section of the configuration, its requests, its replies) and one line in `registry`.

mod anthropic;
mod openai;
mod provider;
mod registry;
mod scripted;
mod server;

pub use anthropic::{AnthropicProvider, AnthropicSettings, MessagesOptions};
pub use openai::{ChatOptions, OpenAiProvider, OpenAiSettings, SystemRole};
pub use provider::{ConfiguredModel, ModelError};
pub use registry::ModelConfig;
pub use scripted::{NoReply, ScriptError, ScriptedProvider};
pub use server::ModelServer;
