//! Tools whose calls come under other keys, or that nobody asks what became of a call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{ProbeAnswer, ToolCall, ToolOutcome, ToolSpec};

/// A tool whose every call comes under a key of its own.
#[derive(Debug)]
pub struct AttemptKeys {
    tool: Arc<dyn ToolBackend>,
    process: u32,
    attempts: AtomicU64,
}

impl AttemptKeys {
    /// Over a tool, in the process of this number: attempts of two processes differ, too.
    pub fn new(tool: Arc<dyn ToolBackend>, process: u32) -> Self {
        Self { tool, process, attempts: AtomicU64::new(0) }
    }
}

#[async_trait]
impl ToolBackend for AttemptKeys {
    fn spec(&self) -> &ToolSpec {
        self.tool.spec()
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
        let key = format!("{}/{}.{attempt}", call.key, self.process);
        self.tool.call(&ToolCall { key, ..call.clone() }).await
    }

    async fn probe(&self, call: &ToolCall) -> ProbeAnswer {
        self.tool.probe(call).await
    }
}

/// A tool that is taken to have said that a call did not happen, without being asked.
#[derive(Debug)]
pub struct PresumedUndone(Arc<dyn ToolBackend>);

impl PresumedUndone {
    /// Over a tool that knows better.
    pub fn new(tool: Arc<dyn ToolBackend>) -> Self {
        Self(tool)
    }
}

#[async_trait]
impl ToolBackend for PresumedUndone {
    fn spec(&self) -> &ToolSpec {
        self.0.spec()
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        self.0.call(call).await
    }

    async fn probe(&self, _call: &ToolCall) -> ProbeAnswer {
        ProbeAnswer::DidNotHappen
    }
}
