//! The shorthand for types: `optional low | high, words for the model`.

use provost_domain::schema::EVIDENCE;
use provost_domain::schema::shorthand::{self, ITEMS_MAX, PLAIN, TypeForm, TypeLine};
use provost_form::{ErrorLog, Names, YamlNode, nearest};
use serde_json::{Map, Value, json};

use crate::rosters::RawRosters;
use crate::schema::{self, ROSTER, SchemaPart, is_table, known_roster};

/// What may be written besides the plain types.
const MORE: [&str; 5] = ["evidence", "list", "roster.NAME", "TYPE[]", "a | b"];
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
        let line = TypeLine::of(text);
        let schema = self.one(&line.form, node, depth);
        NamedType { schema: line.describe(schema), optional: line.optional }
    }

    /// A type without `optional` and without words.
    fn one(&mut self, form: &TypeForm<'_>, node: &YamlNode, depth: usize) -> Value {
        match form {
            TypeForm::Plain(schema) => schema.clone(),
            TypeForm::Choice(words) => self.choice(words, node),
            TypeForm::List(item) => self.list(item, node, depth),
            TypeForm::Roster(roster) => {
                known_roster(roster, node.place, self.rosters, self.log);
                self.roster(roster, depth)
            }
            TypeForm::Named("evidence") => json!({"type": "string", "maxLength": 200, EVIDENCE: true,
                "description": "The id of a tool result, as it shows it."}),
            TypeForm::Named("list") => json!({"type": "array", "maxItems": ITEMS_MAX}),
            TypeForm::Named(name) => self.named(name, node, depth),
        }
    }

    fn choice(&mut self, words: &[&str], node: &YamlNode) -> Value {
        shorthand::choice(words).unwrap_or_else(|message| {
            self.log.report(node.place, message, "write words with `|` between them: `low | medium | high`");
            json!({})
        })
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
        shorthand::list(&self.one(&TypeForm::of(item), node, depth + 1))
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
                let known = PLAIN.into_iter().chain(MORE).chain(named.names());
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
