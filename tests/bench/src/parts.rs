//! The scripted parts: a model without latency, and two tools that return 1 KiB each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use provost_domain::failure::ModelFailure;
use provost_domain::ids::ToolName;
use provost_domain::model::{Arguments, Message, ModelReply, ModelRequest, ProposedCall, Usage};
use provost_domain::port::{ModelProvider, ToolBackend};
use provost_domain::schema::ArgSchema;
use provost_domain::tool::{EffectClass, Risk, ToolCall, ToolOutcome, ToolSpec};
use serde_json::{Value, json};

/// Two reads, then the envelope; the last agent claims the outcome. With `again` turns left, starts over instead.
#[derive(Debug, Default)]
pub(crate) struct BenchModel {
    /// Turns that still lead back to the first agent.
    pub(crate) again: AtomicU32,
    /// Whether the first agent asks for an approval instead.
    pub(crate) parks: bool,
    /// How long it thinks about each answer.
    pub(crate) thinks: Duration,
}

fn call(tool: &str, args: Value) -> ProposedCall {
    ProposedCall { tool: tool.to_owned(), args: Arc::new(Arguments::Json(args)) }
}

#[async_trait]
impl ModelProvider for BenchModel {
    fn reads_case(&self) -> bool {
        false
    }

    async fn ask(&self, request: &ModelRequest, _body: &[u8]) -> Result<ModelReply, ModelFailure> {
        if !self.thinks.is_zero() {
            tokio::time::sleep(self.thinks).await;
        }
        let calls = if request.round == 1 && self.parks {
            vec![call("read__gated", json!({}))]
        } else if request.round == 1 {
            vec![call("read__one", json!({"n": 1})), call("read__two", json!({"n": 2}))]
        } else if self.again.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            vec![call("finish_turn", json!({"content": "c", "confidence": 0.9, "rationale": "r", "signal": "again"}))]
        } else if request.agent.as_str() == "resolution" {
            let evidence = request.messages.iter().rev().find_map(|message| match message {
                Message::Tool { result, .. } => result.get("evidence").cloned(),
                Message::User { .. } | Message::Assistant { .. } => None,
            });
            let args = json!({"summary": "done", "confidence": 0.9, "rationale": "r", "evidence": [evidence]});
            vec![call("mark_resolved", args)]
        } else {
            vec![call("finish_turn", json!({"content": "looked at it", "confidence": 0.9, "rationale": "r"}))]
        };
        let usage = Usage { input: 100, cached: 0, output: 20, cost_micro_usd: Some(0), estimated: false };
        Ok(ModelReply { text: "".into(), calls, usage, ..ModelReply::default() })
    }
}

/// Returns 1 KiB of JSON.
#[derive(Debug)]
pub(crate) struct KibTool {
    spec: ToolSpec,
    content: Value,
}

impl KibTool {
    pub(crate) fn all() -> Result<Vec<Arc<dyn ToolBackend>>> {
        let schema = || ArgSchema::new(json!({"type": "object", "properties": {"n": {"type": "integer"}}}));
        let tool = |name: &str, risk| -> Result<Arc<dyn ToolBackend>> {
            let spec = ToolSpec {
                name: ToolName::new(name),
                description: "returns 1 KiB".to_owned(),
                schema: schema()?,
                effect: EffectClass::Read,
                risk,
                timeout: Duration::from_secs(5),
                output_limit: 16 * 1024,
                rosters: BTreeMap::new(),
                tells_people: false,
                claim: provost_domain::claims::ClaimRule::default(),
                risk_floor: None,
                output: None,
            };
            Ok(Arc::new(Self { spec, content: json!({"data": "x".repeat(1_012)}) }))
        };
        Ok(vec![tool("read:one", Risk::Low)?, tool("read:two", Risk::Low)?, tool("read:gated", Risk::High)?])
    }
}

#[async_trait]
impl ToolBackend for KibTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, _call: &ToolCall) -> ToolOutcome {
        ToolOutcome::Ok { content: self.content.clone() }
    }
}
