//! Language-model providers behind the domain's port. The scripted one answers by rules: for tests, the demo and chaos.

mod scripted;

pub use scripted::{ScriptError, ScriptedProvider};
