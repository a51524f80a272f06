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

/// Whether all conditions are met on what was measured: `None` when one of them cannot be told and the others are met. One
/// that is surely not met decides for all.
pub fn all_met(conditions: &[Condition], data: &Value) -> Option<bool> {
    let judged = |all: Option<bool>, condition: &Condition| match (all, condition.met(data)) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (None, _) | (_, None) => None,
        (Some(true), Some(true)) => Some(true),
    };
    conditions.iter().fold(Some(true), judged)
}

impl Condition {
    /// Whether it is met on what was measured; `None` when that cannot be told: nothing stands at the path, or something
    /// that does not compare with the value, for example `NaN` with a number.
    pub fn met(&self, data: &Value) -> Option<bool> {
        let found = lookup(data, &self.path).filter(|found| !found.is_null());
        let told = match self.op {
            Op::Exists | Op::Absent => true,
            Op::Lt | Op::Le | Op::Gt | Op::Ge => found.is_some_and(|found| compare(found, &self.value).is_some()),
            Op::Eq | Op::Ne => found.is_some_and(|found| same_kind(found, &self.value)),
            Op::Contains => {
                found.is_some_and(|found| found.is_array() || (found.is_string() && self.value.is_string()))
            }
        };
        told.then(|| self.holds(data))
    }

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

/// Whether two values are of one kind of JSON.
fn same_kind(found: &Value, value: &Value) -> bool {
    match (found, value) {
        (Value::Null, Value::Null)
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_))
        | (Value::Array(_), Value::Array(_))
        | (Value::Object(_), Value::Object(_)) => true,
        (
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_),
            _,
        ) => false,
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
