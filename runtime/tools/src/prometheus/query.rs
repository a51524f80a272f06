//! `prometheus:query` of the preset: an expression evaluated now.

use async_trait::async_trait;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, Risk, ToolCall, ToolOutcome, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Map;

use super::server::{PrometheusServer, SERVER_TIMEOUT, TIMEOUT, outcome};
use crate::error::ToolsError;
use crate::spec::{Declaration, args};

/// Most series of one answer; a query that wants more should aggregate.
pub(super) const SERIES_MAX: usize = 50;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct QueryArgs {
    /// The `PromQL` expression.
    #[schemars(length(min = 1, max = 2000))]
    query: String,
    /// When to evaluate it, RFC 3339 or Unix seconds; now without it.
    time: Option<String>,
}

/// `prometheus:query`.
#[derive(Debug)]
pub(super) struct Query {
    spec: ToolSpec,
    server: PrometheusServer,
}

impl Query {
    pub(super) fn new(server: PrometheusServer) -> Result<Self, ToolsError> {
        let spec = Declaration {
            name: "prometheus:query",
            description: "Evaluates a PromQL expression now: `value` when it gives one number, else `results` by labels.",
            effect: EffectClass::Read,
            risk: Risk::Low,
            timeout: TIMEOUT,
        }
        .spec::<QueryArgs>()?;
        Ok(Self { spec, server })
    }
}

#[async_trait]
impl ToolBackend for Query {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        let wanted: QueryArgs = match args(call) {
            Ok(args) => args,
            Err(outcome) => return outcome,
        };
        let mut parameters = vec![("query", wanted.query.as_str()), ("timeout", SERVER_TIMEOUT)];
        parameters.extend(wanted.time.as_deref().map(|time| ("time", time)));
        match self.server.ask("api/v1/query", &parameters, SERIES_MAX).await {
            Ok(answer) => outcome(answer, Map::new()),
            Err(outcome) => outcome,
        }
    }
}
