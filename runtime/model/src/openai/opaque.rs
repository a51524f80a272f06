//! What a message holds that the protocol does not name: reasoning, signatures. It goes back as it came.

use std::collections::BTreeMap;

use provost_domain::model::{OpaqueItem, OpaquePlace, OpaqueState};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

/// An object's keys with their values as they were written.
pub(super) type Keys = BTreeMap<String, Box<RawValue>>;

/// The keys of a message that are read, or that servers only send and refuse to be sent.
const OF_MESSAGE: [&str; 8] =
    ["role", "content", "text", "refusal", "tool_calls", "function_call", "annotations", "audio"];
/// The keys of a call that are read.
const OF_CALL: [&str; 4] = ["id", "type", "index", "function"];

/// What else a message holds, and what else its calls hold, call by call.
pub(super) fn items(message: Keys, calls: impl IntoIterator<Item = Keys>) -> Vec<OpaqueItem> {
    let of_message = others(message, &OF_MESSAGE);
    let mut items: Vec<_> =
        of_message.map(|(key, json)| OpaqueItem::new(OpaquePlace::Message { key }, json.get())).collect();
    for (call, keys) in calls.into_iter().enumerate() {
        let of_call = others(keys, &OF_CALL);
        items.extend(of_call.map(|(key, json)| OpaqueItem::new(OpaquePlace::Call { call, key }, json.get())));
    }
    items
}

/// What an answer's message of this place holds besides, as it was written; `None` where the answer is not plain JSON.
pub(super) fn written(answer: &[u8], at: Option<usize>) -> Option<Vec<OpaqueItem>> {
    let answer: RawAnswer = serde_json::from_slice(answer).ok()?;
    let message = answer.choices.into_iter().nth(at?)?.message;
    let calls: Vec<Box<RawValue>> =
        message.get("tool_calls").and_then(|calls| serde_json::from_str(calls.get()).ok()).unwrap_or_default();
    let own = calls.iter().filter(|call| serde_json::from_str(call.get()).is_ok_and(|call| is_call(&call)));
    let keys: Option<Vec<Keys>> = own.map(|call| serde_json::from_str(call.get()).ok()).collect();
    Some(items(message, keys?))
}

#[derive(Deserialize)]
struct RawAnswer {
    choices: Vec<RawChoice>,
}

#[derive(Deserialize)]
struct RawChoice {
    message: Keys,
}

/// What a message that was read holds besides.
pub(super) fn read(message: &Map<String, Value>) -> Vec<OpaqueItem> {
    let calls = message.get("tool_calls").and_then(Value::as_array).into_iter().flatten();
    let calls = calls.filter(|call| is_call(call)).filter_map(Value::as_object);
    items(keys_of(message), calls.map(keys_of))
}

fn keys_of(object: &Map<String, Value>) -> Keys {
    object.iter().filter_map(|(key, value)| Some((key.clone(), to_raw_value(value).ok()?))).collect()
}

/// Whether it is read as a call; others have no place among the calls.
fn is_call(call: &Value) -> bool {
    match call.get("function") {
        Some(Value::Object(_)) => true,
        Some(Value::Null) | None => call.get("name").is_some(),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => false,
    }
}

/// What says something and is not known.
fn others(keys: Keys, known: &'static [&str]) -> impl Iterator<Item = (String, Box<RawValue>)> {
    keys.into_iter().filter(|(key, json)| !known.contains(&key.as_str()) && json.get() != "null")
}

/// The keys that go back into the message.
pub(super) fn of_message(state: Option<&OpaqueState>) -> Keys {
    keys(state, |place| match place {
        OpaquePlace::Message { key } => Some(key),
        OpaquePlace::Call { .. } | OpaquePlace::Item { .. } => None,
    })
}

/// The keys that go back into this call.
pub(super) fn of_call(state: Option<&OpaqueState>, index: usize) -> Keys {
    keys(state, |place| match place {
        OpaquePlace::Call { call, key } if *call == index => Some(key),
        OpaquePlace::Message { .. } | OpaquePlace::Call { .. } | OpaquePlace::Item { .. } => None,
    })
}

fn keys(state: Option<&OpaqueState>, of: impl Fn(&OpaquePlace) -> Option<&String>) -> Keys {
    let items = state.into_iter().flat_map(|state| &state.items);
    let key = |item: &OpaqueItem| {
        let json = RawValue::from_string(item.text()?.to_owned()).ok()?;
        Some((of(&item.place)?.clone(), json))
    };
    items.filter_map(key).collect()
}
