//! `prometheus:query_range` of the preset: a query over the last minutes, with a step that keeps the answer short.

use async_trait::async_trait;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, Risk, ToolCall, ToolOutcome, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};

use super::server::{PrometheusServer, SERVER_TIMEOUT, TIMEOUT, outcome};
use crate::error::ToolsError;
use crate::spec::{Declaration, args};

/// Steps of one series: enough to see a course, few enough to read.
pub(super) const STEPS_MAX: u32 = 120;
/// What a server refuses to go beyond.
const SERVER_POINTS_MAX: u32 = 11_000;
const _: () = assert!(STEPS_MAX < SERVER_POINTS_MAX, "the first and the last point are both returned");
/// Most series of one answer: with their samples they fit the output limit.
pub(super) const SERIES_MAX: usize = 5;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RangeArgs {
    /// The `PromQL` expression.
    #[schemars(length(min = 1, max = 2000))]
    query: String,
    /// How many minutes back from now; at most a week.
    #[schemars(range(min = 1, max = 10_080))]
    minutes: u32,
}

/// `prometheus:query_range`.
#[derive(Debug)]
pub(super) struct QueryRange {
    spec: ToolSpec,
    server: PrometheusServer,
}

impl QueryRange {
    pub(super) fn new(server: PrometheusServer) -> Result<Self, ToolsError> {
        let spec = Declaration {
            name: "prometheus:query_range",
            description: "Evaluates a PromQL expression over the last minutes: per series the newest `value`, `min`, \
                          `max` and `samples`, at a step that fits the range.",
            effect: EffectClass::Read,
            risk: Risk::Low,
            timeout: TIMEOUT,
        }
        .spec::<RangeArgs>()?;
        Ok(Self { spec, server })
    }

    async fn range(&self, wanted: &RangeArgs) -> Result<ToolOutcome, ToolOutcome> {
        let seconds = wanted.minutes.saturating_mul(60);
        let step = step(seconds);
        let end = self.server.now().await?;
        let (start, end_text) = ((end - f64::from(seconds)).to_string(), end.to_string());
        let (step_text, query) = (step.to_string(), wanted.query.as_str());
        let parameters = [
            ("query", query),
            ("start", &start),
            ("end", &end_text),
            ("step", &step_text),
            ("timeout", SERVER_TIMEOUT),
        ];
        let mut answer = self.server.ask("api/v1/query_range", &parameters, SERIES_MAX).await?;
        // The last point asked for lies at most a step less one second before the end; the one before it, a step or more.
        let last = end - f64::from(step) + 0.5;
        answer.found = answer.found.into_iter().map(|found| found.only_since(last)).collect();
        Ok(outcome(answer, Map::from_iter([("step_s".to_owned(), json!(step))])))
    }
}

/// The step of a range, in whole seconds.
pub(super) fn step(seconds: u32) -> u32 {
    seconds.div_ceil(STEPS_MAX).max(1)
}

#[async_trait]
impl ToolBackend for QueryRange {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        match args(call) {
            Ok(wanted) => self.range(&wanted).await.unwrap_or_else(|outcome| outcome),
            Err(outcome) => outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_range_asks_for_more_points_than_fit() {
        for minutes in 1..=10_080 {
            let seconds = minutes * 60;
            assert!(seconds / step(seconds) <= STEPS_MAX, "{minutes}");
        }
        assert_eq!((step(60), step(300), step(3600)), (1, 3, 30));
    }
}
