//! An enum's wire word, for people too: what logs, pages and policies call it.

use serde::Serialize;

/// The word a unit variant is written as; empty for anything else.
pub(crate) fn of(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
