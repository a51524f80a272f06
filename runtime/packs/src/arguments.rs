//! The schemas of the pack's own tools, from `name: type` shorthands.

use std::collections::{BTreeMap, BTreeSet};

use provost_domain::schema::ArgSchema;
use provost_domain::schema::shorthand::TypeForm;
use provost_form::{At, ErrorLog, Names, Position, YamlNode};
use serde_json::{Map, Value, json};

use crate::own_tools::{EVIDENCE_MAX, RawTerminal};
use crate::rosters::RawRosters;
use crate::schema::{self, ROSTER, SchemaPart, compile, is_table};
use crate::types::TypeReader;

/// Makes schemas, with every mistake in the log.
pub(crate) struct ToolSchemas<'a> {
    pub(crate) rosters: &'a RawRosters,
    /// The objects under `types`.
    pub(crate) named: &'a Names<YamlNode>,
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

    /// The schema of a terminal tool: with `evidence`, the ids of tool results, of which at least so many are needed; and with
    /// `confidence` and `rationale`, unless the pack is written as packs were before tools had an `about`.
    pub(crate) fn claim(&mut self, tool: &RawTerminal) -> Option<ArgSchema> {
        let (args, evidence) = (&tool.args, tool.evidence.0);
        let (mut properties, mut required) = self.properties(args);
        let unstated: Vec<_> =
            STATED.into_iter().filter(|name| tool.about.is_some() && args.get(name).is_none()).collect();
        for name in unstated {
            properties.insert(name.to_owned(), stated(name));
            required.insert(name);
        }
        let ids = json!({"type": "array", "items": {"type": "string", "maxLength": 200},
            "minItems": evidence, "maxItems": EVIDENCE_MAX,
            "description": "Evidence ids of tool results, as they show them."});
        properties.insert("evidence".to_owned(), ids);
        if evidence > 0 {
            required.insert("evidence");
        }
        let schema = json!({"type": "object", "additionalProperties": false, "required": required,
            "properties": properties});
        compile(schema, place_in(args), self.log)
    }

    /// The schema of a findings tool; its rosters are part of it, for nothing else would look them up.
    pub(crate) fn closed(&mut self, args: &Names<YamlNode>) -> Option<ArgSchema> {
        let (mut properties, required) = self.properties(args);
        self.close(&mut properties);
        let schema = json!({"type": "object", "additionalProperties": false, "required": required,
            "properties": properties});
        compile(schema, place_in(args), self.log)
    }

    /// The schema of the fields that a pack adds to the report of a role; the role's own stand beside them.
    pub(crate) fn report(&mut self, fields: &Names<YamlNode>) -> Option<ArgSchema> {
        let (mut properties, required) = self.properties(fields);
        self.close(&mut properties);
        compile(json!({"type": "object", "required": required, "properties": properties}), place_in(fields), self.log)
    }

    /// The schema of a patch tool: some of the session's fields, none of them required.
    pub(crate) fn patch(&mut self, mut properties: Map<String, Value>, place: Position) -> Option<ArgSchema> {
        self.close(&mut properties);
        let schema = json!({"type": "object", "additionalProperties": false, "minProperties": 1,
            "properties": properties});
        compile(schema, |_| place, self.log)
    }

    /// The schemas of the arguments, and which of them must be given.
    fn properties<'n>(&mut self, args: &'n Names<YamlNode>) -> (Map<String, Value>, BTreeSet<&'n str>) {
        let mut types = TypeReader { rosters: self.rosters, named: self.named, log: self.log };
        let (mut properties, mut required) = (Map::new(), BTreeSet::new());
        for (name, form) in args.iter() {
            let own = types.read(form);
            properties.insert(name.value.clone(), own.schema);
            if !own.optional {
                required.insert(name.as_str());
            }
        }
        (properties, required)
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

/// What every claim states about itself.
pub(crate) const STATED: [&str; 2] = ["confidence", "rationale"];

fn stated(name: &str) -> Value {
    match TypeForm::of(if name == "confidence" { name } else { "string" }) {
        TypeForm::Plain(schema) => schema,
        TypeForm::Choice(_) | TypeForm::List(_) | TypeForm::Roster(_) | TypeForm::Named(_) => json!({}),
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
