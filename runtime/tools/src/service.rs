//! `service:*`: the admin interface of the service a case is about.

use std::sync::Arc;
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
struct NoArgs {}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the schema checks them and the service reads them")]
struct ChangeArgs {
    /// Where.
    #[schemars(extend("x-roster" = "environments"))]
    environment: String,
    /// What.
    service: String,
    /// Why, for the service's own record.
    reason: Option<String>,
}

/// One endpoint of the admin interface.
#[derive(Debug)]
struct Endpoint {
    spec: ToolSpec,
    client: Client,
    url: String,
}

pub(crate) fn all(client: &Client, admin: &str) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
    let read = |name, description| Declaration {
        name,
        description,
        effect: EffectClass::Read,
        risk: Risk::Low,
        timeout: Duration::from_secs(10),
    };
    let change = |name, description, effect, risk| Declaration {
        name,
        description,
        effect,
        risk,
        timeout: Duration::from_secs(15),
    };
    let rollback = "Rolls the service back to the release before the present one.";
    let specs = [
        (read("service:status", "The service's own status.").spec::<NoArgs>()?, "status"),
        (read("service:releases", "The service's releases and which one runs.").spec::<NoArgs>()?, "releases"),
        (change("service:rollback", rollback, EffectClass::Unsafe, Risk::High).spec::<ChangeArgs>()?, "rollback"),
        (
            change("service:restart", "Restarts the service.", EffectClass::Idempotent, Risk::Medium)
                .spec::<ChangeArgs>()?,
            "restart",
        ),
    ];
    let admin = admin.trim_end_matches('/');
    let endpoint = |(spec, path)| -> Arc<dyn ToolBackend> {
        Arc::new(Endpoint { spec, client: client.clone(), url: format!("{admin}/{path}") })
    };
    Ok(specs.into_iter().map(endpoint).collect())
}

#[async_trait]
impl ToolBackend for Endpoint {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        let content = if self.spec.effect == EffectClass::Read {
            http::get_text(self.client.get(&self.url))
                .await
                .map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text)))
        } else {
            http::post(self.client.post(&self.url).header("Idempotency-Key", &call.key).json(&*call.args)).await
        };
        match content {
            Ok(content) => bound::outcome(&content, OUTPUT_LIMIT, "the service answered nothing"),
            Err(outcome) => outcome,
        }
    }
}
