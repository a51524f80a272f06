//! From the canonical schema to the form on the wire. Every node has one type; every object its properties; every list its
//! items. An object without known properties, and what may be anything, is asked for as JSON in a text, which is read back.

use serde_json::{Map, Value, json};

use super::key::{NO_ARGUMENTS, wire_key};
use super::union::{branches, flat, is_nullable};
use super::words::{description, one_of};

/// How deep a schema is written out; deeper parts are asked for as JSON in a text.
const DEEP_MAX: usize = 8;
/// Most branches that are told apart.
const BRANCHES_MAX: usize = 8;

/// A tool's schema on the wire.
pub fn schema(canonical: &Value) -> Value {
    let writer = FormWriter { root: canonical };
    let mut whole = flat(canonical, canonical);
    for branch in branches(&whole).unwrap_or_default() {
        // At the root no branches can stand: all they know may be given.
        let known = flat(canonical, &branch).remove("properties");
        let own = whole.entry("properties").or_insert_with(|| json!({}));
        if let (Some(own), Some(Value::Object(known))) = (own.as_object_mut(), known) {
            for (name, schema) in known {
                own.entry(name).or_insert(schema);
            }
        }
    }
    writer.object(&whole, DEEP_MAX).unwrap_or_else(|| {
        let nothing = json!({"type": "boolean", "description": "This tool takes no arguments; leave this out."});
        json!({"type": "object", "properties": {NO_ARGUMENTS: nothing}, "additionalProperties": false})
    })
}

struct FormWriter<'a> {
    root: &'a Value,
}

impl FormWriter<'_> {
    fn node(&self, schema: &Value, deep: usize) -> Value {
        let flat = flat(self.root, schema);
        match branches(&flat) {
            Some(branches) => self.union(&flat, &branches, deep),
            None => self.typed(&flat, deep),
        }
    }

    /// One of several: told apart where each has a type of its own, else one that is all of them.
    fn union(&self, flat: &Map<String, Value>, branches: &[Value], deep: usize) -> Value {
        let mut written: Vec<Value> = Vec::new();
        for branch in branches.iter().take(BRANCHES_MAX) {
            let node = self.node(branch, deep);
            match node.get("anyOf").and_then(Value::as_array) {
                Some(inner) => written.extend(inner.iter().cloned()),
                None => written.push(node),
            }
        }
        if let Some(words) = all_words(&written) {
            return self.typed(&with(flat, "enum", words.into()), deep);
        }
        written.dedup();
        match written.as_mut_slice() {
            [] => self.typed(&without_branches(flat), deep),
            [only] => {
                describe(only, flat);
                only.take()
            }
            [first, ..] => {
                // Some servers refuse anything beside the branches.
                describe(first, flat);
                json!({"anyOf": written})
            }
        }
    }

    fn typed(&self, flat: &Map<String, Value>, deep: usize) -> Value {
        let values = match flat.get("const") {
            Some(value) => Some(vec![value.clone()]),
            None => flat.get("enum").and_then(Value::as_array).cloned(),
        };
        let kind =
            flat.get("type").and_then(Value::as_str).or_else(|| values.as_deref().and_then(kind_of)).or_else(|| {
                let object = flat.contains_key("properties");
                object.then_some("object").or_else(|| flat.contains_key("items").then_some("array"))
            });
        let deeper = deep.checked_sub(1);
        match (kind, deeper) {
            (Some("object"), Some(deep)) => self
                .object(flat, deep)
                .unwrap_or_else(|| text(flat, &format!("A JSON object, as JSON text.{}", self.members(flat)))),
            (Some("array"), Some(deep)) => self.array(flat, deep),
            (Some("object" | "array"), None) => text(flat, "As JSON text."),
            (Some("string"), _) => words(flat, values.unwrap_or_default()),
            (Some(kind @ ("integer" | "number" | "boolean")), _) => {
                let more = values.filter(|_| kind != "boolean").map(|values| one_of(&values)).unwrap_or_default();
                node(kind, description(flat, &more))
            }
            (Some(_) | None, _) => text(flat, "Any value; an object or a list as JSON text."),
        }
    }

    /// An object with known properties.
    fn object(&self, flat: &Map<String, Value>, deep: usize) -> Option<Value> {
        let known = flat.get("properties").and_then(Value::as_object).filter(|known| !known.is_empty())?;
        let properties: Map<String, Value> =
            known.iter().map(|(name, schema)| (wire_key(name), self.node(schema, deep))).collect();
        let listed = flat.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        // What may be null may be left out: the null is put back.
        let needed = |name: &&str| known.get(*name).is_some_and(|schema| !is_nullable(self.root, schema));
        let required: Vec<String> = listed.filter(needed).map(wire_key).collect();
        let mut object = node("object", description(flat, ""));
        if let Some(object) = object.as_object_mut() {
            object.insert("properties".to_owned(), properties.into());
            if !required.is_empty() {
                object.insert("required".to_owned(), required.into());
            }
            let closed = |key: &str| flat.get(key) == Some(&Value::Bool(false));
            if closed("additionalProperties") || closed("unevaluatedProperties") {
                object.insert("additionalProperties".to_owned(), false.into());
            }
        }
        Some(object)
    }

    fn array(&self, flat: &Map<String, Value>, deep: usize) -> Value {
        let mut array = node("array", description(flat, ""));
        let items = match flat.get("items").filter(|items| items.is_object()) {
            Some(items) => self.node(items, deep),
            None => text(&Map::new(), "Any value; an object or a list as JSON text."),
        };
        if let Some(array) = array.as_object_mut() {
            array.insert("items".to_owned(), items);
        }
        array
    }

    /// What the values of an object with any keys are.
    fn members(&self, flat: &Map<String, Value>) -> String {
        let of_values = flat.get("additionalProperties").filter(|schema| schema.is_object());
        let kind =
            of_values.and_then(|schema| super::union::flat(self.root, schema).get("type")?.as_str().map(str::to_owned));
        kind.map(|kind| format!(" Its values: {kind}.")).unwrap_or_default()
    }
}

