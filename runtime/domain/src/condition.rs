//! The one expression language: a condition compares what stands at a path with a value. Total: no calls, no loops, and
//! a path that leads nowhere, or to null, makes every comparison false (`absent` true).

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One comparison; lists of conditions hold when all do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Dotted path into the data: `results.metrics_scrape.http_errors_ratio.now`; numbers index lists.
    pub path: String,
    /// The comparison.
    #[serde(default)]
    pub op: Op,
    /// The value compared with; not used by `exists` and `absent`.
    #[serde(default)]
    pub value: Value,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Op {
    /// Equal (numbers by value).
    #[default]
    #[serde(rename = "==")]
    Eq,
    /// Present and not equal.
    #[serde(rename = "!=")]
    Ne,
    /// Less: two numbers or two texts.
    #[serde(rename = "<")]
    Lt,
    /// Less or equal.
    #[serde(rename = "<=")]
    Le,
    /// Greater.
    #[serde(rename = ">")]
    Gt,
    /// Greater or equal.
    #[serde(rename = ">=")]
    Ge,
    /// The text contains the text, or the list the value.
    #[serde(rename = "contains")]
    Contains,
    /// Something stands at the path.
    #[serde(rename = "exists")]
    Exists,
    /// Nothing stands at the path.
    #[serde(rename = "absent")]
    Absent,
}

/// What stands at a dotted path.
pub fn lookup<'a>(data: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(data, |value, segment| match value {
        Value::Object(object) => object.get(segment),
        Value::Array(list) => segment.parse::<usize>().ok().and_then(|index| list.get(index)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    })
}

/// Whether all conditions hold on the data.
pub fn all_hold(conditions: &[Condition], data: &Value) -> bool {
    conditions.iter().all(|condition| condition.holds(data))
}

impl Condition {
    /// Whether it holds on the data.
    pub fn holds(&self, data: &Value) -> bool {
        let Some(found) = lookup(data, &self.path).filter(|found| !found.is_null()) else {
            return self.op == Op::Absent;
        };
        let order = compare(found, &self.value);
        match self.op {
            Op::Eq => equal(found, &self.value),
            Op::Ne => !equal(found, &self.value),
            Op::Lt => order == Some(Ordering::Less),
            Op::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Op::Gt => order == Some(Ordering::Greater),
            Op::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            Op::Contains => contains(found, &self.value),
            Op::Exists => true,
            Op::Absent => false,
        }
    }
}

/// Equality with numbers by value at every depth: `[1]` equals `[1.0]`.
fn equal(found: &Value, value: &Value) -> bool {
    match (found, value) {
        (Value::Number(_), Value::Number(_)) => compare(found, value) == Some(Ordering::Equal),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, own)| b.get(key).is_some_and(|other| equal(own, other)))
        }
        _ => found == value,
    }
}

/// The order of two numbers (integers exactly) or two texts; nothing else has one.
fn compare(found: &Value, value: &Value) -> Option<Ordering> {
    match (found, value) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i128(), b.as_i128()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            (Some(_) | None, _) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        },
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn contains(found: &Value, value: &Value) -> bool {
    match (found, value) {
        (Value::String(text), Value::String(part)) => text.contains(part),
        (Value::Array(list), value) => list.iter().any(|item| equal(item, value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
