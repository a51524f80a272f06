//! The session's fields as JSON Schema, also where they are written in the shorthand: from here on there is one form.

use provost_form::{At, ErrorLog, NodeKind, Position, YamlNode};
use serde_json::Value;

use crate::raw::RawPack;
use crate::types::{TypeReader, object};

/// Replaces fields in the shorthand by their schema. Every node of it stands at the place of the type it was made from.
pub(crate) fn fields(raw: &mut RawPack, log: &mut ErrorLog) {
    if raw.fields.is_blank() || is_schema(&raw.fields) || !raw.fields.is_table() {
        return;
    }
    let mut types = TypeReader { rosters: &raw.rosters, named: &raw.types, log };
    let read: Vec<_> = raw.fields.entries().map(|(name, node)| (name.clone(), node.place, types.read(node))).collect();
    let schema = object(read.iter().map(|(name, _, own)| (name.as_str(), own)));
    let place = raw.fields.place;
    let properties = read.iter().map(|(name, place, own)| (name.clone(), node_at(*place, &own.schema))).collect();
    let entry = |key: &str, kind| (At { value: key.to_owned(), place }, YamlNode { place, kind });
    let mut entries: Vec<_> = ["type", "additionalProperties", "required"]
        .into_iter()
        .filter_map(|key| Some(entry(key, node_at(place, schema.get(key)?).kind)))
        .collect();
    entries.push(entry("properties", NodeKind::Table(properties)));
    raw.fields = At { value: YamlNode { place, kind: NodeKind::Table(entries) }, place };
}

/// Whether a table is a JSON Schema of an object, as packs wrote it before there was a shorthand.
fn is_schema(fields: &YamlNode) -> bool {
    let says_object = fields.get("type").and_then(YamlNode::text) == Some("object");
    says_object || fields.get("properties").is_some_and(YamlNode::is_table)
}

/// A value as a tree that stands at one place.
fn node_at(place: Position, value: &Value) -> YamlNode {
    let kind = match value {
        Value::Array(items) => NodeKind::List(items.iter().map(|item| node_at(place, item)).collect()),
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| (At { value: key.clone(), place }, node_at(place, value));
            NodeKind::Table(entries.iter().map(entry).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => NodeKind::Scalar(value.clone()),
    };
    YamlNode { place, kind }
}
