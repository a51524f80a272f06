//! What a message holds that the protocol does not name: reasoning, signatures. It goes back as it came.

use std::collections::BTreeMap;

use provost_domain::model::{OpaqueItem, OpaquePlace, OpaqueState};
use serde_json::value::RawValue;

/// An object's keys with their values as they were written.
pub(super) type Keys = BTreeMap<String, Box<RawValue>>;

/// The keys of a message that are read, or that servers only send and refuse to be sent.
const OF_MESSAGE: [&str; 7] = ["role", "content", "refusal", "tool_calls", "function_call", "annotations", "audio"];
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
