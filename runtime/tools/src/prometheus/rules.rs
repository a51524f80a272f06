//! `NAME:rules`: the rules of the server, and since when they fire.

use std::collections::BTreeMap;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{Happened, ToolCall, ToolOutcome, ToolSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::server::{PrometheusServer, ReplyEnvelope, envelope, unreadable};
use crate::error::ToolsError;
use crate::http::ReplyBody;
use crate::server::{OpenServer, ToolWords};
use crate::spec::{args, failed};
use crate::{bound, http};

/// Most rules of one answer.
const RULES_MAX: usize = 50;
/// Most alerts listed of one rule.
const ACTIVE_MAX: usize = 20;
/// What an empty result says.
const NOTHING: &str = "no rule matches";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RulesArgs {
    /// Only rules whose name, group or expression contains this text.
    contains: Option<String>,
}

/// The answer of `NAME:rules`.
#[derive(Debug, Serialize, JsonSchema)]
struct RuleList {
    rules: Vec<ShownRule>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ShownRule {
    name: String,
    group: String,
    /// `firing`, `pending`, `inactive`; `recording` for a rule that records.
    state: String,
    query: String,
    active: Vec<ActiveAlert>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ActiveAlert {
    labels: BTreeMap<String, String>,
    /// Since when it has this state, as RFC 3339.
    since: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct GroupList {
    groups: Vec<RuleGroup>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RuleGroup {
    name: String,
    rules: Vec<ServerRule>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ServerRule {
    name: String,
    query: String,
    state: Option<String>,
    alerts: Vec<ServerAlert>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ServerAlert {
    labels: BTreeMap<String, String>,
    active_at: String,
}

impl ShownRule {
    fn of(group: &str, rule: ServerRule) -> Self {
        let active = rule.alerts.into_iter().take(ACTIVE_MAX);
        let active = active.map(|alert| ActiveAlert { labels: alert.labels, since: alert.active_at });
        let state = rule.state.unwrap_or_else(|| "recording".to_owned());
        Self { name: rule.name, group: group.to_owned(), state, query: rule.query, active: active.collect() }
    }

    fn contains(&self, text: &str) -> bool {
        [&self.name, &self.group, &self.query].iter().any(|own| own.contains(text))
    }
}

/// `NAME:rules`.
#[derive(Debug)]
pub(super) struct Rules {
    spec: ToolSpec,
    server: PrometheusServer,
}

impl Rules {
    pub(super) fn new(server: &OpenServer<'_>, asked: PrometheusServer) -> Result<Self, ToolsError> {
        let about = "Lists the rules that alert and record, with their state and since when they fire.";
        Ok(Self { spec: server.spec::<RulesArgs, RuleList>(ToolWords::read("rules", about))?, server: asked })
    }

    async fn rules(&self, wanted: RulesArgs) -> Result<ToolOutcome, ToolOutcome> {
        let body = self.server.body("api/v1/rules", &[]).await?;
        let contains = wanted.contains.unwrap_or_default();
        answer(&body, &contains, self.spec.output_limit)
            .map_err(|detail| failed(Happened::No, FailureKind::Permanent, detail))
    }
}

/// Reads an answer. An error says why it is none.
fn answer(body: &ReplyBody, contains: &str, output: usize) -> Result<ToolOutcome, String> {
    let ReplyEnvelope { data, partial, .. } = envelope(body)?;
    let list: GroupList = serde_json::from_str(data.get()).map_err(unreadable)?;
    let rules = list.groups.into_iter().flat_map(|RuleGroup { name, rules }| {
        rules.into_iter().map(move |rule| (rule.alerts.len(), ShownRule::of(&name, rule)))
    });
    let mut rules: Vec<(usize, ShownRule)> = rules.filter(|(_, rule)| rule.contains(contains)).collect();
    if rules.is_empty() && partial.is_empty() {
        return Ok(ToolOutcome::Empty { note: NOTHING.to_owned() });
    }
    let cut = rules.len() > RULES_MAX || rules.iter().any(|(alerts, _)| *alerts > ACTIVE_MAX);
    rules.truncate(RULES_MAX);
    let content = json!(RuleList { rules: rules.into_iter().map(|(_, rule)| rule).collect() });
    Ok(match bound::outcome(&content, output, NOTHING) {
        ToolOutcome::Ok { content } | ToolOutcome::Truncated { content, .. } if !partial.is_empty() => {
            ToolOutcome::Partial { content, why: http::start(&crate::redact::redact(&partial.join("; "))) }
        }
        ToolOutcome::Ok { content } if cut => ToolOutcome::Truncated { content, total_bytes: body.bytes },
        outcome => outcome,
    })
}

#[async_trait]
impl ToolBackend for Rules {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        match args(call) {
            Ok(wanted) => self.rules(wanted).await.unwrap_or_else(|outcome| outcome),
            Err(outcome) => outcome,
        }
    }
}
