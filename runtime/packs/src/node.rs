//! YAML as a tree in which every key and value knows its place.

use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

/// A place in a file: line and column, from 1. The default, 0:0, is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Place {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

impl Place {
    /// The place of a byte offset.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() as u64 + 1;
        let column = before.rsplit('\n').next().map_or(0, |start| start.chars().count()) as u64 + 1;
        Self { line, column }
    }
}

impl<T> From<&Spanned<T>> for Place {
    fn from(spanned: &Spanned<T>) -> Self {
        Self { line: spanned.referenced.line(), column: spanned.referenced.column() }
    }
}

/// A value and where it stands. Without a place it stands in for one that is missing or could not be read: that mistake
/// was reported, so nothing more is said about it.
#[derive(Debug, Clone, Default)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

impl<T> At<T> {
    /// Whether it only stands in for something.
    pub(crate) fn is_blank(&self) -> bool {
        self.place == Place::default()
    }
}

impl<T> Deref for At<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// A node of the tree.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
}

/// What a node is. A table keeps its order; a key that is written twice is in it twice.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Scalar(Value),
    /// A text some of which came from outside the file: it may be a secret, so no message shows it.
    Supplied(String),
    List(Vec<Node>),
    Table(Vec<(At<String>, Node)>),
}

impl Node {
    /// What it is, in words.
    pub(crate) fn describe(&self) -> String {
        match &self.kind {
            Kind::Scalar(Value::Null) => "nothing".to_owned(),
            Kind::Scalar(value @ (Value::Bool(_) | Value::Number(_))) => format!("`{value}`"),
            Kind::Scalar(Value::String(_)) | Kind::Supplied(_) => "a text".to_owned(),
            Kind::List(_) | Kind::Scalar(Value::Array(_)) => "a list".to_owned(),
            Kind::Table(_) | Kind::Scalar(Value::Object(_)) => "a table".to_owned(),
        }
    }

    /// The text, when it is one that stands in the file.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Kind::Scalar(Value::String(text)) = &self.kind { Some(text) } else { None }
    }

    /// What a list holds; anything else holds nothing.
    pub(crate) fn items(&self) -> &[Self] {
        if let Kind::List(items) = &self.kind { items } else { &[] }
    }

    /// The same as JSON.
    pub(crate) fn value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::Supplied(text) => text.clone().into(),
            Kind::List(items) => items.iter().map(Self::value).collect(),
            Kind::Table(entries) => Value::Object(
                entries.iter().map(|(key, node)| (key.value.clone(), node.value())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// The node under a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().find(|(own, _)| own.value == key).map(|(_, node)| node)
    }

    /// The entries of a table; anything else has none.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&At<String>, &Self)> {
        let entries = if let Kind::Table(entries) = &self.kind { entries.as_slice() } else { &[] };
        entries.iter().map(|(key, node)| (key, node))
    }

    /// The place of what a JSON pointer leads to, or of the last thing on the way that is there.
    pub(crate) fn pointer(&self, pointer: &str) -> Place {
        let mut here = self;
        for step in pointer.split('/').skip(1) {
            let next = match &here.kind {
                Kind::List(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
                Kind::Table(_) | Kind::Scalar(_) | Kind::Supplied(_) => here.get(step),
            };
            let Some(next) = next else { break };
            here = next;
        }
        here.place
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(deserializer)?;
        Ok(Self { place: Place::from(&spanned), kind: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

/// A whole number beyond 64 bits, which no key takes: near enough to say so.
#[expect(clippy::cast_precision_loss, reason = "it is only shown")]
fn wide(value: i128) -> Value {
    (value as f64).into()
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true or false, a list or a table")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Scalar(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Kind, E> {
        Ok(Kind::Scalar(wide(value)))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Kind, E> {
        Ok(Kind::Scalar(wide(i128::try_from(value).unwrap_or(i128::MAX))))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Kind, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Kind::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Kind, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, node)) = table.next_entry::<Spanned<String>, Node>()? {
            let place = Place::from(&key);
            entries.push((At { value: key.value, place }, node));
        }
        Ok(Kind::Table(entries))
    }
}
