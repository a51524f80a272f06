//! What the wire form leaves out of a schema, in words for the model.

use serde_json::{Map, Value};

/// Most characters of a description that servers take.
const DESCRIPTION_MAX: usize = 1024;

/// The description of a node, with the rules that only words can say now.
pub(super) fn description(schema: &Map<String, Value>, more: &str) -> Option<String> {
    let own = schema.get("description").and_then(Value::as_str).unwrap_or_default().trim();
    let mut said = own.to_owned();
    for sentence in rules(schema).into_iter().chain((!more.is_empty()).then(|| more.to_owned())) {
        if !said.is_empty() {
            said.push(' ');
        }
        said.push_str(&sentence);
    }
    (!said.is_empty()).then(|| said.chars().take(DESCRIPTION_MAX).collect())
}

fn rules(schema: &Map<String, Value>) -> Vec<String> {
    let of = |key: &str| schema.get(key).filter(|value| !value.is_null());
    let mut rules = Vec::new();
    let mut bounds = |least: &str, most: &str, unit: &str| match (of(least), of(most)) {
        (Some(least), Some(most)) => rules.push(format!("From {least} to {most}{unit}.")),
        (Some(least), None) if least.as_f64() != Some(0.0) || unit.is_empty() => {
            rules.push(format!("At least {least}{unit}."));
        }
        (None, Some(most)) => rules.push(format!("At most {most}{unit}.")),
        (Some(_) | None, None) => {}
    };
    bounds("minimum", "maximum", "");
    bounds("minLength", "maxLength", " characters");
    bounds("minItems", "maxItems", " entries");
    bounds("minProperties", "maxProperties", " keys");
    for (key, word) in [
        ("exclusiveMinimum", "More than"),
        ("exclusiveMaximum", "Less than"),
        ("multipleOf", "A multiple of"),
        ("default", "If left out:"),
    ] {
        rules.extend(of(key).map(|value| format!("{word} {value}.")));
    }
    for (key, word) in [("pattern", "Matches the pattern"), ("format", "In the format")] {
        rules.extend(of(key).and_then(Value::as_str).map(|value| format!("{word} `{value}`.")));
    }
    if of("uniqueItems") == Some(&Value::Bool(true)) {
        rules.push("Each entry once.".to_owned());
    }
    rules
}

/// The values of a closed list of anything but texts.
pub(super) fn one_of(values: &[Value]) -> String {
    let words: Vec<String> = values.iter().map(Value::to_string).collect();
    format!("One of: {}.", words.join(", "))
}
