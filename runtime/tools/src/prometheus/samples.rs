//! The samples of an answer: on the wire a time and a text; here a number, or none. What a server sends in another form
//! than its documentation says, such as numbers for texts, is taken where it has one reading.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// A sample: Unix seconds, and the value as a text.
pub(super) type Sample = (f64, String);

/// A value as tools of servers show it: a number, or the text of what is none, such as `NaN`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum SeriesReading {
    Number(f64),
    Text(String),
}

impl SeriesReading {
    fn of(text: &str) -> Self {
        number(text).map_or_else(|| Self::Text(text.to_owned()), Self::Number)
    }
}

/// A series with its newest sample.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SeriesNow {
    labels: BTreeMap<String, String>,
    pub(super) value: Option<SeriesReading>,
    /// Unix seconds.
    at: Option<f64>,
    /// A native histogram has no one value.
    #[serde(skip_serializing_if = "Option::is_none")]
    histogram: Option<Value>,
}

/// A series over a time.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SeriesCourse {
    labels: BTreeMap<String, String>,
    min: Option<f64>,
    max: Option<f64>,
    /// The value at the end; nothing when the series had ended before.
    last: Option<SeriesReading>,
    /// Unix seconds and value, oldest first.
    samples: Vec<(f64, SeriesReading)>,
}

/// One series of an answer.
#[derive(Debug)]
pub(super) struct FoundSeries {
    labels: BTreeMap<String, String>,
    /// The newest sample; none when the series had ended before.
    now: Option<Sample>,
    samples: Option<Vec<Sample>>,
    /// The newest native histogram, which is not a number.
    histogram: Option<(f64, Value)>,
}

/// The four forms of a result, each item unread.
#[derive(Debug)]
pub(super) enum ResultForm {
    /// One sample of each series.
    Vector,
    /// Many samples of each series.
    Matrix,
    /// One sample without a series.
    Single,
}

impl ResultForm {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "vector" => Some(Self::Vector),
            "matrix" => Some(Self::Matrix),
            "scalar" | "string" => Some(Self::Single),
            _ => None,
        }
    }

    /// Reads an item of the result; `None` if it has another form.
    pub(super) fn read(&self, item: &RawValue) -> Option<FoundSeries> {
        let item: Value = serde_json::from_str(item.get()).ok()?;
        match self {
            Self::Vector => FoundSeries::one(&item),
            Self::Matrix => FoundSeries::many(&item),
            Self::Single => Some(FoundSeries::single(sample(&item)?)),
        }
    }
}

/// A time and a value. Both may be numbers or texts.
fn sample(pair: &Value) -> Option<Sample> {
    let [at, value] = pair.as_array()?.as_slice() else { return None };
    let value = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    Some((time(at)?, value))
}

fn time(at: &Value) -> Option<f64> {
    at.as_f64().or_else(|| at.as_str()?.parse().ok())
}

/// The number a text stands for; `NaN` and the infinities measure nothing.
pub(super) fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A number where a text stands for one, else the text itself.
fn number_or_text(value: &Value) -> Value {
    value.as_str().and_then(number).map_or_else(|| value.clone(), Value::from)
}

/// A native histogram in short: how much it counted, and the sum of that. Its buckets are left out.
fn histogram(pair: &Value) -> Option<(f64, Value)> {
    let [at, body] = pair.as_array()?.as_slice() else { return None };
    let part = |name: &str| body.get(name).map_or(Value::Null, number_or_text);
    let buckets = body.get("buckets").and_then(Value::as_array).map_or(0, Vec::len);
    Some((time(at)?, json!({"count": part("count"), "sum": part("sum"), "buckets": buckets})))
}

fn labels(item: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let metric = item.get("metric").and_then(Value::as_object);
    metric.into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect()
}

impl FoundSeries {
    fn single(now: Sample) -> Self {
        Self { labels: BTreeMap::new(), now: Some(now), samples: None, histogram: None }
    }

    fn one(item: &Value) -> Option<Self> {
        let now = item.get("value").and_then(sample);
        let histogram = item.get("histogram").and_then(histogram);
        let read = now.is_some() || histogram.is_some();
        read.then(|| Self { labels: labels(item), now, samples: None, histogram })
    }

    fn many(item: &Value) -> Option<Self> {
        let list = |name: &str| item.get(name).and_then(Value::as_array);
        let samples = list("values").into_iter().flatten().map(sample).collect::<Option<Vec<_>>>()?;
        let histogram = list("histograms").and_then(|all| histogram(all.last()?));
        let read = !samples.is_empty() || histogram.is_some();
        read.then(|| Self { labels: labels(item), now: samples.last().cloned(), samples: Some(samples), histogram })
    }

    /// The newest sample's number.
    pub(super) fn number(&self) -> Option<f64> {
        self.now.as_ref().and_then(|(_, text)| number(text))
    }

