//! The samples of an answer: on the wire a time and a text; here a number, or none.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

/// A sample on the wire: Unix seconds, and the value as a text.
pub(super) type Sample = (f64, String);

/// The four forms of a result.
#[derive(Debug, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "snake_case")]
pub(super) enum QueryData {
    Vector(Vec<OneSample>),
    Matrix(Vec<ManySamples>),
    Scalar(Sample),
    String(Sample),
}

#[derive(Debug, Deserialize)]
pub(super) struct OneSample {
    metric: BTreeMap<String, String>,
    value: Option<Sample>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ManySamples {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<Sample>,
}

/// One series of an answer.
#[derive(Debug)]
pub(super) struct FoundSeries {
    labels: BTreeMap<String, String>,
    /// The newest sample; none when the series had ended before.
    now: Option<Sample>,
    samples: Option<Vec<Sample>>,
}

impl QueryData {
    /// The series.
    pub(super) fn found(self) -> Vec<FoundSeries> {
        let single = |sample| vec![FoundSeries { labels: BTreeMap::new(), now: Some(sample), samples: None }];
        match self {
            Self::Vector(ones) => {
                ones.into_iter().map(|one| FoundSeries { labels: one.metric, now: one.value, samples: None }).collect()
            }
            Self::Matrix(many) => many.into_iter().map(FoundSeries::many).collect(),
            Self::Scalar(sample) | Self::String(sample) => single(sample),
        }
    }
}

/// The number a text stands for; `NaN` and the infinities measure nothing.
pub(super) fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

impl FoundSeries {
    fn many(many: ManySamples) -> Self {
        Self { labels: many.metric, now: many.values.last().cloned(), samples: Some(many.values) }
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
        self
    }

    /// As the model sees it.
    pub(super) fn shown(self) -> Value {
        let mut shown = json!({"labels": self.labels, "value": self.value()});
        let Some(object) = shown.as_object_mut() else { return shown };
        if let Some((at, text)) = &self.now {
            object.insert("at".to_owned(), json!(at));
            if number(text).is_none() {
                object.insert("text".to_owned(), json!(text));
            }
        }
        if let Some(samples) = self.samples {
            let numbers: Vec<f64> = samples.iter().filter_map(|(_, text)| number(text)).collect();
            object.insert("min".to_owned(), json!(numbers.iter().copied().reduce(f64::min)));
            object.insert("max".to_owned(), json!(numbers.iter().copied().reduce(f64::max)));
            let pairs = samples.iter().map(|(at, text)| json!([at, number(text)]));
            object.insert("samples".to_owned(), pairs.collect());
        }
        shown
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
}
