//! The schemas of the pack's own tools, from `name: type` shorthands.

use std::collections::{BTreeMap, BTreeSet};

use provost_domain::schema::ArgSchema;
use provost_form::{At, ErrorLog, Names, Position, YamlNode, nearest};
use serde_json::{Map, Value, json};

use crate::schema::{self, ROSTER, RawRosters, SchemaPart, compile, is_table, known_roster};

/// The types of an argument.
const TYPES: [&str; 7] = ["string", "confidence", "number", "integer", "boolean", "list", "roster.NAME"];

/// Makes schemas, with every mistake in the log.
pub(crate) struct ToolSchemas<'a> {
    pub(crate) rosters: &'a RawRosters,
    pub(crate) log: &'a mut ErrorLog,
}

impl ToolSchemas<'_> {
    /// The schema of the session's fields.
    pub(crate) fn fields(&mut self, raw: &At<YamlNode>) -> Option<ArgSchema> {
        if raw.is_blank() {
            return None;
        }
        if !is_table(raw) || raw.get("type").and_then(YamlNode::text) != Some("object") {
            self.log.report(raw.place, "the fields must be an object", "write a JSON Schema with `type: object`");
        }
        schema::check(raw, SchemaPart::Whole, self.rosters, self.log);
        compile(raw.value.value(), |pointer| raw.pointer(pointer), self.log)
    }

    /// The schema of a terminal tool: with `evidence`, the ids of tool results.
    pub(crate) fn claim(&mut self, args: &Names<YamlNode>, evidence: bool) -> Option<ArgSchema> {
        let mut properties = self.properties(args);
        let mut required: BTreeSet<&str> = args.names().collect();
        let ids = json!({"type": "array", "items": {"type": "string", "maxLength": 200},
            "minItems": usize::from(evidence), "maxItems": 64,
            "description": "Evidence ids of tool results, as they show them."});
        properties.insert("evidence".to_owned(), ids);
        if evidence {
            required.insert("evidence");
        }
        let schema = json!({"type": "object", "additionalProperties": false, "required": required,
            "properties": properties});
        compile(schema, place_in(args), self.log)
    }

    /// The schema of a findings tool; its rosters are part of it, for nothing else would look them up.
    pub(crate) fn closed(&mut self, args: &Names<YamlNode>) -> Option<ArgSchema> {
        let mut properties = self.properties(args);
        self.close(&mut properties);
        let required: BTreeSet<&str> = args.names().collect();
        let schema = json!({"type": "object", "additionalProperties": false, "required": required,
            "properties": properties});
        compile(schema, place_in(args), self.log)
    }

    /// The schema of a patch tool: some of the session's fields, none of them required.
    pub(crate) fn patch(&mut self, mut properties: Map<String, Value>, place: Position) -> Option<ArgSchema> {
        self.close(&mut properties);
        let schema = json!({"type": "object", "additionalProperties": false, "minProperties": 1,
            "properties": properties});
        compile(schema, |_| place, self.log)
    }

    fn properties(&mut self, args: &Names<YamlNode>) -> Map<String, Value> {
        args.iter().map(|(name, form)| (name.value.clone(), self.argument(form))).collect()
    }

    fn argument(&mut self, form: &YamlNode) -> Value {
        if is_table(form) {
            schema::check(form, SchemaPart::Property, self.rosters, self.log);
            return form.value();
        }
        match form.text().unwrap_or_default() {
            "string" => json!({"type": "string", "maxLength": 8192}),
            "confidence" => json!({"type": "number", "minimum": 0, "maximum": 1}),
            "number" => json!({"type": "number"}),
            "integer" => json!({"type": "integer"}),
            "boolean" => json!({"type": "boolean"}),
            "list" => json!({"type": "array", "maxItems": 64}),
            other => self.roster(other, form),
        }
    }

    fn roster(&mut self, word: &str, form: &YamlNode) -> Value {
        let Some(roster) = word.strip_prefix("roster.") else {
            let hint = format!("{}, or a JSON Schema", nearest(word, TYPES));
            self.log.expected("a type of an argument", form, &hint);
            return json!({});
        };
        known_roster(roster, form.place, self.rosters, self.log);
        json!({"type": "string", ROSTER: roster, "description": format!("One of: {}.", self.values(roster).join(", "))})
    }

    fn values(&self, roster: &str) -> Vec<&str> {
        self.rosters.get(roster).into_iter().flat_map(|values| values.iter().map(|value| value.as_str())).collect()
    }

    /// Writes the values of rosters into the schema.
    fn close(&self, properties: &mut Map<String, Value>) {
        for property in properties.values_mut() {
            let Some(roster) = property.get(ROSTER).and_then(Value::as_str) else { continue };
            let values = json!(self.values(roster));
            let is_list = property.get("type").is_some_and(|kind| kind == "array");
            let rule = if is_list { ("items", json!({"enum": values})) } else { ("enum", values) };
            if let Some(property) = property.as_object_mut() {
                property.insert(rule.0.to_owned(), rule.1);
            }
        }
    }
}

/// Where a JSON pointer into the schema of some arguments leads.
fn place_in(args: &Names<YamlNode>) -> impl Fn(&str) -> Position {
    let places: BTreeMap<&str, &YamlNode> = args.iter().map(|(name, node)| (name.as_str(), node)).collect();
    let first = args.keys().next().map(|name| name.place).unwrap_or_default();
    move |pointer| {
        let inside = pointer.strip_prefix("/properties/").unwrap_or_default();
        let (name, rest) = inside.split_once('/').unwrap_or((inside, ""));
        places.get(name).map_or(first, |node| node.pointer(&format!("/{rest}")))
    }
}
