//! Language-model providers behind the domain's port: the scripted one answers by rules (for tests, the demo and chaos), the
//! other speaks the OpenAI-compatible protocol. Neither retries; schedules are the engine's.

mod key;
mod openai;
mod scripted;

pub use key::{KeySource, read_key};
pub use openai::{OpenAiProvider, OpenAiSettings};
pub use scripted::{ScriptError, ScriptedProvider};
