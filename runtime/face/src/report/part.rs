//! JSON from outside as names, values and tables: how typed reports and findings are shown. It is made of the data alone,
//! so that a role or a pack may report whatever it declares.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::visible::{TEXT_MAX, VisibleText};

/// Most rows of a table that are shown.
const ROWS_MAX: usize = 50;
/// Most columns of a table; an object of more members is shown as an outline.
const COLUMNS_MAX: usize = 12;
/// Most characters of a name.
const NAME_MAX: usize = 80;
/// Most characters of a table's cell.
const CELL_MAX: usize = 1_000;
/// How deep an outline goes; what lies deeper is shown as JSON.
const DEPTH_MAX: usize = 6;

/// One member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataPart {
    /// A name with a value; of several lines when the value is nested.
    Value {
        /// In words: `cause_class` is `cause class`.
        name: VisibleText,
        /// As people read it.
        value: VisibleText,
    },
    /// A list of objects.
    Table(DataTable),
}

/// A list of objects, one in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataTable {
    /// What is listed.
    pub name: VisibleText,
    /// The members that any of the objects has: texts, then numbers, then lists.
    pub columns: Vec<VisibleText>,
    /// A cell for every column; empty where the object lacks that member.
    pub rows: Vec<Vec<VisibleText>>,
    /// Rows that are not shown.
    pub more: usize,
}

/// The members of an object, values before tables. Anything else than an object is one value.
pub fn data_parts(data: &Value) -> Vec<DataPart> {
    let Some(members) = data.as_object() else {
        return vec![DataPart::Value { name: VisibleText::default(), value: outline(data) }];
    };
    let mut parts: Vec<DataPart> = members.iter().map(|(key, value)| part(key, value)).collect();
    parts.sort_by_key(|part| match part {
        DataPart::Value { .. } => false,
        DataPart::Table(_) => true,
    });
    parts
}

fn part(key: &str, value: &Value) -> DataPart {
    match table(key, value) {
        Some(table) => DataPart::Table(table),
        None => DataPart::Value { name: name(key), value: outline(value) },
    }
}

fn name(key: &str) -> VisibleText {
    VisibleText::new(key.replace('_', " ")).line(NAME_MAX)
}

/// A table of a list that holds nothing but objects.
fn table(key: &str, value: &Value) -> Option<DataTable> {
    let rows: Vec<&Map<String, Value>> = value.as_array()?.iter().map(Value::as_object).collect::<Option<_>>()?;
    let keys: BTreeSet<&str> = rows.iter().flat_map(|row| row.keys().map(String::as_str)).collect();
    if keys.is_empty() || keys.len() > COLUMNS_MAX {
        return None;
    }
    let mut keys: Vec<&str> = keys.into_iter().collect();
    keys.sort_by_key(|key| rows.iter().filter_map(|row| row.get(*key)).map(width).max());
    let cell = |value: &Value| VisibleText::within(outline(value).as_str(), CELL_MAX);
    let shown = rows.iter().take(ROWS_MAX);
    Some(DataTable {
        name: name(key),
        rows: shown.map(|row| keys.iter().map(|key| row.get(*key).map(cell).unwrap_or_default()).collect()).collect(),
        more: rows.len().saturating_sub(ROWS_MAX),
        columns: keys.into_iter().map(name).collect(),
    })
}

/// Where a value's column stands.
fn width(value: &Value) -> u8 {
    match value {
        Value::Null | Value::String(_) => 0,
        Value::Number(_) | Value::Bool(_) => 1,
        Value::Array(_) | Value::Object(_) => 2,
    }
}

/// A value for reading: a list of plain values on one line, anything nested as an indented list.
fn outline(value: &Value) -> VisibleText {
    if let Some(text) = scalar(value) {
        return text;
    }
    let items = value.as_array().into_iter().flatten().map(scalar).collect::<Option<Vec<_>>>();
    let text = match items {
        Some(items) if value.is_array() && !items.is_empty() => {
            items.iter().map(VisibleText::as_str).collect::<Vec<_>>().join(", ")
        }
        Some(_) | None => {
            let mut lines = Vec::new();
            write_outline(value, 0, &mut lines);
            lines.join("\n")
        }
    };
    VisibleText::new(text)
}

/// A value without members. What is not given is said to be so, and is not nothing.
fn scalar(value: &Value) -> Option<VisibleText> {
    match value {
        Value::Null => Some("not given".into()),
        Value::Bool(true) => Some("yes".into()),
        Value::Bool(false) => Some("no".into()),
        Value::Array(items) if items.is_empty() => Some("none".into()),
        Value::Object(members) if members.is_empty() => Some("none".into()),
        Value::Number(_) | Value::String(_) => Some(VisibleText::plain(value, TEXT_MAX)),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn write_outline(value: &Value, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) if depth < DEPTH_MAX => {
            for (key, value) in fields {
                write_entry(format!("{indent}{}:", name(key)), value, depth, lines);
            }
        }
        Value::Array(items) if depth < DEPTH_MAX => {
            for (number, item) in (1..).zip(items) {
                write_entry(format!("{indent}{number}."), item, depth, lines);
            }
        }
        other => lines.push(format!("{indent}{}", VisibleText::json_line(other, TEXT_MAX))),
    }
}

fn write_entry(head: String, value: &Value, depth: usize, lines: &mut Vec<String>) {
    if let Some(text) = scalar(value) {
        lines.push(format!("{head} {text}"));
    } else {
        lines.push(head);
        write_outline(value, depth + 1, lines);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(name: &str, value: &str) -> DataPart {
        DataPart::Value { name: name.into(), value: value.into() }
    }

    #[test]
    fn a_list_of_objects_is_a_table_and_lacks_nothing() {
        let data = json!({"causes": [
            {"confidence": 0.8, "cause": "bad release", "for": ["a/1", "a/2"]},
            {"cause": "load", "confidence": 0.1, "for": [], "note": "slow\u{202e}"},
        ]});
        let rows = [["bad release", "", "0.8", "a/1, a/2"], ["load", "slow⟨U+202E⟩", "0.1", "none"]];
        let texts = |texts: &[&str]| texts.iter().map(|text| VisibleText::from(*text)).collect::<Vec<_>>();
        let table = DataTable {
            name: "causes".into(),
            columns: texts(&["cause", "note", "confidence", "for"]),
            rows: rows.iter().map(|row| texts(row)).collect(),
            more: 0,
        };
        assert_eq!(data_parts(&data), [DataPart::Table(table)]);
        let many = json!({"rows": vec![json!({"a": 1}); ROWS_MAX + 2]});
        let DataPart::Table(table) = &data_parts(&many)[0] else { panic!("no table") };
        assert_eq!((table.rows.len(), table.more), (ROWS_MAX, 2));
    }

    #[test]
    fn values_are_words_and_what_is_nested_is_a_list() {
        let data = json!({"real": true, "seen_at": null, "hosts": ["a", "b"], "left": [], "deep": {"one": {"two": 2}}});
        let expect = [
            value("deep", "one:\n  two: 2"),
            value("hosts", "a, b"),
            value("left", "none"),
            value("real", "yes"),
            value("seen at", "not given"),
        ];
        assert_eq!(data_parts(&data), expect);
        assert_eq!(data_parts(&json!("text")), [value("", "text")]);
        let list = json!({"mixed": [1, {"a": "b"}]});
        assert_eq!(data_parts(&list), [value("mixed", "1. 1\n2.\n  a: b")]);
    }
}
