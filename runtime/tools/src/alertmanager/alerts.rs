//! The alerts an Alertmanager knows now: `NAME:list`, and `alertmanager:alerts` of the preset.
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
use reqwest::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::error::ToolsError;
use crate::http::LIST_MAX;
use crate::server::{OpenServer, RemoteServer, ToolWords};
use crate::spec::{Declaration, args, failed};
use crate::{bound, http};

/// Most alerts of one answer.
const ALERTS_MAX: usize = 50;
/// What an empty result says.
const NOTHING: &str = "no alert matches";
/// What it does, for the model.
const ABOUT: &str = "Lists the alerts that fire now, with labels, annotations and since when.";

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

/// The answer of `NAME:list`.
#[derive(Debug, Serialize, JsonSchema)]
struct AlertList {
    /// How many alerts match, also those that are not listed.
    count: usize,
    alerts: Vec<ShownAlert>,
}

#[derive(Debug, Serialize, JsonSchema)]
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

impl ShownAlert {
    /// Reads an alert; `None` where it has no labels, by which one is known. What else is missing is empty.
    fn read(alert: &RawValue) -> Option<Self> {
        let alert: Value = serde_json::from_str(alert.get()).ok()?;
        let status = alert.get("status");
        let text = |of: Option<&Value>, name: &str| of?.get(name)?.as_str().map(str::to_owned);
        let ids = |name: &str| status.and_then(|status| status.get(name)).and_then(Value::as_array).cloned();
        let ids = |name: &str| ids(name).unwrap_or_default().iter().map(as_text).collect();
        Some(Self {
            labels: texts(alert.get("labels")?)?,
            annotations: alert.get("annotations").and_then(texts).unwrap_or_default(),
            state: text(status, "state").unwrap_or_else(|| "unknown".to_owned()),
            starts_at: text(Some(&alert), "startsAt").unwrap_or_default(),
            fingerprint: text(Some(&alert), "fingerprint").unwrap_or_default(),
            silenced_by: ids("silencedBy"),
            inhibited_by: ids("inhibitedBy"),
        })
    }
}

fn texts(object: &Value) -> Option<BTreeMap<String, String>> {
    Some(object.as_object()?.iter().map(|(name, value)| (name.clone(), as_text(value))).collect())
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The tool that lists what fires, of a server or of the preset.
#[derive(Debug)]
pub(super) struct Alerts {
    spec: ToolSpec,
    server: RemoteServer,
}

impl Alerts {
    /// The tool of the preset.
    pub(super) fn preset(client: Client, endpoint: &str) -> Result<Self, ToolsError> {
        let spec = Declaration {
            name: "alertmanager:alerts",
            description: ABOUT,
            effect: EffectClass::Read,
            risk: Risk::Low,
            timeout: Duration::from_secs(15),
        }
        .spec::<AlertsArgs>()?;
        Ok(Self { spec, server: RemoteServer::plain(client, endpoint, "alertmanager")? })
    }

    /// The tool of a server of the kind `alertmanager`.
    pub(super) fn list(server: &OpenServer<'_>, remote: RemoteServer) -> Result<Self, ToolsError> {
        Ok(Self { spec: server.spec::<AlertsArgs, AlertList>(ToolWords::read("list", ABOUT))?, server: remote })
    }

    async fn alerts(&self, wanted: &AlertsArgs) -> Result<ToolOutcome, ToolOutcome> {
        let suppressed = if wanted.suppressed { "true" } else { "false" };
        let mut parameters = vec![("active", "true"), ("silenced", suppressed), ("inhibited", suppressed)];
        parameters.extend(wanted.filter.iter().map(|matcher| ("filter", matcher.as_str())));
        let body = http::get_text(self.server.get("api/v2/alerts", &parameters), LIST_MAX).await?;
        let refused = |detail: String| failed(Happened::No, FailureKind::Permanent, detail);
        if body.cut {
            return Err(refused(format!("the answer is longer than {LIST_MAX} bytes; ask for less with `filter`")));
        }
        let known: Vec<&RawValue> = serde_json::from_str(&body.text)
            .map_err(|error| refused(format!("it cannot be read as a list of alerts: {error}")))?;
        let count = known.len();
        if count == 0 {
            return Ok(ToolOutcome::Empty { note: NOTHING.to_owned() });
        }
        let listed = count.min(ALERTS_MAX);
        let shown: Vec<ShownAlert> = known.into_iter().take(ALERTS_MAX).filter_map(ShownAlert::read).collect();
        let odd = listed - shown.len();
        let content = json!(AlertList { count, alerts: shown });
        Ok(match bound::outcome(&content, self.spec.output_limit, NOTHING) {
            ToolOutcome::Ok { content } if odd > 0 => {
                ToolOutcome::Partial { content, why: format!("{odd} of the alerts cannot be read") }
            }
            ToolOutcome::Ok { content } if count > ALERTS_MAX => {
                ToolOutcome::Truncated { content, total_bytes: body.bytes }
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
