//! `notify:NAME` where there is an outbox: answered as soon as the notification is durable.

use std::sync::Arc;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::ids::ToolName;
use provost_domain::port::{Clock, NewMessage, Outbox, ToolBackend};
use provost_domain::tool::{Happened, ToolCall, ToolOutcome, ToolSpec};
use serde_json::json;

use super::declared;
use crate::ToolsError;
use crate::spec::failed;

#[derive(Debug)]
pub(crate) struct Queue {
    spec: ToolSpec,
    outbox: Arc<dyn Outbox>,
    clock: Arc<dyn Clock>,
}

impl Queue {
    pub(crate) fn new(tool: &ToolName, outbox: Arc<dyn Outbox>, clock: &Arc<dyn Clock>) -> Result<Self, ToolsError> {
        Ok(Self { spec: declared(tool)?, outbox, clock: Arc::clone(clock) })
    }
}

#[async_trait]
impl ToolBackend for Queue {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        match self.outbox.enqueue(NewMessage { call: call.clone(), at: self.clock.now() }).await {
            // One that was there already is the same.
            Ok(_) => ToolOutcome::Ok { content: json!({"queued": true, "key": call.key}) },
            Err(error) => failed(Happened::Maybe, FailureKind::Transient, error.to_string()),
        }
    }
}
