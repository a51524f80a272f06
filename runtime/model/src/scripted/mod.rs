//! A provider that answers by rules, for tests, the demo and chaos.

mod config;
mod facts;
mod provider;
mod render;
mod rules;

pub(crate) use config::ScriptedSection;
pub use provider::{NoReply, ScriptError, ScriptedProvider};
