//! `prometheus:query` and `prometheus:query_range`: questions to a Prometheus server.
//!
//! Both answer in one shape, whose numbers a watch condition can name by path:
//!
//! ```json
//! {"value": 0.25, "results": [{"labels": {"job": "shop"}, "value": 0.25, "at": 1700000000.0}]}
//! ```
//!
//! - `value` is the number of a query with exactly one series, so `{path: value, op: "<", value: 0.02}` reads it; with more
//!   series it is `null` and `results.0.value` reads the first one's.
//! - A value is `null`, never 0, when there is no number: `NaN`, an infinity, a text, or a series that has no sample at the
//!   end of the range. `text` then holds what the server sent. Every comparison with `null` is false.
//! - A range adds `step_s` and, to each result, `min`, `max` and `samples` as `[at, value]`, oldest first.
//! - `more` counts the series that were left out; the result is then truncated.

mod range;
mod samples;

use std::time::Duration;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, Happened, Risk, ToolCall, ToolOutcome, ToolSpec};
use reqwest::{Client, Url};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(crate) use self::range::QueryRange;
use self::samples::{Data, Found};
use crate::spec::{Declaration, OUTPUT_LIMIT, args, failed};
use crate::{ToolsError, bound, http};

/// Most series of one answer; a query that wants more should aggregate.
const SERIES_MAX: usize = 50;
/// How long the server may work on a query: less than the tool's own time, so that the server says why.
const SERVER_TIMEOUT: &str = "10s";
/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(15);

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct QueryArgs {
    /// The `PromQL` expression.
    #[schemars(length(min = 1, max = 2000))]
    query: String,
    /// When to evaluate it, RFC 3339 or Unix seconds; now without it.
    time: Option<String>,
}

/// What every answer is wrapped in.
#[derive(Debug, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum Wrapped {
    Success {
        data: Data,
        #[serde(default)]
        warnings: Vec<String>,
    },
    Error {
        #[serde(rename = "errorType")]
        kind: String,
        error: String,
    },
}

/// What a server answered, and how long that was.
struct Answer {
    found: Vec<Found>,
    warnings: Vec<String>,
    bytes: usize,
}

/// A Prometheus server.
#[derive(Debug, Clone)]
struct Server {
    client: Client,
    base: Url,
}

impl Server {
    fn new(client: Client, endpoint: &str) -> Result<Self, ToolsError> {
        Ok(Self { client, base: http::base(endpoint, "prometheus")? })
    }

    /// Asks one endpoint of the query interface.
    async fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Answer, ToolOutcome> {
        let url = http::under(&self.base, path, parameters);
        let text = http::get_text(self.client.get(url)).await?;
        let refused = |detail: String| failed(Happened::No, FailureKind::Permanent, detail);
        match serde_json::from_str(&text) {
            Ok(Wrapped::Success { data, warnings }) => Ok(Answer { found: data.found(), warnings, bytes: text.len() }),
            Ok(Wrapped::Error { kind, error }) => Err(refused(http::start(&format!("{kind}: {error}")))),
            Err(error) => Err(refused(format!("the answer is too long or no answer to a query: {error}"))),
        }
    }
}

/// The answer in the shape of this module, with `more` facts; at most `series_max` series of it.
fn outcome(answer: Answer, series_max: usize, more: Map<String, Value>) -> ToolOutcome {
    let left_out = answer.found.len().saturating_sub(series_max);
    let value = match answer.found.as_slice() {
        [only] => only.value(),
        _ => Value::Null,
    };
    let results: Vec<Value> = answer.found.into_iter().take(series_max).map(Found::shown).collect();
    if results.is_empty() {
        return ToolOutcome::Empty { note: "the query matched no series".to_owned() };
    }
    let mut content = more;
    content.insert("value".to_owned(), value);
    content.insert("results".to_owned(), Value::Array(results));
    if !answer.warnings.is_empty() {
        content.insert("warnings".to_owned(), answer.warnings.into());
    }
    if left_out > 0 {
        content.insert("more".to_owned(), left_out.into());
    }
    match bound::outcome(&Value::Object(content), OUTPUT_LIMIT, "the query matched no series") {
        ToolOutcome::Ok { content } if left_out > 0 => {
            ToolOutcome::Truncated { content, total_bytes: answer.bytes as u64 }
        }
        outcome => outcome,
    }
}

/// `prometheus:query`.
#[derive(Debug)]
pub(crate) struct Query {
    spec: ToolSpec,
    server: Server,
}

impl Query {
    pub(crate) fn new(client: Client, endpoint: &str) -> Result<Self, ToolsError> {
        let spec = Declaration {
            name: "prometheus:query",
            description: "Evaluates a PromQL expression now: `value` when it gives one number, else `results` by labels.",
            effect: EffectClass::Read,
            risk: Risk::Low,
            timeout: TIMEOUT,
        }
        .spec::<QueryArgs>()?;
        Ok(Self { spec, server: Server::new(client, endpoint)? })
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
        match self.server.ask("api/v1/query", &parameters).await {
            Ok(answer) => outcome(answer, SERIES_MAX, Map::new()),
            Err(outcome) => outcome,
        }
    }
}
