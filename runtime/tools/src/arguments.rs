//! The key `args`: a type for each argument, in one line, or as a JSON Schema.

use provost_domain::schema::ArgSchema;
use provost_domain::schema::shorthand::{self, PLAIN, TypeForm, TypeLine};
use provost_form::{ErrorLog, NodeKind, YamlNode, nearest};
use serde_json::{Map, Value, json};

const HINT: &str = "write `optional TYPE, words for the model`: one of string, text, number, integer, boolean, \
                    confidence, time, duration, outside, `a | b`, roster.NAME, TYPE[], or a JSON Schema";

/// One argument as written.
struct ArgType {
    schema: Value,
    optional: bool,
}

/// Reads the arguments of a tool into a JSON Schema, which refuses all others.
pub(crate) fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Value> {
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
pub(crate) fn is_name(text: &str) -> bool {
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
    let line = TypeLine::of(text);
    match of(&line.form) {
        Ok(schema) => Some(ArgType { schema: line.describe(schema), optional: line.optional }),
        Err(message) => {
            let near = if let TypeForm::Named(name) = line.form { nearest(name, PLAIN) } else { String::new() };
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

/// The schema of a type. An error says what is wrong with it.
fn of(form: &TypeForm<'_>) -> Result<Value, String> {
    match form {
        TypeForm::Plain(schema) => Ok(schema.clone()),
        TypeForm::Choice(words) => shorthand::choice(words),
        TypeForm::List(item) if item.ends_with("[]") => Err("a list of lists is not a type here".to_owned()),
        TypeForm::List(item) => of(&TypeForm::of(item)).map(|items| shorthand::list(&items)),
        TypeForm::Roster(roster) if is_name(roster) => Ok(json!({"type": "string", "x-roster": roster})),
        TypeForm::Roster(_) => Err("that is not the name of a roster".to_owned()),
        TypeForm::Named("") => Err("the type is missing".to_owned()),
        TypeForm::Named(_) => Err("the type is not known".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_one_line() {
        let of = |written| of(&TypeForm::of(written));
        assert_eq!(of("roster.environments").unwrap(), json!({"type": "string", "x-roster": "environments"}));
        assert_eq!(of("a | b_c").unwrap(), json!({"type": "string", "enum": ["a", "b_c"]}));
        let list = json!({"type": "array", "items": {"type": "integer"}, "maxItems": 64});
        assert_eq!(of("integer[]").unwrap(), list);
        for (written, part) in [
            ("", "missing"),
            ("strin", "not known"),
            ("a |", "cannot be one of several"),
            ("a | b c", "cannot be one of several"),
            ("roster.", "roster"),
            ("strin[]", "not known"),
            ("string[][]", "a list of lists"),
        ] {
            assert!(of(written).unwrap_err().contains(part), "{written}");
        }
    }
}
