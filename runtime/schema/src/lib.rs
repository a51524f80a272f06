//! Argument schemas: a JSON Schema compiled once, checked purely.
//!
//! A crate of its own because the validator is generic: its code is generated here, once, and not with each build of
//! the domain.

pub mod shorthand;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

/// A compiled JSON Schema for an object of arguments or fields. References outside the schema are never fetched.
#[derive(Clone)]
pub struct ArgSchema {
    raw: Arc<Value>,
    validator: Arc<jsonschema::Validator>,
}

/// A schema could not be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a usable JSON Schema at `{path}`: {detail}")]
pub struct BadSchema {
    /// JSON pointer into the schema.
    pub path: String,
    /// What is wrong there.
    pub detail: String,
}

impl ArgSchema {
    /// Compiles a schema.
    pub fn new(raw: Value) -> Result<Self, BadSchema> {
        let validator = jsonschema::options().build(&raw).map_err(|error| BadSchema {
            path: error.instance_path().to_string(),
            detail: error.to_string().chars().take(300).collect(),
        })?;
        Ok(Self { raw: Arc::new(raw), validator: Arc::new(validator) })
    }

    /// The schema as written.
    pub fn raw(&self) -> &Value {
        &self.raw
    }

    /// Every way in which `value` breaks the schema, as `path: what`, at most eight; empty when it fits.
    pub fn problems(&self, value: &Value) -> Vec<String> {
        self.validator
            .iter_errors(value)
            .take(8)
            .map(|error| {
                let path = error.instance_path().to_string();
                let path = if path.is_empty() { "arguments".to_owned() } else { path };
                format!("{path}: {}", error.to_string().chars().take(300).collect::<String>())
            })
            .collect()
    }

    /// Whether a property may have this value, whatever else there is.
    pub fn takes(&self, name: &str, value: &Value) -> bool {
        let alone = Value::Object([(name.to_owned(), value.clone())].into_iter().collect());
        let place = format!("/{name}");
        !self.validator.iter_errors(&alone).any(|error| {
            let path = error.instance_path().to_string();
            path.strip_prefix(&place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Whether a property of this name must be there.
    pub fn requires(&self, name: &str) -> bool {
        let required = self.raw.get("required").and_then(Value::as_array);
        required.is_some_and(|names| names.iter().any(|own| own.as_str() == Some(name)))
    }

    /// Whether the schema declares a property of this name.
    pub fn declares(&self, name: &str) -> bool {
        self.properties().is_some_and(|p| p.contains_key(name))
    }

    /// The names of the declared properties.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.properties().into_iter().flat_map(|p| p.keys().map(String::as_str))
    }

    /// Properties bound to a roster by the keyword `x-roster`: property → roster.
    pub fn roster_bindings(&self) -> BTreeMap<String, String> {
        let bound =
            |(name, schema): (&String, &Value)| Some((name.clone(), schema.get("x-roster")?.as_str()?.to_owned()));
        self.properties().into_iter().flatten().filter_map(bound).collect()
    }

    /// The texts that stand in a value where the schema has the keyword `x-evidence`, in properties and in items of lists.
    pub fn evidence_in<'v>(&self, value: &'v Value) -> Vec<&'v str> {
        let mut found = Vec::new();
        evidence_in(&self.raw, value, &mut found);
        found
    }

    /// The schema without some properties, for the model that must not see them.
    pub fn without<'a>(&self, hidden: impl Iterator<Item = &'a str>) -> Value {
        let mut shown = (*self.raw).clone();
        for name in hidden {
            if let Some(properties) = shown.get_mut("properties").and_then(Value::as_object_mut) {
                properties.remove(name);
            }
            if let Some(required) = shown.get_mut("required").and_then(Value::as_array_mut) {
                required.retain(|r| r.as_str() != Some(name));
            }
        }
        shown
    }

    fn properties(&self) -> Option<&serde_json::Map<String, Value>> {
        self.raw.get("properties").and_then(Value::as_object)
    }
}

/// The keyword of a text that cites a result.
pub const EVIDENCE: &str = "x-evidence";

/// It goes as deep as the value does.
fn evidence_in<'v>(schema: &Value, value: &'v Value, found: &mut Vec<&'v str>) {
    if schema.get(EVIDENCE).is_some() {
        found.extend(value.as_str());
    }
    match value {
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return };
            for item in items {
                evidence_in(schema, item, found);
            }
        }
        Value::Object(members) => {
            let Some(properties) = schema.get("properties") else { return };
            for (name, member) in members {
                if let Some(schema) = properties.get(name) {
                    evidence_in(schema, member, found);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

impl fmt::Debug for ArgSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ArgSchema").field(&self.raw).finish()
    }
}

impl PartialEq for ArgSchema {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn evidence_is_found_wherever_the_schema_has_it() {
        let id = json!({"type": "string", EVIDENCE: true});
        let cause = json!({"type": "object", "properties": {"for": {"type": "array", "items": id}, "note": {"type": "string"}}});
        let schema = json!({"type": "object", "properties": {"one": id, "causes": {"type": "array", "items": cause}}});
        let schema = ArgSchema::new(schema).unwrap();
        let value = json!({"one": "a", "other": "x", "causes": [{"for": ["b", "c"], "note": "y"}, {}, 7]});
        assert_eq!(schema.evidence_in(&value), ["b", "c", "a"]);
        assert!(schema.evidence_in(&json!(["a"])).is_empty());
    }
}
