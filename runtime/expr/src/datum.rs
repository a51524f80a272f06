//! The values that an evaluation works with.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::number;

/// A value: given with the data, or made by the expression.
#[derive(Debug, Clone)]
pub(crate) enum Datum<'a> {
    /// A part of the data, as it came.
    Data(&'a Value),
    Null,
    Bool(bool),
    Number(f64),
    Text(Rc<str>),
    List(Rc<Vec<Datum<'a>>>),
    Table(Rc<Vec<(String, Datum<'a>)>>),
    /// What `.?name` found.
    Maybe(Option<Rc<Datum<'a>>>),
}

/// A value to look at.
#[derive(Debug)]
pub(crate) enum View<'d> {
    Null,
    Bool(bool),
    Number(f64),
    Text(&'d str),
    List,
    Table,
    Maybe,
}

impl View<'_> {
    /// The kind in words.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a truth value",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List => "a list",
            Self::Table => "an object",
            Self::Maybe => "an optional value",
        }
    }
}

impl Datum<'_> {
    pub(crate) fn view(&self) -> View<'_> {
        match self {
            Self::Data(Value::Null) | Self::Null => View::Null,
            Self::Data(Value::Bool(value)) => View::Bool(*value),
            Self::Bool(value) => View::Bool(*value),
            // A number that no double holds is read as NaN, which compares with nothing.
            Self::Data(Value::Number(number)) => View::Number(number.as_f64().unwrap_or(f64::NAN)),
            Self::Number(number) => View::Number(*number),
            Self::Data(Value::String(text)) => View::Text(text),
            Self::Text(text) => View::Text(text),
            Self::Data(Value::Array(_)) | Self::List(_) => View::List,
            Self::Data(Value::Object(_)) | Self::Table(_) => View::Table,
            Self::Maybe(_) => View::Maybe,
        }
    }

    /// The length of a list, a table or a text in characters.
    pub(crate) fn size(&self) -> Option<usize> {
        match self {
            Self::Data(Value::Array(items)) => Some(items.len()),
            Self::List(items) => Some(items.len()),
            Self::Data(Value::Object(entries)) => Some(entries.len()),
            Self::Table(entries) => Some(entries.len()),
            Self::Data(Value::String(text)) => Some(text.chars().count()),
            Self::Text(text) => Some(text.chars().count()),
            Self::Data(Value::Null | Value::Bool(_) | Value::Number(_))
            | Self::Null
            | Self::Bool(_)
            | Self::Number(_)
            | Self::Maybe(_) => None,
        }
    }

    /// An item of a list.
    pub(crate) fn item(&self, index: usize) -> Option<Self> {
        match self {
            Self::Data(Value::Array(items)) => items.get(index).map(Self::Data),
            Self::List(items) => items.get(index).cloned(),
            _ => None,
        }
    }

    /// A field of a table.
    pub(crate) fn field(&self, name: &str) -> Option<Self> {
        match self {
            Self::Data(Value::Object(entries)) => entries.get(name).map(Self::Data),
            Self::Table(entries) => entries.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone()),
            _ => None,
        }
    }

    /// The names of a table's fields.
    pub(crate) fn keys(&self) -> Vec<&str> {
        match self {
            Self::Data(Value::Object(entries)) => entries.keys().map(String::as_str).collect(),
            Self::Table(entries) => entries.iter().map(|(key, _)| key.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    /// The value as JSON; `None` for one that JSON cannot write (NaN, the infinities, an optional value).
    pub(crate) fn json(&self) -> Option<Value> {
        match self {
            Self::Data(value) => Some((*value).clone()),
            Self::Null => Some(Value::Null),
            Self::Bool(value) => Some(Value::Bool(*value)),
            Self::Number(number) => number::json(*number),
            Self::Text(text) => Some(Value::String(text.to_string())),
            Self::List(items) => items.iter().map(Self::json).collect::<Option<Vec<_>>>().map(Value::Array),
            Self::Table(entries) => {
                let entry = |(key, value): &(String, Self)| Some((key.clone(), value.json()?));
                entries.iter().map(entry).collect::<Option<Map<_, _>>>().map(Value::Object)
            }
            Self::Maybe(_) => None,
        }
    }

    /// What a text shows of it; a list or a table is shown as JSON, null as nothing at all.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match (self, self.view()) {
            // Whole numbers beyond the doubles stay exact.
            (Self::Data(Value::Number(number)), _) if !number.is_f64() => Some(Cow::Owned(number.to_string())),
            (_, View::Number(number)) => number.is_finite().then(|| Cow::Owned(number::print(number))),
            (_, View::Text(text)) => Some(Cow::Borrowed(text)),
            (_, View::Bool(value)) => Some(Cow::Borrowed(if value { "true" } else { "false" })),
            (_, View::List | View::Table) => self.json().map(|json| Cow::Owned(json.to_string())),
            (_, View::Null | View::Maybe) => None,
        }
    }
}
