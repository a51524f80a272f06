//! From the tree to typed values.

use serde_json::{Value, json};

use crate::error::ErrorLog;
use crate::node::{At, NodeKind, Position, YamlNode};

/// A value that can be read from a node.
pub trait FromYaml: Sized {
    /// The value; nothing after an error was reported.
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self>;

    /// What may stand there, as JSON Schema for editors. Whatever is read fits it; the reading checks more.
    fn schema() -> Value {
        json!({})
    }

    /// Stands in for a value whose error was reported, so that the rest is read and checked all the same. It is never used
    /// once the reading is over: a file with an error has no value.
    fn blank() -> Self;
}

/// Reads a node, and goes on with a stand-in after an error.
pub fn take<T: FromYaml>(node: &YamlNode, log: &mut ErrorLog) -> T {
    T::read(node, log).unwrap_or_else(T::blank)
}

impl<T: FromYaml> FromYaml for Vec<T> {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        if !node.is_list() {
            log.expected("a list", node, "write [a, b], or [] for none");
            return None;
        }
        Some(node.items().iter().map(|item| take(item, log)).collect())
    }

    fn schema() -> Value {
        json!({"type": "array", "items": T::schema()})
    }

    fn blank() -> Self {
        Self::new()
    }
}

impl<T: FromYaml> FromYaml for At<T> {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        T::read(node, log).map(|value| Self { value, place: node.place })
    }

    fn schema() -> Value {
        T::schema()
    }

    fn blank() -> Self {
        Self { value: T::blank(), place: Position::default() }
    }
}

/// A value that is there and could not be read counts as there.
impl<T: FromYaml> FromYaml for Option<T> {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        Some(Some(take(node, log)))
    }

    fn schema() -> Value {
        T::schema()
    }

    fn blank() -> Self {
        None
    }
}

impl FromYaml for YamlNode {
    fn read(node: &YamlNode, _: &mut ErrorLog) -> Option<Self> {
        Some(node.clone())
    }

    fn blank() -> Self {
        Self { place: Position::default(), kind: NodeKind::Table(Vec::new()) }
    }
}
