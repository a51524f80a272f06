//! `SERVER:TOOL` of a server of the kind `mcp`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, Happened, Risk, ToolCall, ToolOutcome, ToolSpec};
use serde_json::{Map, Value};

use super::answer;
use super::definition::Definition;
use super::entry::McpEntry;
use super::link::McpLink;
use crate::error::ToolsError;
use crate::server::{OpenServer, ToolWords};
use crate::spec::failed;

/// One tool of a server.
#[derive(Debug)]
pub(super) struct McpTool {
    spec: ToolSpec,
    link: Arc<McpLink>,
    /// The server's own name for it.
    name: String,
    accepted: Definition,
    /// Arguments that nobody may say.
    fixed: Map<String, Value>,
}

impl McpTool {
    pub(super) fn new(
        server: &OpenServer<'_>,
        link: Arc<McpLink>,
        entry: &McpEntry,
        accepted: Definition,
    ) -> Result<Self, ToolsError> {
        let wrong = |why: String| server.wrong(format!("the tool `{}`: {why}", entry.key));
        let schema = accepted.arguments(&entry.fixed).map_err(wrong)?;
        if let Some(why) = accepted.unfit(&entry.fixed) {
            return Err(wrong(format!("`fix`: {why}")));
        }
        let words = ToolWords {
            tool: &entry.key,
            about: &accepted.description,
            effect: EffectClass::Unsafe,
            risk: Risk::High,
            timeout: Duration::from_secs(30),
        };
        let spec = server.spec_of(words, schema, Some(answer::schema()))?;
        if let Some(why) = accepted.hints.forbid(spec.effect) {
            return Err(wrong(format!("it cannot have `effect: read`: {why}")));
        }
        Ok(Self { spec, link, name: entry.name.clone(), accepted, fixed: entry.fixed.clone() })
    }
}

#[async_trait]
impl ToolBackend for McpTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn withdrawn(&self) -> Option<String> {
        self.link.withdrawn(&self.name)
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        let mut args = match &*call.args {
            Value::Object(args) => args.clone(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
        };
        args.extend(self.fixed.clone());
        let reads_only = self.spec.effect == EffectClass::Read;
        match self.link.call(&self.name, &self.accepted, &Value::Object(args)).await {
            Ok(result) => answer::outcome(&result, reads_only, self.spec.output_limit),
            Err(fault) => {
                let happened = if reads_only { Happened::No } else { fault.happened };
                failed(happened, fault.kind, fault.detail)
            }
        }
    }
}
