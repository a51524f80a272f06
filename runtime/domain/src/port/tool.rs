//! The seam to tools.

use async_trait::async_trait;

use crate::tool::{ProbeAnswer, ToolCall, ToolOutcome, ToolSpec};

/// A tool as the gateway calls it: what carries a permitted call out.
#[async_trait]
pub trait ToolBackend: Send + Sync + std::fmt::Debug {
    /// What it declares; constant over the process.
    fn spec(&self) -> &ToolSpec;

    /// Calls it once. An expected failure is an outcome, never a panic. Dropping the future cancels what can be
    /// cancelled; the gateway above bounds time and output again.
    async fn call(&self, call: &ToolCall) -> ToolOutcome;

    /// Why it is not called at present, for the people who run it; nothing where it is.
    fn withdrawn(&self) -> Option<String> {
        None
    }

    /// Says whether this call, whose answer was lost, happened: looked up by its key, changing nothing. Asked only of tools
    /// of the class `probe`, perhaps by another process than the one that made the call, perhaps again and again.
    ///
    /// [`ProbeAnswer::DidNotHappen`] lets the call be made again under the same key: a tool says so only if it can be sure.
    async fn probe(&self, _call: &ToolCall) -> ProbeAnswer {
        let detail = "the tool cannot be asked whether a call happened".to_owned();
        ProbeAnswer::CannotTell { detail }
    }
}
