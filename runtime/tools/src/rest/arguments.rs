//! The key `args`: a type for each argument, in one line, or as a JSON Schema.

use provost_domain::schema::ArgSchema;
use provost_form::{ErrorLog, NodeKind, YamlNode, nearest};
use serde_json::{Map, Value, json};

/// Most bytes of a `string`, and of a `text`.
const STRING_MAX: usize = 8 * 1024;
const TEXT_MAX: usize = 64 * 1024;
/// Most items of a list.
const ITEMS_MAX: usize = 64;
/// The plain types, in the order messages list them.
const TYPES: [&str; 8] = ["string", "text", "number", "integer", "boolean", "confidence", "time", "duration"];
const HINT: &str = "write `optional TYPE, words for the model`: one of string, text, number, integer, boolean, \
                    confidence, time, duration, `a | b`, roster.NAME, TYPE[], or a JSON Schema";

/// One argument as written.
struct ArgType {
    schema: Value,
    optional: bool,
}

/// Reads the arguments of a tool into a JSON Schema, which refuses all others.
pub(super) fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Value> {
    if !node.is_table() {
        log.expected("a table of arguments", node, "write `NAME: TYPE`");
        return None;
    }
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, node) in node.entries() {
        if !is_name(name) {
            let hint = "write letters, digits and `_`, the first of them no digit";
            log.report(name.place, format!("`{}` cannot be the name of an argument", name.value), hint);
            continue;
        }
        // One mistake is told once: its holes are read as if it were a text.
        let text = || ArgType { schema: json!({"type": "string"}), optional: false };
        let ArgType { schema, optional } = argument(node, log).unwrap_or_else(text);
        properties.insert(name.value.clone(), schema);
        if !optional {
            required.push(name.value.clone());
        }
    }
    let schema =
        json!({"type": "object", "additionalProperties": false, "properties": properties, "required": required});
    match ArgSchema::new(schema.clone()) {
        Ok(_) => Some(schema),
        Err(error) => {
            log.report(node.place, error.to_string(), "correct that schema");
            None
        }
    }
}

/// Whether a text can be read as `args.NAME` in a hole.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= 64
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn argument(node: &YamlNode, log: &mut ErrorLog) -> Option<ArgType> {
    if let NodeKind::Table(_) = node.kind {
        return schema(node, log);
    }
    let Some(text) = node.text().filter(|text| !text.trim().is_empty()) else {
        log.expected("a type", node, HINT);
        return None;
    };
    let (kind, words) = text.split_once(',').map_or((text, ""), |(kind, words)| (kind, words.trim()));
    let kind = kind.trim();
    let (kind, optional) = kind.strip_prefix("optional ").map_or((kind, false), |kind| (kind.trim(), true));
    match of(kind) {
        Ok(mut schema) => {
            if !words.is_empty()
                && let Value::Object(object) = &mut schema
            {
                object.insert("description".to_owned(), words.into());
            }
            Some(ArgType { schema, optional })
        }
        Err(message) => {
            let near = nearest(kind, TYPES);
            let hint = if near.starts_with("did") { near } else { HINT.to_owned() };
            log.report(node.place, message, hint);
            None
        }
    }
}

/// A schema of the user's own; `optional: true` beside it says that the argument may be left out.
fn schema(node: &YamlNode, log: &mut ErrorLog) -> Option<ArgType> {
    let Value::Object(mut object) = node.value() else { return None };
    let optional = match object.remove("optional") {
        None => false,
        Some(Value::Bool(optional)) => optional,
        Some(_) => {
            log.report(node.place, "`optional` is true or false", "write optional: true");
            return None;
        }
    };
    let schema = Value::Object(object);
    match ArgSchema::new(json!({"type": "object", "properties": {"own": schema}})) {
        Ok(_) => Some(ArgType { schema, optional }),
        Err(error) => {
            log.report(node.place, error.to_string(), HINT);
            None
        }
    }
}

/// The schema of a type in one line. An error says what is wrong with it.
fn of(kind: &str) -> Result<Value, String> {
    if let Some(item) = kind.strip_suffix("[]") {
        return Ok(json!({"type": "array", "items": of(item.trim())?, "maxItems": ITEMS_MAX}));
    }
    if kind.contains('|') {
        let words: Vec<&str> = kind.split('|').map(str::trim).collect();
        let plain = |word: &&str| !word.is_empty() && word.len() <= 80 && !word.contains(char::is_whitespace);
        if !words.iter().all(plain) {
            return Err("each of these words stands alone, without spaces".to_owned());
        }
        return Ok(json!({"type": "string", "enum": words}));
    }
    if let Some(roster) = kind.strip_prefix("roster.") {
        return if is_name(roster) {
            Ok(json!({"type": "string", "x-roster": roster}))
        } else {
            Err("that is not the name of a roster".to_owned())
        };
    }
    Ok(match kind {
        "string" => json!({"type": "string", "maxLength": STRING_MAX}),
        "text" => json!({"type": "string", "maxLength": TEXT_MAX}),
        "number" => json!({"type": "number"}),
        "integer" => json!({"type": "integer"}),
        "boolean" => json!({"type": "boolean"}),
        "confidence" => json!({"type": "number", "minimum": 0, "maximum": 1}),
        "time" => json!({"type": "string", "format": "date-time", "maxLength": 40}),
        "duration" => json!({"type": "string", "pattern": "^[1-9][0-9]{0,5}(ms|s|m|h|d)$"}),
        "" => return Err("the type is missing".to_owned()),
        _ => return Err("the type is not known".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_one_line() {
        assert_eq!(of("roster.environments").unwrap(), json!({"type": "string", "x-roster": "environments"}));
        assert_eq!(of("a | b_c").unwrap(), json!({"type": "string", "enum": ["a", "b_c"]}));
        let list = json!({"type": "array", "items": {"type": "integer"}, "maxItems": 64});
        assert_eq!(of("integer[]").unwrap(), list);
        for (kind, part) in [
            ("", "missing"),
            ("strin", "not known"),
            ("a |", "stands alone"),
            ("a | b c", "alone"),
            ("roster.", "roster"),
        ] {
            assert!(of(kind).unwrap_err().contains(part), "{kind}");
        }
    }
}
