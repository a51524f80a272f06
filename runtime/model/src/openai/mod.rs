//! The OpenAI-compatible chat-completions protocol, without streaming: what most model servers speak.

mod body;
mod client;
mod config;
mod demands;
mod message;
mod opaque;
mod reply;
mod request;
mod settings;

pub use client::OpenAiProvider;
pub(crate) use config::OpenAiSection;
pub use settings::{ChatOptions, OpenAiSettings, SystemRole};