fn node(kind: &str, description: Option<String>) -> Value {
    let mut node = json!({"type": kind});
    if let (Some(node), Some(description)) = (node.as_object_mut(), description) {
        node.insert("description".to_owned(), description.into());
    }
    node
}

fn text(flat: &Map<String, Value>, more: &str) -> Value {
    node("string", description(flat, more))
}

/// A text, perhaps one of a closed list. Some servers refuse an empty word, or a list of none.
fn words(flat: &Map<String, Value>, values: Vec<Value>) -> Value {
    let words: Vec<Value> =
        values.into_iter().filter(|value| value.as_str().is_some_and(|word| !word.is_empty())).collect();
    let mut node = text(flat, "");
    if let (Some(node), false) = (node.as_object_mut(), words.is_empty()) {
        node.insert("enum".to_owned(), words.into());
    }
    node
}

/// The one type of a closed list.
fn kind_of(values: &[Value]) -> Option<&'static str> {
    let kind = |value: &Value| match value {
        Value::Null => None,
        Value::Bool(_) => Some("boolean"),
        Value::Number(number) if number.is_f64() => Some("number"),
        Value::Number(_) => Some("integer"),
        Value::String(_) => Some("string"),
        Value::Array(_) => Some("array"),
        Value::Object(_) => Some("object"),
    };
    let mut kinds = values.iter().filter_map(kind);
    let first = kinds.next()?;
    kinds.all(|kind| kind == first).then_some(first)
}

/// The words of branches that are all closed lists of texts.
fn all_words(written: &[Value]) -> Option<Vec<Value>> {
    let lists: Option<Vec<&Vec<Value>>> = written.iter().map(|node| node.get("enum")?.as_array()).collect();
    lists.filter(|lists| !lists.is_empty()).map(|lists| lists.into_iter().flatten().cloned().collect())
}

fn with(flat: &Map<String, Value>, key: &str, value: Value) -> Map<String, Value> {
    let mut own = without_branches(flat);
    own.insert(key.to_owned(), value);
    own
}

fn without_branches(flat: &Map<String, Value>) -> Map<String, Value> {
    let own = flat.iter().filter(|(key, _)| !matches!(key.as_str(), "anyOf" | "oneOf" | "type"));
    own.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Puts the description of the whole before a branch's own.
fn describe(node: &mut Value, flat: &Map<String, Value>) {
    let Some(outer) = flat.get("description").and_then(Value::as_str) else { return };
    let Some(node) = node.as_object_mut() else { return };
    let inner = node.get("description").and_then(Value::as_str).unwrap_or_default();
    let whole = if inner.is_empty() || inner.contains(outer) { outer.to_owned() } else { format!("{outer} {inner}") };
    let whole = if inner.contains(outer) { inner.to_owned() } else { whole };
    node.insert("description".to_owned(), whole.into());
}
