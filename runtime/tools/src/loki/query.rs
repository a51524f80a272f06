//! `NAME:query`: the newest lines that a query finds, by stream, newest first.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::port::{Clock, ToolBackend};
use provost_domain::tool::{Happened, ToolCall, ToolOutcome, ToolSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::ToolsError;
use crate::http::{LIST_MAX, ReplyBody};
use crate::redact::redact;
use crate::server::{OpenServer, RemoteServer, ToolWords};
use crate::span::TimeSpan;
use crate::spec::{args, failed};
use crate::{bound, http};

/// How far back it looks unless it is told.
const LAST: TimeSpan = TimeSpan(Duration::from_hours(1));
/// How many lines it returns unless it is told.
const LINES: usize = 100;
/// Most lines of one answer.
const LINES_MAX: usize = 500;
/// What an empty result says.
const NOTHING: &str = "no line matches";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LogQueryArgs {
    /// The `LogQL` expression, which selects lines.
    #[schemars(length(min = 1, max = 2000), extend("x-syntax" = "logql"))]
    query: String,
    /// How far back from now, such as `15m`; an hour without it.
    last: Option<TimeSpan>,
    /// At most this many lines, the newest; 100 without it.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<usize>,
}

/// The answer of `NAME:query`.
#[derive(Debug, Serialize, JsonSchema)]
struct LogLines {
    /// How many lines are listed.
    count: usize,
    streams: Vec<LogStream>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct LogStream {
    labels: BTreeMap<String, String>,
    lines: Vec<LogLine>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
struct LogLine {
    /// When it was written, in Unix seconds.
    at: f64,
    text: String,
}

#[derive(Debug, Deserialize)]
struct LokiReply {
    data: LokiData,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LokiData {
    result_type: String,
    #[serde(default)]
    result: Vec<Value>,
}

/// A line with its stream's labels; those that are newer sort first.
type FoundLine<'a> = (u64, &'a BTreeMap<String, String>, &'a str);

/// A time in nanoseconds, and a line.
type TimedLine = (u64, String);

/// What a server answered, item by item.
#[derive(Debug, Default)]
struct FoundStreams {
    streams: Vec<(BTreeMap<String, String>, Vec<TimedLine>)>,
    /// Items without a reading.
    odd: usize,
}

impl FoundStreams {
    fn read(items: &[Value]) -> Self {
        let mut found = Self::default();
        for item in items {
            let labels = item.get("stream").and_then(|labels| BTreeMap::deserialize(labels).ok());
            let Some((labels, values)) = labels.zip(item.get("values").and_then(Value::as_array)) else {
                found.odd += 1;
                continue;
            };
            let lines: Vec<TimedLine> = values.iter().filter_map(line).collect();
            found.odd += values.len() - lines.len();
            found.streams.push((labels, lines));
        }
        found
    }

    /// The newest lines, the newest first.
    fn newest(&self) -> Vec<FoundLine<'_>> {
        let lines = self
            .streams
            .iter()
            .flat_map(|(labels, lines)| lines.iter().map(move |(at, text)| (*at, labels, text.as_str())));
        let mut all: Vec<FoundLine<'_>> = lines.collect();
        all.sort_by_key(|(at, ..)| Reverse(*at));
        all
    }
}

/// A time in nanoseconds, as text, and a line; newer servers add a third value.
fn line(pair: &Value) -> Option<TimedLine> {
    let (at, text) = (pair.get(0)?, pair.get(1)?);
    let at = at.as_str().map_or_else(|| at.as_u64(), |at| at.parse().ok())?;
    Some((at, text.as_str()?.to_owned()))
}

/// The lines by stream, in the order of each stream's newest.
fn listed(lines: &[FoundLine<'_>]) -> LogLines {
    let mut streams: Vec<LogStream> = Vec::new();
    for (at, labels, text) in lines {
        #[expect(clippy::cast_precision_loss, reason = "a time is told to the microsecond")]
        let line = LogLine { at: *at as f64 / 1e9, text: redact(text) };
        match streams.iter_mut().find(|stream| stream.labels == **labels) {
            Some(stream) => stream.lines.push(line),
            None => streams.push(LogStream { labels: (*labels).clone(), lines: vec![line] }),
        }
    }
    LogLines { count: lines.len(), streams }
}

/// `NAME:query`.
#[derive(Debug)]
pub(super) struct LogQuery {
    spec: ToolSpec,
    server: RemoteServer,
    clock: Arc<dyn Clock>,
}

impl LogQuery {
    pub(super) fn new(server: &OpenServer<'_>, remote: RemoteServer) -> Result<Self, ToolsError> {
        let about = "Finds lines of logs by a LogQL expression: the newest, by stream.";
        let spec = server.spec::<LogQueryArgs, LogLines>(ToolWords::read("query", about))?;
        Ok(Self { spec, server: remote, clock: Arc::clone(&server.parts().clock) })
    }

    async fn lines(&self, wanted: &LogQueryArgs) -> Result<ToolOutcome, ToolOutcome> {
        let limit = wanted.limit.unwrap_or(LINES).min(LINES_MAX);
        let end = self.clock.now().micros();
        let back = i64::try_from(wanted.last.unwrap_or(LAST).0.as_micros()).unwrap_or(i64::MAX);
        // Nanoseconds. One line more than wanted says whether there are more.
        let (start, end) = (format!("{}000", end.saturating_sub(back)), format!("{end}000"));
        let more = (limit + 1).to_string();
        let parameters = [
            ("query", wanted.query.as_str()),
            ("start", &start),
            ("end", &end),
            ("limit", &more),
            ("direction", "backward"),
        ];
        let request = self.server.get("loki/api/v1/query_range", &parameters);
        let body = http::get_text(request, LIST_MAX).await?;
        answer(&body, limit, self.spec.output_limit)
            .map_err(|detail| failed(Happened::No, FailureKind::Permanent, detail))
    }
}

/// Reads an answer. An error says why it is none.
fn answer(body: &ReplyBody, limit: usize, output: usize) -> Result<ToolOutcome, String> {
    if body.cut {
        return Err(format!("the answer is longer than {LIST_MAX} bytes; ask for fewer lines with `limit`"));
    }
    let reply: LokiReply = serde_json::from_str(&body.text)
        .map_err(|error| format!("it cannot be read as an answer to a query of logs: {error}"))?;
    if reply.data.result_type != "streams" {
        let kind = http::start(&reply.data.result_type);
        return Err(format!(
            "the query selects no lines, its result is a `{kind}`; leave functions such as `rate` out"
        ));
    }
    let found = FoundStreams::read(&reply.data.result);
    let mut partial = reply.warnings;
    if found.odd > 0 {
        partial.push(format!("{} of its lines or streams cannot be read", found.odd));
    }
    let lines = found.newest();
    if lines.is_empty() && partial.is_empty() {
        return Ok(ToolOutcome::Empty { note: NOTHING.to_owned() });
    }
    // What does not fit loses its oldest lines.
    let mut kept = lines.len().min(limit);
    let mut content = json!(listed(lines.get(..kept).unwrap_or_default()));
    while content.to_string().len() > output && kept > 1 {
        kept /= 2;
        content = json!(listed(lines.get(..kept).unwrap_or_default()));
    }
    Ok(match bound::outcome(&content, output, NOTHING) {
        ToolOutcome::Ok { content } | ToolOutcome::Truncated { content, .. } if !partial.is_empty() => {
            ToolOutcome::Partial { content, why: http::start(&redact(&partial.join("; "))) }
        }
        ToolOutcome::Ok { content } if kept < lines.len() => {
            ToolOutcome::Truncated { content, total_bytes: body.bytes }
        }
        outcome => outcome,
    })
}

#[async_trait]
impl ToolBackend for LogQuery {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        match args(call) {
            Ok(wanted) => self.lines(&wanted).await.unwrap_or_else(|outcome| outcome),
            Err(outcome) => outcome,
        }
    }
}
