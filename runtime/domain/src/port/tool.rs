//! The seam to tools.

use async_trait::async_trait;

use crate::tool::{ToolCall, ToolOutcome, ToolSpec};

/// One backend tool.
#[async_trait]
pub trait ToolBackend: Send + Sync + std::fmt::Debug {
    /// What it declares; constant over the process.
    fn spec(&self) -> &ToolSpec;

    /// Calls it once. An expected failure is an outcome, never a panic. Dropping the future cancels what can be
    /// cancelled; the gateway above bounds time and output again.
    async fn call(&self, call: &ToolCall) -> ToolOutcome;
}
