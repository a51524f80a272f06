//! The shorthand for types: `optional low | high, words for the model`.

use provost_form::{ErrorLog, Names, YamlNode, nearest};
use serde_json::{Map, Value, json};

use crate::schema::{self, ROSTER, RawRosters, SchemaPart, is_table, known_roster};

/// The words of the shorthand.
const WORDS: [&str; 13] = [
    "string",
    "text",
    "number",
    "integer",
    "boolean",
    "confidence",
    "time",
    "duration",
    "outside",
    "list",
    "roster.NAME",
    "TYPE[]",
    "a | b",
];
/// Longest list of a type.
const ITEMS_MAX: usize = 64;
/// Deepest nesting of named types, which may not contain themselves.
const DEPTH_MAX: usize = 8;

/// A type as JSON Schema.
#[derive(Debug)]
pub(crate) struct NamedType {
    pub(crate) schema: Value,
    /// Whether the value may be left out.
    pub(crate) optional: bool,
}

/// Reads types, with every mistake in the log.
pub(crate) struct TypeReader<'a> {
    pub(crate) rosters: &'a RawRosters,
    /// The objects under `types`.
    pub(crate) named: &'a Names<YamlNode>,
    pub(crate) log: &'a mut ErrorLog,
}

impl TypeReader<'_> {
    /// A type of a field or an argument: the shorthand, or a JSON Schema.
    pub(crate) fn read(&mut self, node: &YamlNode) -> NamedType {
        if is_table(node) {
            schema::check(node, SchemaPart::Property, self.rosters, self.log);
            return NamedType { schema: node.value(), optional: false };
        }
        self.shorthand(node, 0)
    }

    fn shorthand(&mut self, node: &YamlNode, depth: usize) -> NamedType {
        let Some(text) = node.text() else {
            self.log.expected("a type", node, "write one like `string`, or a JSON Schema");
            return NamedType { schema: json!({}), optional: false };
        };
        let (written, about) = text.split_once(',').map_or((text, ""), |(own, about)| (own, about.trim()));
        let written = written.trim();
        let (written, optional) =
            written.strip_prefix("optional ").map_or((written, false), |rest| (rest.trim_start(), true));
        let mut schema = self.one(written, node, depth);
        if let (Some(schema), false) = (schema.as_object_mut(), about.is_empty()) {
            let words = match schema.get("description").and_then(Value::as_str) {
                Some(own) => format!("{about}. {own}"),
                None => about.to_owned(),
            };
            schema.insert("description".to_owned(), words.into());
        }
        NamedType { schema, optional }
    }

    /// A type without `optional` and without words.
    fn one(&mut self, written: &str, node: &YamlNode, depth: usize) -> Value {
        if written.contains('|') {
            return self.choice(written, node);
        }
        if let Some(item) = written.strip_suffix("[]") {
            return self.list(item.trim_end(), node, depth);
        }
        if let Some(roster) = written.strip_prefix("roster.") {
            known_roster(roster, node.place, self.rosters, self.log);
            return self.roster(roster, depth);
        }
        match written {
            "string" => json!({"type": "string", "maxLength": 8192}),
            "text" => json!({"type": "string", "maxLength": 65_536}),
            "number" => json!({"type": "number"}),
            "integer" => json!({"type": "integer"}),
            "boolean" => json!({"type": "boolean"}),
            "confidence" => json!({"type": "number", "minimum": 0, "maximum": 1}),
            "time" => json!({"type": "string", "maxLength": 64, "description": "A time like 2026-11-20T08:30:00Z."}),
            "duration" => json!({"type": "string", "maxLength": 32, "pattern": "^([0-9]+(ms|s|m|h|d))+$",
                "description": "A duration like 1h30m."}),
            "outside" => json!({}),
            "list" => json!({"type": "array", "maxItems": ITEMS_MAX}),
            other => self.named(other, node, depth),
        }
    }

    fn choice(&mut self, written: &str, node: &YamlNode) -> Value {
        let words: Vec<&str> = written.split('|').map(str::trim).collect();
        if let Some(odd) = words.iter().find(|word| word.is_empty() || word.contains(char::is_whitespace)) {
            let message = format!("`{odd}` cannot be one of several words");
            self.log.report(node.place, message, "write words with `|` between them: `low | medium | high`");
        }
        let mut seen = std::collections::BTreeSet::new();
        if let Some(twice) = words.iter().find(|word| !seen.insert(**word)) {
            self.log.report(node.place, format!("`{twice}` is written twice"), "take one out");
        }
        json!({"enum": words})
    }

    fn list(&mut self, item: &str, node: &YamlNode, depth: usize) -> Value {
        // A roster is enforced on the property itself, for every value of its list.
        if let (Some(roster), 0) = (item.strip_prefix("roster."), depth) {
            known_roster(roster, node.place, self.rosters, self.log);
            let about = format!("Each one of: {}.", self.values(roster).join(", "));
            return json!({"type": "array", "items": {"type": "string"}, "maxItems": ITEMS_MAX, ROSTER: roster,
                "description": about});
        }
        if item.ends_with("[]") {
            self.log.report(node.place, "a list of lists is not a type here", "declare the inner list under `types`");
            return json!({});
        }
        let items = self.one(item, node, depth + 1);
        json!({"type": "array", "items": items, "maxItems": ITEMS_MAX})
    }

    /// On a property a roster is looked up when it is used; deeper its values are written into the schema.
    fn roster(&self, roster: &str, depth: usize) -> Value {
        let values = self.values(roster);
        if depth > 0 {
            return json!({"enum": values});
        }
        json!({"type": "string", ROSTER: roster, "description": format!("One of: {}.", values.join(", "))})
    }

    fn values(&self, roster: &str) -> Vec<&str> {
        self.rosters.get(roster).into_iter().flat_map(|values| values.iter().map(|value| value.as_str())).collect()
    }

    /// An object that is declared under `types`.
    fn named(&mut self, name: &str, node: &YamlNode, depth: usize) -> Value {
        let named = self.named;
        let Some(declared) = named.get(name) else {
            if !named.is_blank() {
                let known = WORDS.into_iter().chain(named.names());
                let hint = format!("{}, or a JSON Schema", nearest(name, known));
                self.log.expected("a type", node, &hint);
            }
            return json!({});
        };
        if depth >= DEPTH_MAX {
            let message = format!("the type `{name}` contains itself, or is nested deeper than {DEPTH_MAX}");
            self.log.report(node.place, message, "flatten it, or take `outside`");
            return json!({});
        }
        let fields: Vec<_> = declared.entries().map(|(field, own)| (field, self.shorthand(own, depth + 1))).collect();
        if !is_table(declared) {
            self.log.expected("a table of fields", declared, "write `name: TYPE` lines");
        }
        object(fields.iter().map(|(field, own)| (field.as_str(), own)))
    }
}

/// The schema of an object with these fields and no others.
pub(crate) fn object<'a>(fields: impl Iterator<Item = (&'a str, &'a NamedType)>) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, own) in fields {
        properties.insert(name.to_owned(), own.schema.clone());
        if !own.optional {
            required.push(name);
        }
    }
    json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties})
}
