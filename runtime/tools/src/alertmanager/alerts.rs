//! `alertmanager:alerts`: the alerts an Alertmanager knows now.
//!
//! The answer is `{"count": 2, "alerts": [{"labels": …, "annotations": …, "state": "active", "starts_at": …,
//! "fingerprint": …}]}`; a condition can read `count` or `alerts.0.labels.alertname`. No alert is an empty result, not a
//! count of 0: nothing that fires may also mean that nothing is watched.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, Happened, Risk, ToolCall, ToolOutcome, ToolSpec};
use reqwest::{Client, Url};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::ToolsError;
use crate::spec::{Declaration, OUTPUT_LIMIT, args, failed};
use crate::{bound, http};

/// Most alerts of one answer.
const ALERTS_MAX: usize = 50;
/// What an empty result says.
const NOTHING: &str = "no alert matches";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AlertsArgs {
    /// Matchers that must all hold, such as `service="shop"` or `severity=~"high|critical"`.
    #[serde(default)]
    #[schemars(length(max = 16))]
    filter: Vec<String>,
    /// Silenced and inhibited alerts too.
    #[serde(default)]
    suppressed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServerAlert {
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    fingerprint: String,
    starts_at: String,
    status: AlertStatus,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AlertStatus {
    state: String,
    #[serde(default)]
    silenced_by: Vec<String>,
    #[serde(default)]
    inhibited_by: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ShownAlert {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    state: String,
    starts_at: String,
    fingerprint: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    silenced_by: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inhibited_by: Vec<String>,
}

impl From<ServerAlert> for ShownAlert {
    fn from(known: ServerAlert) -> Self {
        let ServerAlert { labels, annotations, fingerprint, starts_at, status } = known;
        let AlertStatus { state, silenced_by, inhibited_by } = status;
        Self { labels, annotations, state, starts_at, fingerprint, silenced_by, inhibited_by }
    }
}

/// `alertmanager:alerts`.
#[derive(Debug)]
pub(super) struct Alerts {
    spec: ToolSpec,
    client: Client,
    base: Url,
}

impl Alerts {
    pub(super) fn new(client: Client, endpoint: &str) -> Result<Self, ToolsError> {
        let spec = Declaration {
            name: "alertmanager:alerts",
            description: "Lists the alerts that fire now, with labels, annotations and since when.",
            effect: EffectClass::Read,
            risk: Risk::Low,
            timeout: Duration::from_secs(15),
        }
        .spec::<AlertsArgs>()?;
        Ok(Self { spec, client, base: http::base(endpoint, "alertmanager")? })
    }

    async fn alerts(&self, wanted: &AlertsArgs) -> Result<ToolOutcome, ToolOutcome> {
        let suppressed = if wanted.suppressed { "true" } else { "false" };
        let mut parameters = vec![("active", "true"), ("silenced", suppressed), ("inhibited", suppressed)];
        parameters.extend(wanted.filter.iter().map(|matcher| ("filter", matcher.as_str())));
        let url = http::under(&self.base, "api/v2/alerts", &parameters);
        let text = http::get_text(self.client.get(url)).await?;
        let known: Vec<ServerAlert> = serde_json::from_str(&text).map_err(|error| {
            let detail = format!("the answer is too long or no list of alerts: {error}");
            failed(Happened::No, FailureKind::Permanent, detail)
        })?;
        let count = known.len();
        if count == 0 {
            return Ok(ToolOutcome::Empty { note: NOTHING.to_owned() });
        }
        let shown: Vec<ShownAlert> = known.into_iter().take(ALERTS_MAX).map(ShownAlert::from).collect();
        let content = json!({"count": count, "alerts": shown});
        Ok(match bound::outcome(&content, OUTPUT_LIMIT, NOTHING) {
            ToolOutcome::Ok { content } if count > ALERTS_MAX => {
                ToolOutcome::Truncated { content, total_bytes: text.len() as u64 }
            }
            outcome => outcome,
        })
    }
}

#[async_trait]
impl ToolBackend for Alerts {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        match args(call) {
            Ok(wanted) => self.alerts(&wanted).await.unwrap_or_else(|outcome| outcome),
            Err(outcome) => outcome,
        }
    }
}
