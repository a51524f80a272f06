//! A Prometheus server and the shape of its answers.

use std::time::Duration;

use provost_domain::failure::FailureKind;
use provost_domain::tool::{Happened, ToolOutcome};
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::samples::{FoundSeries, QueryData};
use crate::error::ToolsError;
use crate::spec::{OUTPUT_LIMIT, failed};
use crate::{bound, http};

/// How long the server may work on a query: less than the tool's own time, so that the server says why.
pub(super) const SERVER_TIMEOUT: &str = "10s";
/// How long a call may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(15);

/// What every answer is wrapped in.
#[derive(Debug, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum QueryReply {
    Success {
        data: QueryData,
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
pub(super) struct QueryAnswer {
    pub(super) found: Vec<FoundSeries>,
    warnings: Vec<String>,
    bytes: usize,
}

/// A server and the address of its query interface.
#[derive(Debug, Clone)]
pub(super) struct PrometheusServer {
    client: Client,
    base: Url,
}

impl PrometheusServer {
    pub(super) fn new(client: Client, endpoint: &str) -> Result<Self, ToolsError> {
        Ok(Self { client, base: http::base(endpoint, "prometheus")? })
    }

    /// Asks one endpoint of the query interface.
    pub(super) async fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Result<QueryAnswer, ToolOutcome> {
        let url = http::under(&self.base, path, parameters);
        let text = http::get_text(self.client.get(url)).await?;
        let refused = |detail: String| failed(Happened::No, FailureKind::Permanent, detail);
        match serde_json::from_str(&text) {
            Ok(QueryReply::Success { data, warnings }) => {
                Ok(QueryAnswer { found: data.found(), warnings, bytes: text.len() })
            }
            Ok(QueryReply::Error { kind, error }) => Err(refused(http::start(&format!("{kind}: {error}")))),
            Err(error) => Err(refused(format!("the answer is too long or no answer to a query: {error}"))),
        }
    }
}

/// The answer in the shape of this module, with `more` facts; at most `series_max` series of it.
pub(super) fn outcome(answer: QueryAnswer, series_max: usize, more: Map<String, Value>) -> ToolOutcome {
    let left_out = answer.found.len().saturating_sub(series_max);
    let value = match answer.found.as_slice() {
        [only] => only.value(),
        _ => Value::Null,
    };
    let results: Vec<Value> = answer.found.into_iter().take(series_max).map(FoundSeries::shown).collect();
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