    /// The same as JSON: `null` for none.
    pub(super) fn value(&self) -> Value {
        self.number().map_or(Value::Null, Value::from)
    }

    /// Forgets the newest sample if it is older than this: a series that ended says nothing about now.
    pub(super) fn only_since(mut self, time: f64) -> Self {
        self.now = self.now.filter(|(at, _)| *at >= time);
        self.histogram = self.histogram.filter(|(at, _)| *at >= time);
        self
    }

    /// The newest sample's value as the server wrote it: a number, else its text; nothing where there is none.
    fn reading(&self) -> Option<SeriesReading> {
        self.now.as_ref().map(|(_, text)| SeriesReading::of(text))
    }

    /// As `NAME:query` shows it.
    pub(super) fn measured(self) -> SeriesNow {
        let value = self.reading();
        let (at, histogram) = match (&self.now, self.histogram) {
            (_, Some((at, short))) => (Some(at), Some(short)),
            (now, None) => (now.as_ref().map(|(at, _)| *at), None),
        };
        SeriesNow { labels: self.labels, value, at, histogram }
    }

    /// As `NAME:query_range` shows it.
    pub(super) fn course(self) -> SeriesCourse {
        let last = self.reading();
        let samples = self.samples.unwrap_or_default();
        let numbers = || samples.iter().filter_map(|(_, text)| number(text));
        let (min, max) = (numbers().reduce(f64::min), numbers().reduce(f64::max));
        let samples = samples.iter().map(|(at, text)| (*at, SeriesReading::of(text))).collect();
        SeriesCourse { labels: self.labels, min, max, last, samples }
    }

    /// As the preset shows it.
    pub(super) fn shown(self) -> Value {
        let mut shown = Map::from_iter([("labels".to_owned(), json!(self.labels)), ("value".to_owned(), self.value())]);
        let mut add = |name: &str, value: Value| drop(shown.insert(name.to_owned(), value));
        if let Some((at, text)) = &self.now {
            add("at", json!(at));
            if number(text).is_none() {
                add("text", json!(text));
            }
        }
        if let Some((at, short)) = self.histogram {
            add("at", json!(at));
            add("histogram", short);
        }
        if let Some(samples) = self.samples {
            let numbers: Vec<f64> = samples.iter().filter_map(|(_, text)| number(text)).collect();
            add("min", json!(numbers.iter().copied().reduce(f64::min)));
            add("max", json!(numbers.iter().copied().reduce(f64::max)));
            add("samples", samples.iter().map(|(at, text)| json!([at, number(text)])).collect());
        }
        Value::Object(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_are_numbers() {
        assert_eq!(number("0.25"), Some(0.25));
        assert_eq!(number("1e-3"), Some(0.001));
        for text in ["NaN", "+Inf", "-Inf", "", "many"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "rows read better so")]
    fn check(form: &str, item: &Value, expect: Option<Value>) {
        let raw = RawValue::from_string(item.to_string()).unwrap();
        assert_eq!(ResultForm::named(form).unwrap().read(&raw).map(FoundSeries::shown), expect, "{item}");
    }

    #[test]
    fn loose_types_are_read_and_what_has_no_reading_is_not() {
        let plain = json!({"labels": {}, "value": 2.0, "at": 1.0});
        for item in [
            json!({"metric": null, "value": [1, 2]}),
            json!({"metric": {}, "value": ["1", "2"]}),
            json!({"value": [1.0, "2.0"], "more": true}),
        ] {
            check("vector", &item, Some(plain.clone()));
        }
        check(
            "vector",
            &json!({"metric": {"n": 1}, "value": [1, null]}),
            Some(json!({"labels": {"n": "1"}, "value": null, "at": 1.0, "text": "null"})),
        );
        check("string", &json!([1, "word"]), Some(json!({"labels": {}, "value": null, "at": 1.0, "text": "word"})));
        for item in [json!({}), json!({"metric": {}}), json!({"value": [1]}), json!({"value": [1, {}]}), json!(7)] {
            check("vector", &item, None);
        }
        for item in [json!({"values": []}), json!({"values": [[1]]}), json!(null)] {
            check("matrix", &item, None);
        }
    }

    #[test]
    fn a_native_histogram_is_named_and_is_no_number() {
        let body = json!({"count": "10", "sum": "NaN", "buckets": [[0, "1", "2", "3"]]});
        let short = json!({"count": 10.0, "sum": "NaN", "buckets": 1});
        let shown = json!({"labels": {"a": "b"}, "value": null, "at": 5.0, "histogram": short});
        check("vector", &json!({"metric": {"a": "b"}, "histogram": [5, body]}), Some(shown));
        let ranged = json!({"labels": {}, "value": null, "at": 5.0, "histogram": short, "min": null, "max": null, "samples": []});
        check("matrix", &json!({"metric": {}, "histograms": [[4, body], [5, body]]}), Some(ranged));
    }
}
