//! `service:*`: the admin interface of the service a case is about.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::claims::ClaimRule;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, ProbeAnswer, Risk, ToolCall, ToolOutcome, ToolSpec};
use reqwest::{Client, Url};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::error::ToolsError;
use crate::spec::{Declaration, OUTPUT_LIMIT};
use crate::status::StatusRules;
use crate::{bound, http};

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

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the schema checks them and the service reads them")]
struct DeployArgs {
    /// Where.
    #[schemars(extend("x-roster" = "environments"))]
    environment: String,
    /// What.
    service: String,
    /// The version to put live.
    version: String,
    /// Why, for the service's own record.
    reason: Option<String>,
}

/// One endpoint of the admin interface.
#[derive(Debug)]
struct AdminEndpoint {
    spec: ToolSpec,
    client: Client,
    url: String,
    /// Where the service says what it did under which key.
    requests: Url,
    /// What its statuses say of a change.
    rules: StatusRules,
}

/// What the service says of a key.
#[derive(Debug, Deserialize)]
struct KeyAnswer {
    /// Whether it acted under it; nothing where it cannot be sure.
    happened: Option<bool>,
    /// What it answered then.
    #[serde(default)]
    answer: Value,
}

pub(super) fn all(
    client: &Client,
    admin: &str,
    rules: &StatusRules,
    claim: &ClaimRule,
) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
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
    let deploy = "Puts a version of the service live.";
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
        (change("service:deploy", deploy, EffectClass::Probe, Risk::High).spec::<DeployArgs>()?, "release"),
    ];
    let base = http::base(admin, "service")?;
    let admin = admin.trim_end_matches('/');
    let endpoint = |(spec, path)| -> Arc<dyn ToolBackend> {
        Arc::new(AdminEndpoint {
            spec: ToolSpec { claim: claim.clone(), ..spec },
            client: client.clone(),
            url: format!("{admin}/{path}"),
            requests: http::under(&base, "requests", &[]),
            rules: rules.clone(),
        })
    };
    Ok(specs.into_iter().map(endpoint).collect())
}

#[async_trait]
impl ToolBackend for AdminEndpoint {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        let content = if self.spec.effect == EffectClass::Read {
            let read = http::get_text(self.client.get(&self.url), http::TEXT_MAX).await;
            read.map(|body| serde_json::from_str(&body.text).unwrap_or(Value::String(body.text)))
        } else {
            http::post(self.client.post(&self.url).header("Idempotency-Key", &call.key).json(&*call.args), &self.rules)
                .await
        };
        match content {
            Ok(content) => bound::outcome(&content, OUTPUT_LIMIT, "the service answered nothing"),
            Err(outcome) => outcome,
        }
    }

    /// Looks the key up at `GET …/requests?key=…`: `{"happened": true, "answer": …}`, `{"happened": false}` where the
    /// service is sure, else `{"happened": null}`.
    async fn probe(&self, call: &ToolCall) -> ProbeAnswer {
        let mut url = self.requests.clone();
        url.query_pairs_mut().append_pair("key", &call.key);
        match http::get_text(self.client.get(url), http::TEXT_MAX).await {
            Ok(body) => said(&body.text),
            Err(ToolOutcome::Failed { failure }) => ProbeAnswer::CannotTell { detail: failure.detail },
            Err(other) => ProbeAnswer::CannotTell { detail: format!("asked about a key, the service said {other:?}") },
        }
    }
}

/// What the service's answer about a key means. One that cannot be read says nothing.
fn said(text: &str) -> ProbeAnswer {
    let remembered: KeyAnswer = match serde_json::from_str(text) {
        Ok(remembered) => remembered,
        Err(error) => return ProbeAnswer::CannotTell { detail: format!("the service's word is unreadable: {error}") },
    };
    match remembered.happened {
        Some(true) => ProbeAnswer::Happened {
            outcome: bound::outcome(&remembered.answer, OUTPUT_LIMIT, "the service answered nothing"),
        },
        Some(false) => ProbeAnswer::DidNotHappen,
        None => ProbeAnswer::CannotTell { detail: "the service does not remember the call for sure".to_owned() },
    }
}
