//! One attempt at a notification, signed anew each time, under the call's key.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::ids::ToolName;
use provost_domain::port::{Carried, Carrier, Clock};
use provost_domain::tool::ToolCall;
use reqwest::{Client, RequestBuilder, header};

use super::target::{NotifySettings, Target};
use crate::error::ToolsError;
use crate::http;
use crate::status::StatusRules;

/// How long one attempt may take: several have a place in a call.
const ATTEMPT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Sender {
    tool: ToolName,
    client: Client,
    clock: Arc<dyn Clock>,
    target: Target,
}

impl Sender {
    pub(super) fn new(
        client: Client,
        clock: Arc<dyn Clock>,
        tool: ToolName,
        settings: &NotifySettings,
    ) -> Result<Self, ToolsError> {
        let wrong = |detail| ToolsError::Notify { tool: tool.to_string(), detail };
        let target = Target::new(settings).map_err(wrong)?;
        Ok(Self { tool, client, clock, target })
    }

    /// The tool it sends for.
    pub(super) fn tool(&self) -> &ToolName {
        &self.tool
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// One attempt. The key is the same in all of them.
    pub(super) fn request(&self, call: &ToolCall) -> RequestBuilder {
        let body = self.target.body(call);
        let request = self.client.post(self.target.url()).timeout(ATTEMPT).header("Idempotency-Key", &call.key);
        let request = match self.target.signature(&body, self.clock.now()) {
            Some(signature) => request.header("X-Provost-Signature", signature),
            None => request,
        };
        request.header(header::CONTENT_TYPE, "application/json").body(body)
    }
}

#[async_trait]
impl Carrier for Sender {
    async fn carry(&self, call: &ToolCall) -> Carried {
        let Err(failure) = http::try_post(self.request(call), &StatusRules::default()).await else {
            return Carried::Taken;
        };
        let why = self.target.without_secrets(&failure.detail);
        match failure.kind {
            FailureKind::Permanent => Carried::Refused { why },
            FailureKind::Transient | FailureKind::Unknown => Carried::NotYet { why, after: failure.retry_after },
        }
    }
}
