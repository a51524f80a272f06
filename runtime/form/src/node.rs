//! YAML as a tree in which every key and value knows its place.

use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

/// A place in a file: line and column, from 1. The default, 0:0, stands for the file as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
}

impl Position {
    /// The place of a byte offset in a text.
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() as u64 + 1;
        let column = before.rsplit('\n').next().map_or(0, |start| start.chars().count()) as u64 + 1;
        Self { line, column }
    }
}

impl<T> From<&Spanned<T>> for Position {
    fn from(spanned: &Spanned<T>) -> Self {
        Self { line: spanned.referenced.line(), column: spanned.referenced.column() }
    }
}

/// A value and its place. Without a place it stands in for a value that is missing or could not be read: that error was
/// reported, so nothing more is said about it.
#[derive(Debug, Clone, Default)]
pub struct At<T> {
    /// What was read.
    pub value: T,
    /// Where it stands.
    pub place: Position,
}

impl<T> At<T> {
    /// Whether it stands in for a value that could not be read.
    pub fn is_blank(&self) -> bool {
        self.place == Position::default()
    }
}

impl<T> Deref for At<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// A node of the tree: a value with its place.
#[derive(Debug, Clone)]
pub struct YamlNode {
    /// Where it begins.
    pub place: Position,
    /// The value.
    pub kind: NodeKind,
}

/// The value of a node.
#[derive(Debug, Clone)]
pub enum NodeKind {
    /// Nothing, true or false, a number, or a text that stands in the file.
    Scalar(Value),
    /// A text some of which came from the environment: it may be a secret, so no message shows it.
    Supplied(String),
    /// Values in the order of the file.
    List(Vec<YamlNode>),
    /// A table in the order of the file; a key that is written twice is in it twice.
    Table(Vec<(At<String>, YamlNode)>),
}

impl YamlNode {
    /// Whether it is a list.
    pub const fn is_list(&self) -> bool {
        match &self.kind {
            NodeKind::List(_) => true,
            NodeKind::Scalar(_) | NodeKind::Supplied(_) | NodeKind::Table(_) => false,
        }
    }

    /// Whether it is a table.
    pub const fn is_table(&self) -> bool {
        match &self.kind {
            NodeKind::Table(_) => true,
            NodeKind::Scalar(_) | NodeKind::Supplied(_) | NodeKind::List(_) => false,
        }
    }

    /// The kind of value in words, for messages; of texts nothing is shown.
    pub fn describe(&self) -> String {
        match &self.kind {
            NodeKind::Scalar(Value::Null) => "nothing".to_owned(),
            NodeKind::Scalar(value @ (Value::Bool(_) | Value::Number(_))) => format!("`{value}`"),
            NodeKind::Scalar(Value::String(_)) | NodeKind::Supplied(_) => "a text".to_owned(),
            NodeKind::List(_) | NodeKind::Scalar(Value::Array(_)) => "a list".to_owned(),
            NodeKind::Table(_) | NodeKind::Scalar(Value::Object(_)) => "a table".to_owned(),
        }
    }

    /// The text, if the node is one that stands in the file as a whole.
    pub fn text(&self) -> Option<&str> {
        if let NodeKind::Scalar(Value::String(text)) = &self.kind { Some(text) } else { None }
    }

    /// The items of a list; any other node has none.
    pub fn items(&self) -> &[Self] {
        if let NodeKind::List(items) = &self.kind { items } else { &[] }
    }

    /// The node as JSON, without places.
    pub fn value(&self) -> Value {
        match &self.kind {
            NodeKind::Scalar(value) => value.clone(),
            NodeKind::Supplied(text) => text.clone().into(),
            NodeKind::List(items) => items.iter().map(Self::value).collect(),
            NodeKind::Table(entries) => Value::Object(
                entries.iter().map(|(key, node)| (key.value.clone(), node.value())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// The node under the first key of this name.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().find(|(own, _)| own.value == key).map(|(_, node)| node)
    }

    /// The same without a key, for a part that reads the others.
    #[must_use]
    pub fn without(&self, key: &str) -> Self {
        let kind = match &self.kind {
            NodeKind::Table(entries) => {
                NodeKind::Table(entries.iter().filter(|(own, _)| own.value != key).cloned().collect())
            }
            kind @ (NodeKind::Scalar(_) | NodeKind::Supplied(_) | NodeKind::List(_)) => kind.clone(),
        };
        Self { place: self.place, kind }
    }

    /// The entries of a table; any other node has none.
    pub fn entries(&self) -> impl Iterator<Item = (&At<String>, &Self)> {
        let entries = if let NodeKind::Table(entries) = &self.kind { entries.as_slice() } else { &[] };
        entries.iter().map(|(key, node)| (key, node))
    }

    /// The place of the node that a JSON pointer leads to, or of the last node on the way that exists.
    pub fn pointer(&self, pointer: &str) -> Position {
        let mut here = self;
        for step in pointer.split('/').skip(1) {
            let next = match &here.kind {
                NodeKind::List(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
                NodeKind::Table(_) | NodeKind::Scalar(_) | NodeKind::Supplied(_) => here.get(step),
            };
            let Some(next) = next else { break };
            here = next;
        }
        here.place
    }
}

impl<'de> Deserialize<'de> for YamlNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<NodeKind>::deserialize(deserializer)?;
        Ok(Self { place: Position::from(&spanned), kind: spanned.value })
    }
}

impl<'de> Deserialize<'de> for NodeKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

/// A whole number beyond 64 bits. No key takes one; the message shows it rounded.
#[expect(clippy::cast_precision_loss, reason = "it is only shown")]
fn wide(value: i128) -> Value {
    (value as f64).into()
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = NodeKind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true or false, a list or a table")
    }

    fn visit_unit<E>(self) -> Result<NodeKind, E> {
        Ok(NodeKind::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<NodeKind, E> {
        Ok(NodeKind::Scalar(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<NodeKind, E> {
        Ok(NodeKind::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<NodeKind, E> {
        Ok(NodeKind::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<NodeKind, E> {
        Ok(NodeKind::Scalar(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<NodeKind, E> {
        Ok(NodeKind::Scalar(wide(value)))
    }

    fn visit_u128<E>(self, value: u128) -> Result<NodeKind, E> {
        Ok(NodeKind::Scalar(wide(i128::try_from(value).unwrap_or(i128::MAX))))
    }

    fn visit_f64<E>(self, value: f64) -> Result<NodeKind, E> {
        Ok(NodeKind::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<NodeKind, E> {
        Ok(NodeKind::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<NodeKind, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(NodeKind::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<NodeKind, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, node)) = table.next_entry::<Spanned<String>, YamlNode>()? {
            let place = Position::from(&key);
            entries.push((At { value: key.value, place }, node));
        }
        Ok(NodeKind::Table(entries))
    }
}
