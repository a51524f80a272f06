//! Holes in a JSON document.

use serde_json::Value;

use super::landing::{Landing, Landings};
use crate::error::Slip;
use crate::template::TemplatePiece;

/// Stands for a hole inside a text; no author writes it.
const PROBE: &str = "\u{e000}\u{e001}\u{e000}";

pub(super) fn landings(pieces: &[TemplatePiece]) -> Landings {
    let (mut landings, mut probed, mut in_text, mut escaped) = (Vec::new(), String::new(), false, false);
    let mut first = 0;
    for piece in pieces {
        match piece {
            TemplatePiece::Text(text, _) => {
                for sign in text.chars() {
                    match sign {
                        _ if escaped => escaped = false,
                        '\\' if in_text => escaped = true,
                        '"' => in_text = !in_text,
                        _ => {}
                    }
                }
                probed.push_str(text);
            }
            TemplatePiece::Hole(hole) => {
                if landings.is_empty() {
                    first = hole.at;
                }
                probed.push_str(if in_text { PROBE } else { "null" });
                landings.push(if in_text { Landing::JsonText } else { Landing::JsonValue });
            }
        }
    }
    match serde_json::from_str::<Value>(&probed) {
        Ok(document) if names_a_key(&document) => {
            Err(Slip::new(first, "a hole stands in a key", "keys are written; a value would take another's place"))
        }
        Ok(_) => Ok(landings),
        Err(error) => Err(Slip::new(0, format!("not JSON with values in the holes: {error}"), "")),
    }
}

fn names_a_key(document: &Value) -> bool {
    match document {
        Value::Object(entries) => entries.iter().any(|(key, value)| key.contains(PROBE) || names_a_key(value)),
        Value::Array(items) => items.iter().any(names_a_key),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// A text as it stands between the quotes of JSON.
pub(super) fn within_quotes(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default().to_owned()
}
