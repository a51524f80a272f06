//! What model servers refuse of the tools that are offered to them. All rules are checked for every model: what stands behind
//! an address is not known.

use std::fmt;

use serde_json::Value;

use crate::model::ToolOffer;

/// Most tools that are offered at once.
const TOOLS_MAX: usize = 128;
/// Longest name of a tool, and of a property.
const NAME_MAX: usize = 64;
/// Most characters of a tool's description.
const DESCRIPTION_MAX: usize = 1024;
/// The only keywords that all know.
const KEYWORDS: [&str; 8] =
    ["additionalProperties", "anyOf", "description", "enum", "items", "properties", "required", "type"];
/// What no schema may be at its root.
const NOT_AT_ROOT: [&str; 6] = ["allOf", "anyOf", "enum", "if", "not", "oneOf"];

/// Something that a model server would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireRefusal {
    /// The name on the wire of the tool that would be refused.
    pub tool: String,
    /// Who refuses it.
    pub server: &'static str,
    /// JSON pointer into its schema; empty for the tool itself.
    pub path: String,
    /// The rule it breaks.
    pub rule: String,
}

impl fmt::Display for WireRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tool, server, path, rule } = self;
        let at = if path.is_empty() { String::new() } else { format!(" at `{path}`") };
        write!(f, "{server} would refuse the tool `{tool}`{at}: {rule}")
    }
}

/// What some server would refuse of these offers; empty when all take them.
pub fn refusals(offers: &[ToolOffer]) -> Vec<WireRefusal> {
    let mut found = Vec::new();
    if let Some(offer) = offers.get(TOOLS_MAX) {
        found.push(refusal(&offer.name, "OpenAI", "", format!("at most {TOOLS_MAX} tools may be offered at once")));
    }
    for (index, offer) in offers.iter().enumerate() {
        if offers.iter().take(index).any(|other| other.name == offer.name) {
            found.push(refusal(&offer.name, "every server", "", "two tools have this name on the wire".to_owned()));
        }
        tool(offer, &mut found);
    }
    found
}

fn refusal(tool: &str, server: &'static str, path: &str, rule: String) -> WireRefusal {
    WireRefusal { tool: tool.to_owned(), server, path: path.to_owned(), rule }
}

fn tool(offer: &ToolOffer, found: &mut Vec<WireRefusal>) {
    let mut say = |server, rule: &str| found.push(refusal(&offer.name, server, "", rule.to_owned()));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if offer.name.is_empty() || offer.name.len() > NAME_MAX || !offer.name.chars().all(plain) {
        say("OpenAI", "a tool's name has 1 to 64 letters, digits, `_` and `-`");
    } else if !offer.name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        say("Gemini", "a tool's name begins with a letter or `_`");
    }
    if offer.description.chars().count() > DESCRIPTION_MAX {
        say("OpenAI", "a tool's description has at most 1024 characters");
    }
    if offer.schema.get("type").is_none_or(|kind| kind != "object") {
        say("OpenAI", "a schema must be of type `object`");
    }
    if let Some(key) = NOT_AT_ROOT.into_iter().find(|key| offer.schema.get(key).is_some()) {
        say("Anthropic", &format!("no `{key}` may stand at the top level"));
    }
    node(&offer.schema, &mut String::new(), &mut |server, path, rule| {
        found.push(refusal(&offer.name, server, path, rule));
    });
}

type Say<'a> = dyn FnMut(&'static str, &str, String) + 'a;

fn node(schema: &Value, path: &mut String, say: &mut Say<'_>) {
    let Some(own) = schema.as_object() else {
        return say("Gemini", path, "a schema must be an object".to_owned());
    };
    for key in own.keys().filter(|key| !KEYWORDS.contains(&key.as_str())) {
        say("Gemini", path, format!("unknown name `{key}`"));
    }
    match (own.get("type"), own.contains_key("anyOf")) {
        (Some(Value::String(kind)), false) => of_kind(kind, schema, path, say),
        (Some(Value::String(_)), true) => say("Gemini", path, "`anyOf` must stand alone".to_owned()),
        (Some(_), _) => say("Gemini", path, "`type` must be one word".to_owned()),
        (None, true) => {
            if own.len() > 1 {
                say("Gemini", path, "`anyOf` must stand alone".to_owned());
            }
        }
        (None, false) => say("Gemini", path, "`type` is missing".to_owned()),
    }
    let odd =
        |values: &Vec<Value>| values.is_empty() || values.iter().any(|value| value.as_str().is_none_or(str::is_empty));
    if own.get("enum").and_then(Value::as_array).is_some_and(odd) {
        say("Gemini", path, "an `enum` holds texts that are not empty".to_owned());
    }
    for (name, member) in own.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(plain) {
            say("Anthropic", path, format!("the property `{name}` has a name of other letters than `A-Za-z0-9_.-`"));
        }
        within(path, &format!("/properties/{name}"), |path| node(member, path, say));
    }
    if let Some(items) = own.get("items") {
        within(path, "/items", |path| node(items, path, say));
    }
    for (index, branch) in own.get("anyOf").and_then(Value::as_array).into_iter().flatten().enumerate() {
        within(path, &format!("/anyOf/{index}"), |path| node(branch, path, say));
    }
}

fn within(path: &mut String, step: &str, then: impl FnOnce(&mut String)) {
    let before = path.len();
    path.push_str(step);
    then(path);
    path.truncate(before);
}

fn of_kind(kind: &str, schema: &Value, path: &str, say: &mut Say<'_>) {
    match kind {
        "object" => {
            if schema.get("properties").and_then(Value::as_object).is_none_or(serde_json::Map::is_empty) {
                say("OpenAI", path, "an object needs `properties`".to_owned());
            }
            if schema.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false)) {
                say("Gemini", path, "`additionalProperties` may only be false".to_owned());
            }
        }
        "array" if schema.get("items").is_none() => say("OpenAI", path, "an array schema needs `items`".to_owned()),
        "array" | "string" | "integer" | "number" | "boolean" => {}
        other => say("Gemini", path, format!("`{other}` is not a type")),
    }
}
