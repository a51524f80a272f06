//! The wire form as a grammar that a server holds a model to: every object is closed, every property is given, and one that
//! may be left out is null instead. The null is taken off again when the arguments are read.

use serde_json::{Map, Value, json};

/// The strict form of a schema that is already in the form on the wire.
pub fn strict(wire: &Value) -> Value {
    match wire {
        Value::Object(node) => node_of(node),
        Value::Array(nodes) => nodes.iter().map(strict).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => wire.clone(),
    }
}

fn node_of(node: &Map<String, Value>) -> Value {
    let mut own = node.clone();
    for deeper in ["items", "anyOf"] {
        if let Some(part) = own.get_mut(deeper) {
            *part = strict(part);
        }
    }
    let properties = match own.remove("properties") {
        Some(Value::Object(properties)) => properties,
        _ if own.get("type").is_some_and(|kind| kind == "object") => Map::new(),
        _ => return Value::Object(own),
    };
    let listed = own.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let is_required = |name: &str| listed.iter().any(|required| required.as_str() == Some(name));
    let given = |(name, schema): (&String, &Value)| {
        let schema = strict(schema);
        (name.clone(), if is_required(name) { schema } else { nullable(schema) })
    };
    let names: Vec<Value> = properties.keys().map(|name| name.as_str().into()).collect();
    own.insert("properties".to_owned(), properties.iter().map(given).collect::<Map<_, _>>().into());
    own.insert("required".to_owned(), names.into());
    own.insert("additionalProperties".to_owned(), false.into());
    Value::Object(own)
}

fn nullable(schema: Value) -> Value {
    let nothing = json!({"type": "null"});
    match schema {
        Value::Object(mut node) => match node.get_mut("anyOf").and_then(Value::as_array_mut) {
            Some(branches) => {
                branches.push(nothing);
                Value::Object(node)
            }
            None => json!({"anyOf": [node, nothing]}),
        },
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            json!({"anyOf": [other, nothing]})
        }
    }
}
