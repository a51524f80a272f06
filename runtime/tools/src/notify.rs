//! `notify:NAME`: tells people outside, once per key.

use std::time::Duration;

use async_trait::async_trait;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, Risk, ToolCall, ToolOutcome, ToolSpec};
use reqwest::Client;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::spec::{Declaration, OUTPUT_LIMIT};
use crate::{ToolsError, bound, http};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the schema checks them and the receiver reads them")]
struct NotifyArgs {
    /// Whom.
    #[schemars(extend("x-roster" = "teams"))]
    team: String,
    /// Why.
    reason: String,
    /// What happened, in one line.
    summary: Option<String>,
    /// The session it is about.
    session_id: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Notify {
    spec: ToolSpec,
    client: Client,
    url: String,
}

impl Notify {
    pub(crate) fn new(client: Client, name: &str, url: &str) -> Result<Self, ToolsError> {
        let spec = Declaration {
            name: &format!("notify:{name}"),
            description: "Notifies a team outside.",
            effect: EffectClass::Idempotent,
            risk: Risk::Low,
            timeout: Duration::from_secs(10),
        }
        .spec::<NotifyArgs>()?;
        Ok(Self { spec, client, url: url.to_owned() })
    }
}

#[async_trait]
impl ToolBackend for Notify {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        let request = self.client.post(&self.url).header("Idempotency-Key", &call.key).json(&*call.args);
        match http::post(request).await {
            Ok(Value::Null) => ToolOutcome::Ok { content: Value::String("delivered".to_owned()) },
            Ok(Value::String(text)) if text.trim().is_empty() => {
                ToolOutcome::Ok { content: Value::String("delivered".to_owned()) }
            }
            Ok(content) => bound::outcome(&content, OUTPUT_LIMIT, "delivered"),
            Err(outcome) => outcome,
        }
    }
}
