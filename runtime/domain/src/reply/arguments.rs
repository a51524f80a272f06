//! The arguments of a call that a model wrote as text: as an object, as tags, or in the way of Python.

use serde_json::{Map, Value};

use crate::lenient::{self, NonFinite};

/// The value of a parameter that stands between tags: JSON where it is an object, a list, or a text in quotes; any other
/// stays a text, for the tool's schema to read.
pub(super) fn parameter(text: &str) -> Value {
    let text = text.trim_matches('\n');
    let bare = text.trim();
    if bare.starts_with(['{', '[', '"'])
        && let Some(value) = lenient::json(bare, NonFinite::Refused)
    {
        return value;
    }
    Value::String(text.to_owned())
}

/// `key="value"` of an opening tag.
pub(super) fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let rest = tag.split_once(name)?.1.trim_start().strip_prefix('=')?.trim_start();
    match rest.chars().next()? {
        quote @ ('"' | '\'') => rest.get(1..)?.split(quote).next(),
        _ => rest.split(|c: char| c.is_whitespace() || c == '>').next(),
    }
}

/// The keyword arguments between the parentheses of `name(key=value, …)`, and where the closing one stands.
pub(super) fn keywords(text: &str) -> Option<(Map<String, Value>, usize)> {
    let mut object = String::from("{");
    let (mut depth, mut quote, mut escaped, mut name) = (0_usize, None, false, String::new());
    let mut in_name = true;
    for (at, c) in text.char_indices() {
        if let Some(open) = quote {
            object.push(c);
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if c == open => quote = None,
                _ => {}
            }
            continue;
        }
        match c {
            ')' if depth == 0 => {
                if !name.trim().is_empty() {
                    return None;
                }
                object.push('}');
                return match lenient::json(&object, NonFinite::Refused)? {
                    Value::Object(read) => Some((read, at)),
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
                };
            }
            '=' if in_name => {
                object.push_str(&Value::String(name.trim().to_owned()).to_string());
                object.push(':');
                name.clear();
                in_name = false;
            }
            _ if in_name && c == ',' => return None,
            _ if in_name => name.push(c),
            ',' if depth == 0 => {
                object.push(',');
                in_name = true;
            }
            '(' => return None,
            _ => {
                depth = match c {
                    '[' | '{' => depth + 1,
                    ']' | '}' => depth.checked_sub(1)?,
                    _ => depth,
                };
                quote = matches!(c, '"' | '\'').then_some(c);
                object.push(c);
            }
        }
    }
    None
}
