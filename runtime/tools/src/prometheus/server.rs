//! A Prometheus server and the shape of its answers.

use std::fmt::Display;
use std::time::Duration;

use provost_domain::failure::FailureKind;
use provost_domain::tool::{Happened, ToolOutcome};
use reqwest::Client;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::samples::{FoundSeries, ResultForm};
use crate::error::ToolsError;
use crate::http::{LIST_MAX, ReplyBody};
use crate::server::RemoteServer;
use crate::spec::{OUTPUT_LIMIT, failed};
use crate::{bound, http};

/// How long the server may work on a query: less than the tool's own time, so that the server says why.
pub(super) const SERVER_TIMEOUT: &str = "10s";
/// How long a call may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(15);

/// What every answer is wrapped in. Servers that speak this format add to it and leave out of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct QueryReply<'a> {
    status: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    warnings: Value,
    infos: Value,
    /// Servers of several storages say so when one of them did not answer.
    #[serde(rename = "isPartial")]
    is_partial: Value,
    #[serde(rename = "errorType")]
    kind: Option<String>,
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReplyData<'a> {
    result_type: String,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
}

/// What a server answered, and how long that was.
pub(super) struct QueryAnswer {
    pub(super) found: Vec<FoundSeries>,
    /// Series beyond those that were wanted.
    pub(super) left_out: usize,
    /// Why it is not the whole truth, in the server's words; empty when it is.
    pub(super) partial: Vec<String>,
    /// Remarks that take nothing away from it.
    pub(super) infos: Vec<String>,
    pub(super) bytes: u64,
}

/// The data of an answer, and what the server remarks about it.
pub(super) struct ReplyEnvelope<'a> {
    pub(super) data: &'a RawValue,
    pub(super) partial: Vec<String>,
    infos: Vec<String>,
}

/// A server and the address of its query interface.
#[derive(Debug, Clone)]
pub(super) struct PrometheusServer(RemoteServer);

impl PrometheusServer {
    /// A server at this address, which knows no caller.
    pub(super) fn preset(client: Client, endpoint: &str) -> Result<Self, ToolsError> {
        RemoteServer::plain(client, endpoint, "prometheus").map(Self)
    }

    /// A server of the kind `prometheus`.
    pub(super) const fn new(remote: RemoteServer) -> Self {
        Self(remote)
    }

    /// Asks one endpoint of the query interface; at most `series_max` series of the answer are read.
    pub(super) async fn ask(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
        series_max: usize,
    ) -> Result<QueryAnswer, ToolOutcome> {
        let body = self.body(path, parameters).await?;
        read(&body, series_max).map_err(|detail| failed(Happened::No, FailureKind::Permanent, detail))
    }

    /// What one endpoint answers.
    pub(super) async fn body(&self, path: &str, parameters: &[(&str, &str)]) -> Result<ReplyBody, ToolOutcome> {
        http::get_text(self.0.get(path, parameters), LIST_MAX).await
    }

    /// The server's own time in Unix seconds, so that a clock that differs from ours shifts nothing.
    pub(super) async fn now(&self) -> Result<f64, ToolOutcome> {
        let answer = self.ask("api/v1/query", &[("query", "time()")], 1).await?;
        let time = answer.found.first().and_then(FoundSeries::number);
        time.ok_or_else(|| failed(Happened::No, FailureKind::Unknown, "the server does not say its time"))
    }
}

