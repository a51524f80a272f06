//! `http:probe`: looks at an allowed address.

use std::time::Duration;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, Happened, Risk, ToolCall, ToolOutcome, ToolSpec};
use reqwest::{Client, Url};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use crate::error::ToolsError;
use crate::spec::{Declaration, OUTPUT_LIMIT, args, failed};
use crate::{bound, http};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProbeArgs {
    /// The address, `http://host:port/path` or `https://host:port/path`.
    url: String,
}

#[derive(Debug)]
pub(super) struct Probe {
    spec: ToolSpec,
    client: Client,
    allow: Vec<String>,
}

impl Probe {
    pub(super) fn new(client: Client, allow: Vec<String>) -> Result<Self, ToolsError> {
        let spec = Declaration {
            name: "http:probe",
            description: &format!("Requests an address and tells status and time; allowed: {}.", allow.join(", ")),
            effect: EffectClass::Read,
            risk: Risk::Low,
            timeout: Duration::from_secs(10),
        }
        .spec::<ProbeArgs>()?;
        Ok(Self { spec, client, allow })
    }

    /// The address, if its host and port are allowed.
    fn allowed(&self, url: &str) -> Option<Url> {
        let url = Url::parse(url).ok()?;
        let place = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
        let plain = url.username().is_empty() && url.password().is_none();
        (plain && self.allow.contains(&place)).then_some(url)
    }
}

#[async_trait]
impl ToolBackend for Probe {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        let wanted: ProbeArgs = match args(call) {
            Ok(args) => args,
            Err(outcome) => return outcome,
        };
        let Some(url) = self.allowed(&wanted.url) else {
            let detail = format!("this address is not allowed; allowed are: {}", self.allow.join(", "));
            return failed(Happened::No, FailureKind::Permanent, detail);
        };
        let began = Instant::now();
        let response = match self.client.get(url).send().await {
            Ok(response) => response,
            Err(error) => return http::read_failed(&error),
        };
        let status = response.status().as_u16();
        let body = http::body(response, http::TEXT_MAX).await.map(|body| body.text).unwrap_or_default();
        let latency_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let content = json!({"status": status, "latency_ms": latency_ms, "body_start": http::start(&body)});
        bound::outcome(&content, OUTPUT_LIMIT, "no answer")
    }
}
