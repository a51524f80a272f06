//! `NAME:query` and `NAME:query_range`.

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{Happened, ToolCall, ToolOutcome, ToolSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::query::SERIES_MAX;
use super::range::{self, STEPS_MAX, step};
use super::samples::{FoundSeries, SeriesCourse, SeriesNow, SeriesReading};
use super::server::{PrometheusServer, QueryAnswer, SERVER_TIMEOUT};
use crate::error::ToolsError;
use crate::redact::redact;
use crate::server::{OpenServer, ToolWords};
use crate::span::{TimePoint, TimeSpan};
use crate::spec::{args, failed};
use crate::{bound, http};

/// What an empty result says.
const NOTHING: &str = "the query matched no series";
/// Longest range, in seconds: a year.
const RANGE_MAX: u64 = 366 * 24 * 3600;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ServedQueryArgs {
    /// The `PromQL` expression.
    #[schemars(length(min = 1, max = 2000), extend("x-syntax" = "promql"))]
    query: String,
    /// When to evaluate it, RFC 3339 or Unix seconds; now without it.
    time: Option<TimePoint>,
}

/// What `query` answers.
#[derive(Debug, Serialize, JsonSchema)]
struct ServedQueryResult {
    /// The value, if there is exactly one series.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<SeriesReading>,
    series: Vec<SeriesNow>,
    warnings: Vec<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RangeQueryArgs {
    /// The `PromQL` expression.
    #[schemars(length(min = 1, max = 2000), extend("x-syntax" = "promql"))]
    query: String,
    /// How far back from now, such as `30m`; or write `from` and `to`.
    last: Option<TimeSpan>,
    /// The beginning, RFC 3339 or Unix seconds.
    from: Option<TimePoint>,
    /// The end; now without it.
    to: Option<TimePoint>,
    /// The time between two samples, such as `1m`; one that fits the range without it.
    step: Option<TimeSpan>,
}

/// What `query_range` answers.
#[derive(Debug, Serialize, JsonSchema)]
struct RangeQueryResult {
    /// Seconds between two samples.
    step_s: u32,
    series: Vec<SeriesCourse>,
    warnings: Vec<String>,
}

/// The remarks of an answer for its reader, and whether something of it is missing.
fn warnings(answer: &QueryAnswer) -> Vec<String> {
    let more = (answer.left_out > 0).then(|| format!("{} more series are not listed", answer.left_out));
    answer.partial.iter().chain(&answer.infos).map(|text| http::start(&redact(text))).chain(more).collect()
}

/// An answer within its bound; one that is cut or partial says so.
fn outcome(content: &impl Serialize, limit: usize, missing: &AnswerFlaws) -> ToolOutcome {
    match bound::outcome(&json!(content), limit, NOTHING) {
        ToolOutcome::Ok { content } | ToolOutcome::Truncated { content, .. } if !missing.why.is_empty() => {
            ToolOutcome::Partial { content, why: http::start(&redact(&missing.why)) }
        }
        ToolOutcome::Ok { content } if missing.cut => ToolOutcome::Truncated { content, total_bytes: missing.bytes },
        outcome => outcome,
    }
}

/// What an answer lacks.
struct AnswerFlaws {
    /// Why it is partial; empty when it is whole.
    why: String,
    /// Whether series were left out.
    cut: bool,
    bytes: u64,
}

impl AnswerFlaws {
    fn of(answer: &QueryAnswer) -> Self {
        Self { why: answer.partial.join("; "), cut: answer.left_out > 0, bytes: answer.bytes }
    }
}

fn is_empty(answer: &QueryAnswer) -> bool {
    answer.found.is_empty() && answer.partial.is_empty()
}

/// `NAME:query`.
#[derive(Debug)]
pub(super) struct ServedQuery {
    spec: ToolSpec,
    server: PrometheusServer,
}

impl ServedQuery {
    pub(super) fn new(server: &OpenServer<'_>, asked: PrometheusServer) -> Result<Self, ToolsError> {
        let about = "Evaluates a PromQL expression now: `value` when it gives one number, else `series` by labels.";
        Ok(Self {
            spec: server.spec::<ServedQueryArgs, ServedQueryResult>(ToolWords::read("query", about))?,
            server: asked,
        })
    }

    async fn query(&self, wanted: &ServedQueryArgs) -> Result<ToolOutcome, ToolOutcome> {
        let time = wanted.time.map(|time| time.0.to_string());
        let mut parameters = vec![("query", wanted.query.as_str()), ("timeout", SERVER_TIMEOUT)];
        parameters.extend(time.as_deref().map(|time| ("time", time)));
        let answer = self.server.ask("api/v1/query", &parameters, SERIES_MAX).await?;
        if is_empty(&answer) {
            return Ok(ToolOutcome::Empty { note: NOTHING.to_owned() });
        }
        let (flaws, warnings) = (AnswerFlaws::of(&answer), warnings(&answer));
        let series: Vec<SeriesNow> = answer.found.into_iter().map(FoundSeries::measured).collect();
        let value = match series.as_slice() {
            [only] if !flaws.cut => only.value.clone(),
            _ => None,
        };
        Ok(outcome(&ServedQueryResult { value, series, warnings }, self.spec.output_limit, &flaws))
    }
}

#[async_trait]
impl ToolBackend for ServedQuery {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        match args(call) {
            Ok(wanted) => self.query(&wanted).await.unwrap_or_else(|outcome| outcome),
            Err(outcome) => outcome,
        }
    }
}

/// `NAME:query_range`.
#[derive(Debug)]
pub(super) struct RangeQuery {
    spec: ToolSpec,
    server: PrometheusServer,
}

fn refused(detail: impl Into<String>) -> ToolOutcome {
    failed(Happened::No, FailureKind::Permanent, detail)
}

impl RangeQuery {
    pub(super) fn new(server: &OpenServer<'_>, asked: PrometheusServer) -> Result<Self, ToolsError> {
        let about = "Evaluates a PromQL expression over a time: per series `min`, `max`, `last` and `samples`.";
        let words = ToolWords::read("query_range", about);
        Ok(Self { spec: server.spec::<RangeQueryArgs, RangeQueryResult>(words)?, server: asked })
    }

    /// Beginning and end in Unix seconds.
    async fn times(&self, wanted: &RangeQueryArgs) -> Result<(f64, f64), ToolOutcome> {
        let (from, to) = match (wanted.last, wanted.from, wanted.to) {
            (Some(last), None, None) => {
                let now = self.server.now().await?;
                (now - last.0.as_secs_f64(), now)
            }
            (None, Some(from), Some(to)) => (from.0, to.0),
            (None, Some(from), None) => (from.0, self.server.now().await?),
            (None, None, _) | (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
                return Err(refused("write either `last`, or `from` and perhaps `to`"));
            }
        };
        if from < to { Ok((from, to)) } else { Err(refused("`from` must be before `to`")) }
    }

    async fn range(&self, wanted: &RangeQueryArgs) -> Result<ToolOutcome, ToolOutcome> {
        let (from, to) = self.times(wanted).await?;
        let Some(seconds) = whole_seconds(to - from) else {
            return Err(refused("the range is longer than a year; ask for less"));
        };
        let step = match wanted.step {
            None => step(seconds),
            Some(step) => u32::try_from(step.0.as_secs()).unwrap_or(u32::MAX),
        };
        if seconds / step > STEPS_MAX {
            let least = range::step(seconds);
            return Err(refused(format!(
                "a step of {step} s gives more than {STEPS_MAX} samples of each series; the least for this range is {least}s"
            )));
        }
        let [start, end, step_text] = [from.to_string(), to.to_string(), step.to_string()];
        let parameters = [
            ("query", wanted.query.as_str()),
            ("start", &start),
            ("end", &end),
            ("step", &step_text),
            ("timeout", SERVER_TIMEOUT),
        ];
        let answer = self.server.ask("api/v1/query_range", &parameters, range::SERIES_MAX).await?;
        if is_empty(&answer) {
            return Ok(ToolOutcome::Empty { note: NOTHING.to_owned() });
        }
        let (flaws, warnings) = (AnswerFlaws::of(&answer), warnings(&answer));
        // The last point asked for lies less than a step before the end.
        let since = to - f64::from(step) + 0.5;
        let series = answer.found.into_iter().map(|found| found.only_since(since).course()).collect();
        Ok(outcome(&RangeQueryResult { step_s: step, series, warnings }, self.spec.output_limit, &flaws))
    }
}

/// Whole seconds of a range; nothing where it is too long.
fn whole_seconds(range: f64) -> Option<u32> {
    let seconds = std::time::Duration::try_from_secs_f64(range).ok()?.as_secs().max(1);
    u32::try_from(seconds).ok().filter(|_| seconds <= RANGE_MAX)
}

#[async_trait]
impl ToolBackend for RangeQuery {
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
