//! `metrics:scrape`: named series of a page of metrics, now and over the last samples.
//!
//! The answer has an entry for each name that was asked for: `{"http_errors_ratio": {"now": 0.25, "samples": [0.25]}}`, with
//! `type`, `labels` and `at` where the page tells them. `now` is `null`, never 0, where there is no number: NaN, an infinity
//! (both named in `text`), or a name that several series have. Only counts are summed over their labels, since only their
//! sum means something; for any other name the labels are listed, to be chosen from with `match`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::ids::SessionId;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, Happened, Risk, ToolCall, ToolOutcome, ToolSpec};
use reqwest::Client;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::exposition::{MetricsPage, ends};
use super::pick::{SamplePick, pick};
use crate::error::ToolsError;
use crate::http::{ReplyBody, TEXT_MAX};
use crate::spec::{Declaration, OUTPUT_LIMIT, args, failed};
use crate::{bound, http};

/// Samples kept of one series.
const SAMPLES_MAX: usize = 32;
/// Series whose samples are kept.
const SERIES_MAX: usize = 256;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ScrapeArgs {
    /// Names of the series to read.
    #[schemars(length(min = 1, max = 16))]
    series: Vec<String>,
    /// Labels that each series must have, with their values; for names that several series have.
    #[serde(rename = "match", default)]
    matches: BTreeMap<String, String>,
    /// The service the case is about.
    #[expect(dead_code, reason = "the model may name the service; the endpoint is configured")]
    service: Option<String>,
}

/// What was measured of one name, by session.
type SampleMemory = BTreeMap<(SessionId, String), VecDeque<f64>>;

#[derive(Debug)]
pub(super) struct Scrape {
    spec: ToolSpec,
    client: Client,
    endpoint: String,
    samples: Mutex<SampleMemory>,
}

impl Scrape {
    pub(super) fn new(client: Client, endpoint: &str) -> Result<Self, ToolsError> {
        let spec = Declaration {
            name: "metrics:scrape",
            description: "Reads named metric series: the value now and the last samples.",
            effect: EffectClass::Read,
            risk: Risk::Low,
            timeout: Duration::from_secs(10),
        }
        .spec::<ScrapeArgs>()?;
        Ok(Self { spec, client, endpoint: endpoint.to_owned(), samples: Mutex::default() })
    }

    /// The last samples that a session measured of a name, this one included if something was measured.
    fn remember(&self, session: SessionId, name: String, value: Option<f64>) -> Vec<f64> {
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (session, name);
        if samples.len() >= SERIES_MAX && !samples.contains_key(&key) {
            samples.clear();
        }
        let series = samples.entry(key).or_default();
        series.extend(value);
        if series.len() > SAMPLES_MAX {
            series.pop_front();
        }
        series.iter().copied().collect()
    }

    /// The answer about some names of a page.
    fn answer(&self, session: SessionId, wanted: &ScrapeArgs, body: &ReplyBody) -> ToolOutcome {
        let open_metrics = body.content_type.starts_with("application/openmetrics-text");
        // A page in that format that lacks its end broke off, however well its transfer ended.
        let cut = body.cut || (open_metrics && !ends(&body.text));
        let page = MetricsPage::read(&body.text, cut, open_metrics);
        let mut found = ScrapeFindings::default();
        for name in &wanted.series {
            found.add(name, pick(&page, name, &wanted.matches, cut), |name, value| self.remember(session, name, value));
        }
        found.outcome(cut.then_some(body.bytes), &wanted.series)
    }
}

/// What was found of the names that were asked for.
#[derive(Default)]
struct ScrapeFindings {
    content: Map<String, Value>,
    missing: Vec<String>,
    /// Names of several series, each with their labels.
    ambiguous: Vec<String>,
    /// Names of which a line of the page cannot be read.
    unread: Vec<String>,
    measured: bool,
}

impl ScrapeFindings {
    fn add(&mut self, name: &str, picked: SamplePick, remember: impl FnOnce(String, Option<f64>) -> Vec<f64>) {
        let SamplePick { value, mut shown, ambiguous, unread } = picked;
        if ambiguous {
            self.ambiguous.push(format!("`{name}`: {}", shown.get("choose").unwrap_or(&Value::Null)));
        }
        if unread {
            self.unread.push(name.to_owned());
        }
        if shown.is_empty() && !unread {
            return self.missing.push(name.to_owned());
        }
        self.measured |= value.is_some();
        let samples = remember(name.to_owned(), value);
        shown.insert("now".to_owned(), json!(value));
        shown.insert("samples".to_owned(), json!(samples));
        self.content.insert(name.to_owned(), Value::Object(shown));
    }

    /// `cut` is how large a page was that was not read to its end.
    fn outcome(mut self, cut: Option<u64>, wanted: &[String]) -> ToolOutcome {
        if !self.measured && !self.ambiguous.is_empty() {
            let detail = format!("several series have that name; choose by `match`: {}", self.ambiguous.join("; "));
            return failed(Happened::No, FailureKind::Permanent, http::start(&detail));
        }
        if !self.missing.is_empty() {
            self.content.insert("missing".to_owned(), json!(self.missing));
        }
        let whole = cut.is_none() && self.unread.is_empty();
        if !self.measured && whole {
            return ToolOutcome::Empty { note: format!("none of these series has a value: {}", wanted.join(", ")) };
        }
        let outcome = bound::outcome(&Value::Object(self.content), OUTPUT_LIMIT, "no series was asked for");
        match (outcome, cut) {
            (ToolOutcome::Ok { content }, Some(total_bytes)) => ToolOutcome::Truncated { content, total_bytes },
            (ToolOutcome::Ok { content }, None) if !self.unread.is_empty() => {
                let why = format!("lines of the page cannot be read: {}", self.unread.join(", "));
                ToolOutcome::Partial { content, why }
            }
            (outcome, _) => outcome,
        }
    }
}

#[async_trait]
impl ToolBackend for Scrape {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        let wanted: ScrapeArgs = match args(call) {
            Ok(args) => args,
            Err(outcome) => return outcome,
        };
        match http::get_text(self.client.get(&self.endpoint), TEXT_MAX).await {
            Ok(body) => self.answer(call.session, &wanted, &body),
            Err(outcome) => outcome,
        }
    }
}
