//! What the formats of one event each share: a body that is a JSON object, and what a session is sent about it.

use serde_json::{Map, Value, json};

use super::super::loose::{repaired, shortened, text_of};
use super::super::reading::BadDelivery;

/// Longest text of what a session is sent about one event, in characters: agents read it whole.
const BRIEF_MAX: usize = 4096;

/// A body as JSON, also one that is nearly that.
pub(super) fn json(body: &[u8], form: &str) -> Result<Value, BadDelivery> {
    let text = text_of(body);
    let read = serde_json::from_str(&text).or_else(|_odd| serde_json::from_str(&repaired(&text)));
    read.map_err(|error| BadDelivery::of(&error, form))
}

/// A body that must be an object.
pub(super) fn object(body: &[u8], form: &str) -> Result<Map<String, Value>, BadDelivery> {
    match json(body, form)? {
        Value::Object(object) => Ok(object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(BadDelivery::Form(format!("it does not have the form of {form}: it must be an object")))
        }
    }
}

/// What a session is sent of a value: all of it, or the beginning of its text where it is long.
pub(super) fn brief_of(value: &Value) -> Value {
    let text = value.to_string();
    if text.chars().nth(BRIEF_MAX).is_none() { value.clone() } else { json!({"cut": shortened(&text, BRIEF_MAX)}) }
}
