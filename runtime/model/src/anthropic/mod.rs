//! The Anthropic Messages protocol, without streaming.

mod client;
mod config;
mod failure;
mod reply;
mod request;
mod settings;

pub use client::AnthropicProvider;
pub(crate) use config::AnthropicSection;
pub use settings::{AnthropicSettings, MessagesOptions};
