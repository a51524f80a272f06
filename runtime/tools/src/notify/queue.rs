//! `notify:NAME` where there is an outbox: answered as soon as the notification is durable.

use std::sync::Arc;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::port::{Clock, EnqueueAnswer, NewMessage, Outbox, ToolBackend};
use provost_domain::tool::{Happened, ToolCall, ToolOutcome, ToolSpec};
use serde_json::json;

use crate::spec::failed;

/// Stores notifications to be sent later.
#[derive(Debug)]
pub struct Queue {
    spec: ToolSpec,
    outbox: Arc<dyn Outbox>,
    clock: Arc<dyn Clock>,
}

impl Queue {
    /// The tool that declares this. Its name is what carries its notifications.
    pub fn new(spec: ToolSpec, outbox: Arc<dyn Outbox>, clock: Arc<dyn Clock>) -> Self {
        Self { spec, outbox, clock }
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
            Ok(EnqueueAnswer::Stored | EnqueueAnswer::NothingNew) => {
                ToolOutcome::Ok { content: json!({"queued": true, "key": call.key}) }
            }
            Err(error) => failed(Happened::Maybe, FailureKind::Transient, error.to_string()),
        }
    }
}
