//! What servers refuse of the tools of a request.

use serde_json::Value;

use super::{Make, Refusal400};

/// What this make refuses of the tools.
pub(super) fn refusal(make: Make, body: &Value) -> Option<Refusal400> {
    let tools = body.get("tools").and_then(Value::as_array).into_iter().flatten();
    tools.enumerate().find_map(|(index, tool)| {
        let function = &tool["function"];
        match make {
            Make::OpenAi => openai(index, function),
            Make::Gemini => gemini(index, function),
            Make::Mistral | Make::DeepSeek | Make::LlamaCpp | Make::Gemma => named(index, function),
        }
    })
}

fn named(index: usize, function: &Value) -> Option<Refusal400> {
    let name = function["name"].as_str().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let fine = (1..=64).contains(&name.len()) && name.chars().all(plain);
    (!fine).then(|| {
        let message = format!(
            "Invalid 'tools[{index}].function.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
        );
        Refusal400::new("invalid_value", message)
    })
}

fn openai(index: usize, function: &Value) -> Option<Refusal400> {
    if let Some(refusal) = named(index, function) {
        return Some(refusal);
    }
    let name = &function["name"];
    let invalid = |what: String| Refusal400 {
        message: format!("Invalid schema for function {name}: {what}"),
        code: "invalid_function_parameters".to_owned(),
        param: Some(format!("tools[{index}].function.parameters")),
    };
    if function["description"].as_str().is_some_and(|text| text.chars().count() > 1024) {
        let message = format!(
            "Invalid 'tools[{index}].function.description': string too long. Expected a string with maximum length 1024."
        );
        return Some(Refusal400::new("string_above_max_length", message));
    }
    let schema = &function["parameters"];
    let composed = ["oneOf", "anyOf", "allOf", "enum", "not"].iter().any(|key| schema.get(key).is_some());
    if schema["type"] != "object" || composed {
        return Some(invalid(
            "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level."
                .to_owned(),
        ));
    }
    openai_node(schema, &mut Vec::new()).map(invalid)
}

fn openai_node(schema: &Value, context: &mut Vec<String>) -> Option<String> {
    let kinds = |kind: &str| {
        schema["type"] == kind || schema["type"].as_array().is_some_and(|all| all.iter().any(|own| own == kind))
    };
    let place = |context: &[String]| {
        let names: Vec<String> = context.iter().map(|name| format!("'{name}'")).collect();
        format!("({})", names.join(", "))
    };
    if kinds("object") && !schema["properties"].is_object() {
        return Some(format!("In context={}, object schema missing properties.", place(context)));
    }
    if kinds("array") && schema.get("items").is_none() {
        return Some(format!("In context={}, array schema missing items.", place(context)));
    }
    for (key, inner) in members(schema) {
        let before = context.len();
        context.extend(key);
        if let Some(problem) = openai_node(inner, context) {
            return Some(problem);
        }
        context.truncate(before);
    }
    None
}

/// The schemas inside a schema, each with the way to it.
fn members(schema: &Value) -> Vec<(Vec<String>, &Value)> {
    let way = |steps: &[&str]| steps.iter().map(|step| (*step).to_owned()).collect::<Vec<_>>();
    let mut inner = Vec::new();
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        inner.push((way(&["properties", name]), member));
    }
    for key in ["items", "additionalProperties"] {
        inner.extend(schema.get(key).filter(|inside| inside.is_object()).map(|inside| (way(&[key]), inside)));
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        for (index, branch) in schema[key].as_array().into_iter().flatten().enumerate() {
            inner.push((way(&[key, &index.to_string()]), branch));
        }
    }
    inner
}

fn gemini(index: usize, function: &Value) -> Option<Refusal400> {
    let at = format!("tools[0].function_declarations[{index}].parameters");
    gemini_node(&function["parameters"], &at).map(|message| Refusal400::new("INVALID_ARGUMENT", message))
}

fn gemini_node(schema: &Value, at: &str) -> Option<String> {
    const KNOWN: [&str; 17] = [
        "type",
        "format",
        "title",
        "description",
        "nullable",
        "enum",
        "items",
        "maxItems",
        "minItems",
        "properties",
        "required",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "anyOf",
        "additionalProperties",
    ];
    let own = schema.as_object()?;
    if let Some(key) = own.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return Some(format!("Invalid JSON payload received. Unknown name \"{key}\" at '{at}': Cannot find field."));
    }
    if schema["type"].is_array() {
        return Some(format!(
            "Invalid value at '{at}.type' (TYPE_ENUM), Proto field is not repeating, cannot start list."
        ));
    }
    if schema.get("anyOf").is_some() && own.len() > 1 {
        return Some(format!(
            "{at} schema specified other fields alongside any_of. When using any_of, it must be the only field set."
        ));
    }
    if schema["type"] == "object" && schema["properties"].as_object().is_none_or(serde_json::Map::is_empty) {
        return Some(format!("GenerateContentRequest.{at}.properties: should be non-empty for OBJECT type"));
    }
    if schema["type"] == "array" && schema.get("items").is_none() {
        return Some(format!("GenerateContentRequest.{at}.items: missing field."));
    }
    if schema.get("enum").is_some() && schema["type"] != "string" {
        return Some(format!("GenerateContentRequest.{at}.enum: only allowed for STRING type"));
    }
    if schema["enum"].as_array().is_some_and(|words| words.iter().any(|word| word == "")) {
        return Some(format!("GenerateContentRequest.{at}.enum[0]: cannot be empty"));
    }
    members(schema).into_iter().find_map(|(way, inner)| gemini_node(inner, &format!("{at}.{}", way.join("."))))
}
