//! One attempt at a notification, under the call's key.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::ids::ToolName;
use provost_domain::port::{Carried, Carrier, Clock};
use provost_domain::tool::ToolCall;
use reqwest::Client;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::receivers::Receiver;
use crate::http::PostFailure;

#[derive(Debug)]
pub(super) struct Sender {
    tool: ToolName,
    client: Client,
    clock: Arc<dyn Clock>,
    receiver: Arc<dyn Receiver>,
}

impl Sender {
    pub(super) fn new(client: Client, clock: Arc<dyn Clock>, tool: ToolName, receiver: Arc<dyn Receiver>) -> Self {
        Self { tool, client, clock, receiver }
    }

    /// The tool it sends for.
    pub(super) fn tool(&self) -> &ToolName {
        &self.tool
    }

    /// One attempt. The key is the same in all of them.
    pub(super) async fn attempt(&self, call: &ToolCall) -> Result<Value, PostFailure> {
        self.receiver.send(call, &self.client, self.clock.now()).await
    }

    /// An answer without the secrets, which a receiver may have put into it.
    pub(super) fn answer(&self, answer: Value) -> Value {
        match answer {
            Value::String(text) => Value::String(self.without_secrets(&text)),
            Value::Array(list) => list.into_iter().map(|value| self.answer(value)).collect(),
            Value::Object(object) => object.into_iter().map(|(key, value)| (key, self.answer(value))).collect(),
            plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain,
        }
    }

    /// A text without the secrets.
    pub(super) fn without_secrets(&self, text: &str) -> String {
        let secrets = self.receiver.secrets().into_iter().map(|secret| secret.expose_secret().trim());
        secrets
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| text.replace(secret, "[redacted]"))
    }
}

#[async_trait]
impl Carrier for Sender {
    async fn carry(&self, call: &ToolCall) -> Carried {
        let Err(failure) = self.attempt(call).await else { return Carried::Taken };
        let why = self.without_secrets(&failure.detail);
        match failure.kind {
            FailureKind::Permanent => Carried::Refused { why },
            FailureKind::Transient | FailureKind::Unknown => Carried::NotYet { why, after: failure.retry_after },
        }
    }

    fn pause(&self) -> Option<Duration> {
        self.receiver.pause()
    }
}
