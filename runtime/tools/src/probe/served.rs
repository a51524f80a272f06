//! A server of the kind `probe`: whether configured addresses answer. That one does not is a result and no failure.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, Happened, ToolCall, ToolOutcome, ToolSpec};
use provost_form::{ErrorLog, Table};
use reqwest::{Client, Url};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::error::ToolsError;
use crate::http::describe;
use crate::redact::redact;
use crate::server::{DeclaredTool, OpenServer, ServerKind, ServerUrl, ToolWords};
use crate::spec::failed;

/// How long an address may take to answer; a call has a little longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server of the kind `probe`: a name for each address.
#[derive(Debug)]
pub(crate) struct ProbeServer(BTreeMap<String, ServerUrl>);

impl ServerKind for ProbeServer {
    const KEYS: &'static [&'static str] = &["targets"];

    fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self {
        let targets: BTreeMap<String, ServerUrl> = table.required("targets", log);
        if let Some(node) = table.get("targets").filter(|node| node.is_table() && targets.is_empty()) {
            log.report(node.place, "no address is named", "write `NAME: \"http://…\"`");
        }
        Self(targets)
    }

    fn declared(&self) -> Vec<DeclaredTool<'_>> {
        vec![DeclaredTool { name: "get", effect: EffectClass::Read }]
    }

    fn tools(&self, server: &OpenServer<'_>) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        let about = "Requests a configured address and says whether it answers, with which status, and how soon.";
        let names: Vec<&String> = self.0.keys().collect();
        let args = json!({"type": "object", "additionalProperties": false, "required": ["target"],
            "properties": {"target": {"type": "string", "enum": names, "description": "a configured name"}}});
        let found = json!({"type": "object", "additionalProperties": false, "required": ["reached", "seconds"],
            "properties": {"reached": {"type": "boolean"}, "status": {"type": "integer"}, "seconds": {"type": "number"},
                "error": {"type": "string"}}});
        let spec = server.spec_of(ToolWords::read("get", about), args, Some(found))?;
        let targets = self.0.iter().filter_map(|(name, url)| Some((name.clone(), url.get()?.clone())));
        Ok(vec![Arc::new(TargetProbe { spec, client: server.parts().client.clone(), targets: targets.collect() })])
    }
}

/// `NAME:get`.
#[derive(Debug)]
struct TargetProbe {
    spec: ToolSpec,
    client: Client,
    targets: BTreeMap<String, Url>,
}

impl TargetProbe {
    async fn look(&self, url: &Url) -> Value {
        let (began, patience) = (Instant::now(), PATIENCE.min(self.spec.timeout.mul_f64(0.8)));
        let answer = tokio::time::timeout(patience, self.client.get(url.clone()).send()).await;
        let seconds = (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        match answer {
            Ok(Ok(answer)) => json!({"reached": true, "status": answer.status().as_u16(), "seconds": seconds}),
            Ok(Err(error)) => json!({"reached": false, "seconds": seconds, "error": redact(&describe(&error).1)}),
            Err(_elapsed) => {
                json!({"reached": false, "seconds": seconds, "error": format!("no answer within {patience:?}")})
            }
        }
    }
}

#[async_trait]
impl ToolBackend for TargetProbe {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        let target = call.args.get("target").and_then(Value::as_str).unwrap_or_default();
        match self.targets.get(target) {
            Some(url) => ToolOutcome::Ok { content: self.look(url).await },
            None => failed(Happened::No, FailureKind::Permanent, "no address of this name is configured"),
        }
    }
}