/// Opens an answer. An error says why it is none.
pub(super) fn envelope(body: &ReplyBody) -> Result<ReplyEnvelope<'_>, String> {
    if body.cut {
        return Err(format!("the answer is longer than {LIST_MAX} bytes; ask for less: aggregate, or name labels"));
    }
    let reply: QueryReply<'_> = serde_json::from_str(&body.text).map_err(|error| unreadable(error.to_string()))?;
    if reply.status.as_deref() != Some("success") {
        let why = [reply.kind, reply.error].into_iter().flatten().collect::<Vec<_>>().join(": ");
        return Err(if why.is_empty() { unreadable("it has no status") } else { http::start(&why) });
    }
    let data = reply.data.ok_or_else(|| unreadable("it has no data"))?;
    let mut partial = remarks(reply.warnings);
    if reply.is_partial == Value::Bool(true) {
        partial.push("the server says that the answer is partial".to_owned());
    }
    Ok(ReplyEnvelope { data, partial, infos: remarks(reply.infos) })
}

pub(super) fn unreadable(why: impl Display) -> String {
    format!("it cannot be read as an answer to a query: {why}")
}

/// Reads an answer. An error says why it is none.
fn read(body: &ReplyBody, series_max: usize) -> Result<QueryAnswer, String> {
    let ReplyEnvelope { data, mut partial, infos } = envelope(body)?;
    let data: ReplyData<'_> = serde_json::from_str(data.get()).map_err(unreadable)?;
    let form = ResultForm::named(&data.result_type)
        .ok_or_else(|| unreadable(format!("its result is a `{}`", http::start(&data.result_type))))?;
    let items = items(&form, data.result).map_err(unreadable)?;
    let left_out = items.len().saturating_sub(series_max);
    let (mut found, mut odd) = (Vec::new(), 0_usize);
    for item in items.into_iter().take(series_max) {
        match form.read(item) {
            Some(series) => found.push(series),
            None => odd += 1,
        }
    }
    if odd > 0 {
        partial.push(format!("{odd} of its series have a form that is not known"));
    }
    Ok(QueryAnswer { found, left_out, partial, infos, bytes: body.bytes })
}

/// Remarks as texts: a list of them, or one alone.
fn remarks(said: Value) -> Vec<String> {
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    match said {
        Value::Null => Vec::new(),
        Value::Array(list) => list.into_iter().map(text).collect(),
        one => vec![text(one)],
    }
}

/// The items of a result: its series, or the one sample of a scalar.
fn items<'a>(form: &ResultForm, result: Option<&'a RawValue>) -> serde_json::Result<Vec<&'a RawValue>> {
    let Some(result) = result.filter(|result| result.get() != "null") else { return Ok(Vec::new()) };
    match form {
        ResultForm::Vector | ResultForm::Matrix => serde_json::from_str(result.get()),
        ResultForm::Single => Ok(vec![result]),
    }
}

/// The answer in the shape of this module, with `more` facts.
pub(super) fn outcome(answer: QueryAnswer, more: Map<String, Value>) -> ToolOutcome {
    let QueryAnswer { found, left_out, partial, infos, bytes } = answer;
    let value = match found.as_slice() {
        [only] if left_out == 0 => only.value(),
        _ => Value::Null,
    };
    let why = partial.join("; ");
    let nothing = "the query matched no series";
    let results: Vec<Value> = found.into_iter().map(FoundSeries::shown).collect();
    if results.is_empty() && partial.is_empty() {
        return ToolOutcome::Empty { note: nothing.to_owned() };
    }
    let mut content = more;
    content.insert("value".to_owned(), value);
    content.insert("results".to_owned(), Value::Array(results));
    for (name, list) in [("warnings", partial), ("infos", infos)] {
        if !list.is_empty() {
            content.insert(name.to_owned(), list.into());
        }
    }
    if left_out > 0 {
        content.insert("more".to_owned(), left_out.into());
    }
    match bound::outcome(&Value::Object(content), OUTPUT_LIMIT, nothing) {
        ToolOutcome::Ok { content } | ToolOutcome::Truncated { content, .. } if !why.is_empty() => {
            ToolOutcome::Partial { content, why: http::start(&crate::redact::redact(&why)) }
        }
        ToolOutcome::Ok { content } if left_out > 0 => ToolOutcome::Truncated { content, total_bytes: bytes },
        outcome => outcome,
    }
}
