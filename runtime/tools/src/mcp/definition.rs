//! What a server says of its tools, how that is bounded, and how it is kept once a person accepted it.
//!
//! A server may say something else tomorrow. Models, gates and people go by what was accepted, so a tool is called only while
//! the server still says the very same of it.

use std::collections::BTreeMap;

use provost_domain::length::value_bytes;
use provost_domain::schema::ArgSchema;
use provost_domain::tool::EffectClass;
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::http::start;

/// Largest definition of one tool, in bytes.
const DEFINITION_MAX: usize = 64 * 1024;
/// Deepest schema that is looked through.
const DEPTH_MAX: usize = 64;

/// What a server says of one of its tools.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Definition {
    /// The server's own words for models.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    pub(super) input_schema: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) output_schema: Option<Value>,
    #[serde(default, skip_serializing_if = "ToolHints::are_absent")]
    pub(super) hints: ToolHints,
}

/// What a server says of a tool's effect. It is believed only where it makes us more careful.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToolHints {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) read_only: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) destructive: Option<bool>,
}

impl ToolHints {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    const fn are_absent(&self) -> bool {
        self.read_only.is_none() && self.destructive.is_none()
    }

    /// Why a tool with these hints cannot have this effect.
    pub(super) fn forbid(self, effect: EffectClass) -> Option<&'static str> {
        if effect != EffectClass::Read {
            return None;
        }
        if self.read_only == Some(false) {
            return Some("the server says that it does not only read (readOnlyHint: false)");
        }
        let destroys = self.destructive == Some(true) && self.read_only != Some(true);
        destroys.then_some("the server says that it may destroy something (destructiveHint: true)")
    }
}

impl Definition {
    /// Reads an item of a server's list. An error says why it cannot be used.
    pub(super) fn of(item: &Value) -> Result<(String, Self), String> {
        let name = item.get("name").and_then(Value::as_str).filter(|name| !name.is_empty() && name.len() <= 256);
        let name = name.ok_or("a tool without a usable name")?.to_owned();
        if value_bytes(item) > DEFINITION_MAX {
            return Err(format!("`{name}` is described in more than {DEFINITION_MAX} bytes"));
        }
        let hint = |key: &str| item.get("annotations")?.get(key)?.as_bool();
        let own = Self {
            description: item.get("description").and_then(Value::as_str).unwrap_or_default().to_owned(),
            input_schema: item.get("inputSchema").cloned().unwrap_or_default(),
            output_schema: item.get("outputSchema").filter(|schema| schema.is_object()).cloned(),
            hints: ToolHints { read_only: hint("readOnlyHint"), destructive: hint("destructiveHint") },
        };
        own.arguments(&Map::new()).map_err(|why| format!("`{name}`: {why}"))?;
        Ok((name, own))
    }

    /// The schema of what a model may say: without the arguments that are fixed. An error says why it cannot be used.
    pub(super) fn arguments(&self, fixed: &Map<String, Value>) -> Result<Value, String> {
        let Value::Object(mut schema) = self.input_schema.clone() else {
            return Err("the schema of its arguments is not an object".to_owned());
        };
        if schema.get("type").is_some_and(|kind| kind != "object") {
            return Err("the schema of its arguments is not one of an object".to_owned());
        }
        if let Some(why) = oddity(&self.input_schema, 0) {
            return Err(format!("the schema of its arguments cannot be used: {why}"));
        }
        schema.remove("$schema");
        schema.insert("type".to_owned(), json!("object"));
        let properties = schema.entry("properties").or_insert_with(|| json!({}));
        if let Value::Object(properties) = properties {
            properties.retain(|name, _| !fixed.contains_key(name));
        }
        if let Some(Value::Array(required)) = schema.get_mut("required") {
            required.retain(|name| name.as_str().is_none_or(|name| !fixed.contains_key(name)));
        }
        let schema = Value::Object(schema);
        ArgSchema::new(schema.clone()).map_err(|error| format!("the schema of its arguments: {error}"))?;
        Ok(schema)
    }

    /// Why these fixed arguments cannot be sent.
    pub(super) fn unfit(&self, fixed: &Map<String, Value>) -> Option<String> {
        let schema = ArgSchema::new(self.input_schema.clone()).ok()?;
        fixed.iter().find_map(|(name, value)| {
            if !schema.declares(name) {
                return Some(format!("it has no argument `{name}`"));
            }
            (!schema.takes(name, value)).then(|| format!("its argument `{name}` does not take {value}"))
        })
    }
}

/// What is wrong with a schema that nobody here wrote: a pattern that is not a linear regular expression, a reference to
/// elsewhere, nesting without an end.
fn oddity(schema: &Value, depth: usize) -> Option<String> {
    if depth > DEPTH_MAX {
        return Some("it is nested too deeply".to_owned());
    }
    match schema {
        Value::Object(object) => object.iter().find_map(|(key, value)| {
            let own = match (key.as_str(), value) {
                ("pattern", Value::String(pattern)) => odd_pattern(pattern),
                ("patternProperties", Value::Object(patterns)) => {
                    patterns.keys().find_map(|pattern| odd_pattern(pattern))
                }
                ("$ref" | "$dynamicRef", Value::String(to)) => odd_reference(to),
                _ => None,
            };
            own.or_else(|| oddity(value, depth + 1))
        }),
        Value::Array(items) => items.iter().find_map(|item| oddity(item, depth + 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn odd_pattern(pattern: &str) -> Option<String> {
    let shown = start(pattern);
    Regex::new(pattern).is_err().then(|| format!("its pattern `{shown}` cannot be checked"))
}

fn odd_reference(to: &str) -> Option<String> {
    (!to.starts_with('#')).then(|| format!("it refers to `{}`, which is not fetched", start(to)))
}

/// The tools of a server by the server's own names.
pub(super) type Definitions = BTreeMap<String, Definition>;

/// How a tool differs from what was accepted of it, in words; nothing where it does not.
pub(super) fn difference(accepted: &Definition, now: &Definition) -> Option<String> {
    if accepted == now {
        return None;
    }
    let mut parts = Vec::new();
    if accepted.description != now.description {
        parts.push("description");
    }
    if accepted.input_schema != now.input_schema {
        parts.push("arguments");
    }
    if accepted.output_schema != now.output_schema {
        parts.push("result");
    }
    if accepted.hints != now.hints {
        parts.push("hints");
    }
    Some(parts.join(", "))
}
