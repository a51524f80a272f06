//! `NAME:scrape` of a server of the kind `metrics`: named series of its page as they stand there. Nothing is summed and
//! nothing is remembered.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, Happened, ToolCall, ToolOutcome, ToolSpec};
use provost_form::{ErrorLog, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::exposition::{MetricsPage, PageSample, SampleLabels, ends};
use super::pick::{LISTED_MAX, fitting, selector};
use crate::error::ToolsError;
use crate::http::{ReplyBody, TEXT_MAX};
use crate::server::{DeclaredTool, OpenServer, RemoteSection, RemoteServer, ServerKind, ToolWords};
use crate::spec::{args, failed};
use crate::{bound, http};

/// A server of the kind `metrics`: one page in the text format of Prometheus or in `OpenMetrics`.
#[derive(Debug)]
pub(crate) struct MetricsServer(RemoteSection);

impl ServerKind for MetricsServer {
    const KEYS: &'static [&'static str] = RemoteSection::KEYS;

    fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self {
        Self(RemoteSection::read(table, log))
    }

    fn declared(&self) -> Vec<DeclaredTool<'_>> {
        vec![DeclaredTool { name: "scrape", effect: EffectClass::Read }]
    }

    fn remote(&self) -> Option<&RemoteSection> {
        Some(&self.0)
    }

    fn tools(&self, server: &OpenServer<'_>) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        let about = "Reads named series of a page of metrics, each with value, labels and type.";
        let spec = server.spec::<PageArgs, BTreeMap<String, ScrapedSeries>>(ToolWords::read("scrape", about))?;
        Ok(vec![Arc::new(PageScrape { spec, server: RemoteServer::open(&self.0, server)? })])
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PageArgs {
    /// Names of the series to read, with labels where several have the name: `requests_total{code="500"}`.
    #[schemars(length(min = 1, max = 16))]
    series: Vec<String>,
    /// Labels that each series must have, with their values.
    #[serde(rename = "match", default)]
    matches: BTreeMap<String, String>,
}

/// What is known of one series.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct ScrapedSeries {
    /// A number, or the text `NaN`, `+Inf` or `-Inf`; nothing where the page has no such series.
    value: Option<SampleValue>,
    labels: SampleLabels,
    /// `counter`, `gauge`, `histogram` or `summary`, where the page says so.
    #[serde(rename = "type")]
    kind: Option<&'static str>,
    /// Unix seconds, where the page says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<f64>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum SampleValue {
    Number(f64),
    Text(&'static str),
}

impl SampleValue {
    fn of(value: f64) -> Self {
        if value.is_finite() {
            Self::Number(value)
        } else if value.is_nan() {
            Self::Text("NaN")
        } else if value > 0.0 {
            Self::Text("+Inf")
        } else {
            Self::Text("-Inf")
        }
    }
}

/// What a name means on a page: a series, or none. An error lists the labels of several.
fn series(page: &MetricsPage, wanted: &str, matches: &BTreeMap<String, String>) -> Result<ScrapedSeries, String> {
    let kind = page.type_of(&selector(wanted).0).as_str();
    let found: Vec<&PageSample> = fitting(page, wanted, matches);
    match found.as_slice() {
        [] => Ok(ScrapedSeries { kind, ..ScrapedSeries::default() }),
        [one] => {
            Ok(ScrapedSeries { value: Some(SampleValue::of(one.value)), labels: one.labels.clone(), kind, at: one.at })
        }
        many => {
            let labels: Vec<&SampleLabels> = many.iter().take(LISTED_MAX).map(|sample| &sample.labels).collect();
            Err(format!("`{wanted}` fits {} series; choose one by `match`: {}", many.len(), json!(labels)))
        }
    }
}

/// `NAME:scrape`.
#[derive(Debug)]
struct PageScrape {
    spec: ToolSpec,
    server: RemoteServer,
}

impl PageScrape {
    fn answer(&self, wanted: &PageArgs, body: &ReplyBody) -> ToolOutcome {
        let open_metrics = body.content_type.starts_with("application/openmetrics-text");
        // A page in that format that lacks its end broke off, however well its transfer ended.
        let cut = body.cut || (open_metrics && !ends(&body.text));
        let page = MetricsPage::read(&body.text, cut, open_metrics);
        let mut found = BTreeMap::new();
        for name in &wanted.series {
            match series(&page, name, &wanted.matches) {
                Ok(series) => drop(found.insert(name.clone(), series)),
                Err(detail) => return failed(Happened::No, FailureKind::Permanent, http::start(&detail)),
            }
        }
        let unread = |name: &&String| page.unread.contains_key(selector(name).0.as_str());
        let unread: Vec<&str> = wanted.series.iter().filter(unread).map(String::as_str).collect();
        let nothing = format!("the page has none of these series: {}", wanted.series.join(", "));
        if !cut && unread.is_empty() && found.values().all(|series| series.value.is_none()) {
            return ToolOutcome::Empty { note: nothing };
        }
        match bound::outcome(&json!(found), self.spec.output_limit, &nothing) {
            ToolOutcome::Ok { content } if cut => ToolOutcome::Truncated { content, total_bytes: body.bytes },
            ToolOutcome::Ok { content } if !unread.is_empty() => {
                let why = format!("lines of the page cannot be read: {}", unread.join(", "));
                ToolOutcome::Partial { content, why }
            }
            outcome => outcome,
        }
    }
}

#[async_trait]
impl ToolBackend for PageScrape {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        let wanted: PageArgs = match args(call) {
            Ok(args) => args,
            Err(outcome) => return outcome,
        };
        match http::get_text(self.server.page(), TEXT_MAX).await {
            Ok(body) => self.answer(&wanted, &body),
            Err(outcome) => outcome,
        }
    }
}
