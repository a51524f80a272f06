//! `metrics:scrape`: named series of a Prometheus text endpoint, now and over the last samples.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, Risk, ToolCall, ToolOutcome, ToolSpec};
use reqwest::Client;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::ToolsError;
use crate::spec::{Declaration, OUTPUT_LIMIT, args};
use crate::{bound, http};

/// Samples kept of one series.
const SAMPLES_MAX: usize = 32;
/// Series whose samples are kept.
const SERIES_MAX: usize = 256;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the model may name the service; the endpoint is configured")]
struct ScrapeArgs {
    /// Names of the series to read.
    #[schemars(length(min = 1, max = 16))]
    series: Vec<String>,
    /// The service the case is about.
    service: Option<String>,
}

#[derive(Debug)]
pub(super) struct Scrape {
    spec: ToolSpec,
    client: Client,
    endpoint: String,
    samples: Mutex<BTreeMap<String, VecDeque<f64>>>,
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

    /// The last samples of a series, this one included if something was measured.
    fn remember(&self, name: &str, value: Option<f64>) -> Vec<f64> {
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.len() >= SERIES_MAX && !samples.contains_key(name) {
            samples.clear();
        }
        let series = samples.entry(name.to_owned()).or_default();
        series.extend(value);
        if series.len() > SAMPLES_MAX {
            series.pop_front();
        }
        series.iter().copied().collect()
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
        let text = match http::get_text(self.client.get(&self.endpoint)).await {
            Ok(text) => text,
            Err(outcome) => return outcome,
        };
        let found = parse(&text);
        if !wanted.series.iter().any(|name| found.get(name).is_some_and(Option::is_some)) {
            return ToolOutcome::Empty {
                note: format!("none of these series has a value: {}", wanted.series.join(", ")),
            };
        }
        let mut content = Map::new();
        let mut missing = Vec::new();
        for name in wanted.series {
            match found.get(&name) {
                Some(value) => {
                    let samples = self.remember(&name, *value);
                    content.insert(name, json!({"now": value, "samples": samples}));
                }
                None => missing.push(name),
            }
        }
        if !missing.is_empty() {
            content.insert("missing".to_owned(), json!(missing));
        }
        bound::outcome(&Value::Object(content), OUTPUT_LIMIT, "no series was asked for")
    }
}

/// Series of the text format: each sample under its full name with labels, and a bare name summed over its labels. A
/// value that is not finite measures nothing, and neither does a sum it is part of: `None`, never 0.
fn parse(text: &str) -> BTreeMap<String, Option<f64>> {
    let mut series: BTreeMap<String, Option<f64>> = BTreeMap::new();
    let mut add = |name: &str, value: f64| {
        let sum = series.entry(name.to_owned()).or_insert(Some(0.0));
        *sum = sum.map(|sum| sum + value).filter(|sum| sum.is_finite());
    };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let name_end = line.find('}').map_or_else(|| line.find(char::is_whitespace), |brace| Some(brace + 1));
        let Some((name, rest)) = name_end.and_then(|end| line.split_at_checked(end)) else { continue };
        let Some(value) = rest.split_whitespace().next().and_then(|v| v.parse::<f64>().ok()) else { continue };
        if let Some((bare, _)) = name.split_once('{') {
            add(bare, value);
        }
        add(name, value);
    }
    series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_format() {
        let text = "# HELP x y\nhttp_requests_total{code=\"200\"} 10\nhttp_requests_total{code=\"500\"} 5 1700\n\
                    ratio 0.5\nworse\n";
        let series = parse(text);
        assert_eq!(series.get("http_requests_total"), Some(&Some(15.0)));
        assert_eq!(series.get("http_requests_total{code=\"500\"}"), Some(&Some(5.0)));
        assert_eq!(series.get("ratio"), Some(&Some(0.5)));
        assert_eq!(series.len(), 4);
    }

    #[test]
    fn what_is_no_number_is_not_measured_and_spoils_its_sum() {
        let series = parse("bad NaN\nhigh +Inf\nsum{a=\"1\"} 3\nsum{a=\"2\"} NaN\nsum{a=\"3\"} 4\n");
        for name in ["bad", "high", "sum", "sum{a=\"2\"}"] {
            assert_eq!(series.get(name), Some(&None), "{name}");
        }
        assert_eq!(series.get("sum{a=\"3\"}"), Some(&Some(4.0)));
    }
}
