//! Servers of the kind `notify`: a tool for each target.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, Happened, Risk, ToolCall, ToolOutcome, ToolSpec};
use provost_form::{ErrorLog, SecretPlace, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::config::TargetSection;
use super::direct::Notify;
use super::queue::Queue;
use super::sender::Sender;
use super::spec::Severity;
use crate::error::ToolsError;
use crate::kind::NamedCarrier;
use crate::server::{DeclaredTool, OpenServer, ServerKind, ToolWords};
use crate::spec::failed;

/// A little more than all attempts within a call may take, so that the tool's own answer comes first.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A server of the kind `notify`.
#[derive(Debug)]
pub(crate) struct NotifyServer {
    targets: BTreeMap<String, TargetSection>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the schema checks them and the receiver reads them")]
struct MessageArgs {
    /// What happened, in one line; without it the reason says so.
    summary: Option<String>,
    /// Why they are told.
    reason: Option<String>,
    /// Whom, where several teams are behind the target.
    team: Option<String>,
    /// How bad it is.
    severity: Option<Severity>,
    /// More that people should know, by name.
    details: Option<Map<String, Value>>,
}

/// What it answers.
#[derive(Debug, Serialize, JsonSchema)]
struct MessageReceipt {
    /// Whether the message is stored to be sent, or was sent.
    accepted: bool,
    /// The key under which the receiver knows the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

impl ServerKind for NotifyServer {
    const KEYS: &'static [&'static str] = &["targets"];
    const TELLS_PEOPLE: bool = true;

    fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self {
        let targets: BTreeMap<String, TargetSection> = table.required("targets", log);
        if let Some(node) = table.get("targets") {
            if node.is_table() && targets.is_empty() {
                log.report(node.place, "no target is named", "write `NAME: {url: …}`");
            }
            for (name, _) in node.entries() {
                if !name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)) || name.is_empty() {
                    let hint = "write letters, digits, `_` and `-`";
                    log.report(name.place, format!("`{}` cannot be the name of a tool", name.value), hint);
                }
            }
        }
        Self { targets }
    }

    fn declared(&self) -> Vec<DeclaredTool<'_>> {
        self.targets.keys().map(|name| DeclaredTool { name, effect: EffectClass::Idempotent }).collect()
    }

    fn secrets(&self) -> Vec<&SecretPlace> {
        self.targets.values().flat_map(TargetSection::places).collect()
    }

    fn tools(&self, server: &OpenServer<'_>) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        let tool = |(name, target): (&String, &TargetSection)| -> Result<Arc<dyn ToolBackend>, ToolsError> {
            let about = format!("Notifies {name} outside: say what happened in `summary`, and why in `reason`.");
            let words = ToolWords {
                tool: name,
                about: &about,
                effect: EffectClass::Idempotent,
                risk: Risk::Low,
                timeout: TIMEOUT,
            };
            let spec = server.spec::<MessageArgs, MessageReceipt>(words)?;
            let spec = ToolSpec { tells_people: Self::TELLS_PEOPLE, ..spec };
            let sender = sender(server, name, target)?;
            let parts = server.parts();
            let inner: Arc<dyn ToolBackend> = match parts.outbox.as_ref().filter(|_| target.outbox) {
                Some(outbox) => Arc::new(Queue::new(spec, Arc::clone(outbox), Arc::clone(&parts.clock))),
                None => Arc::new(Notify::new(spec, sender)),
            };
            Ok(Arc::new(TargetTool(inner)))
        };
        self.targets.iter().map(tool).collect()
    }

    fn carriers(&self, server: &OpenServer<'_>) -> Result<Vec<NamedCarrier>, ToolsError> {
        let carrier = |(name, target): (&String, &TargetSection)| {
            let sender = sender(server, name, target)?;
            Ok((sender.tool().clone(), Arc::new(sender) as _))
        };
        self.targets.iter().map(carrier).collect()
    }
}

fn sender(server: &OpenServer<'_>, name: &str, target: &TargetSection) -> Result<Sender, ToolsError> {
    // Without secrets it is only asked what it is.
    let secret = |place: &SecretPlace| Ok(server.secret(place).cloned().unwrap_or_default());
    let tool = server.tool_name(name);
    let receiver = target.open(tool.as_str(), &secret)?;
    let parts = server.parts();
    Ok(Sender::new(parts.client.clone(), Arc::clone(&parts.clock), tool, receiver))
}

/// A message to a target, answered in one form however it is sent.
#[derive(Debug)]
struct TargetTool(Arc<dyn ToolBackend>);

#[async_trait]
impl ToolBackend for TargetTool {
    fn spec(&self) -> &ToolSpec {
        self.0.spec()
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        let says = |name: &str| call.args.get(name).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
        if !says("summary") && !says("reason") {
            return failed(Happened::No, FailureKind::Permanent, "the message is empty: write `summary` or `reason`");
        }
        match self.0.call(call).await {
            ToolOutcome::Failed { failure } => ToolOutcome::Failed { failure },
            ToolOutcome::Ok { .. }
            | ToolOutcome::Empty { .. }
            | ToolOutcome::Truncated { .. }
            | ToolOutcome::Partial { .. } => {
                ToolOutcome::Ok { content: json!(MessageReceipt { accepted: true, id: Some(call.key.clone()) }) }
            }
        }
    }
}
