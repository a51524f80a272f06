//! Schemas that say several things at once, made one: references followed, parts joined, branches told apart.

use serde_json::{Map, Value};

/// How many references and joined parts in a row are followed.
const STEPS_MAX: usize = 12;

/// A schema without references and joined parts.
pub(super) fn flat(root: &Value, schema: &Value) -> Map<String, Value> {
    joined(root, schema, STEPS_MAX)
}

fn joined(root: &Value, schema: &Value, steps: usize) -> Map<String, Value> {
    let (Some(steps), Value::Object(own)) = (steps.checked_sub(1), schema) else { return Map::new() };
    let mut flat = own.clone();
    if let Some(target) = own.get("$ref").and_then(Value::as_str) {
        flat.remove("$ref");
        let target = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        merge(&mut flat, target.map(|target| joined(root, target, steps)).unwrap_or_default());
    }
    for part in own.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        flat.remove("allOf");
        merge(&mut flat, joined(root, part, steps));
    }
    flat
}

/// Adds what another part says: its properties and demands to one's own, everything else where nothing stands.
fn merge(own: &mut Map<String, Value>, other: Map<String, Value>) {
    for (key, value) in other {
        match (own.get_mut(&key), value) {
            (Some(Value::Object(own)), Value::Object(more)) if key == "properties" => {
                for (name, schema) in more {
                    own.entry(name).or_insert(schema);
                }
            }
            (Some(Value::Array(own)), Value::Array(more)) if key == "required" => {
                own.extend(more.into_iter().filter(|name| !own.contains(name)).collect::<Vec<_>>());
            }
            (Some(_), _) => {}
            (None, value) => drop(own.insert(key, value)),
        }
    }
}

/// The branches of a schema that is one of several, without the one that is null; nothing where it has no branches.
pub(super) fn branches(flat: &Map<String, Value>) -> Option<Vec<Value>> {
    let listed = ["anyOf", "oneOf"].iter().find_map(|key| flat.get(*key)?.as_array());
    let is_null = |schema: &Value| {
        schema.get("type").is_some_and(|kind| kind == "null") || schema.get("const").is_some_and(Value::is_null)
    };
    if let Some(listed) = listed {
        return Some(listed.iter().filter(|branch| !is_null(branch)).cloned().collect());
    }
    let kinds = flat.get("type")?.as_array()?;
    let of_kind = |kind: &Value| {
        let mut branch = flat.clone();
        branch.insert("type".to_owned(), kind.clone());
        Value::Object(branch)
    };
    Some(kinds.iter().filter(|kind| **kind != "null").map(of_kind).collect())
}

/// Whether a value may be null by a schema.
pub(super) fn is_nullable(root: &Value, schema: &Value) -> bool {
    let flat = flat(root, schema);
    let null = |kind: &Value| kind == "null";
    let listed = ["anyOf", "oneOf"].iter().find_map(|key| flat.get(*key)?.as_array());
    let in_branch = listed.is_some_and(|branches| branches.iter().any(|branch| branch.get("type").is_some_and(null)));
    let in_list = flat.get("type").and_then(Value::as_array).is_some_and(|kinds| kinds.iter().any(null));
    let in_enum = flat.get("enum").and_then(Value::as_array).is_some_and(|values| values.contains(&Value::Null));
    in_branch || in_list || in_enum
}
