//! JSON Schemas in a pack: known keywords, known rosters, and compiled.

use provost_domain::schema::ArgSchema;
use provost_form::{At, ErrorLog, Position, YamlNode, nearest};
use serde_json::Value;

use crate::rosters::RawRosters;

/// The keyword that binds a property to a roster.
pub(crate) const ROSTER: &str = "x-roster";

/// Keywords whose value is a schema, or a list of schemas.
const SCHEMA: [&str; 14] = [
    "additionalProperties",
    "allOf",
    "anyOf",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "oneOf",
    "prefixItems",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords whose value is a table of schemas.
const SCHEMAS: [&str; 5] = ["$defs", "definitions", "dependentSchemas", "patternProperties", "properties"];
/// Keywords whose value is data.
const DATA: [&str; 32] = [
    "$anchor",
    "$comment",
    "$id",
    "$ref",
    "$schema",
    "const",
    "contentEncoding",
    "contentMediaType",
    "default",
    "dependentRequired",
    "deprecated",
    "description",
    "enum",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "required",
    "title",
    "type",
];
const UNIQUE: &str = "uniqueItems";

/// Where in a schema a part stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SchemaPart {
    /// What holds for a value itself.
    Whole,
    /// The schema of one of its properties: the only place where a roster is enforced.
    Property,
    /// Anything deeper.
    Inner,
}

/// Refuses keywords nothing would look at, and rosters nothing would enforce.
pub(crate) fn check(schema: &YamlNode, part: SchemaPart, rosters: &RawRosters, log: &mut ErrorLog) {
    for (key, node) in schema.entries() {
        let word = key.as_str();
        if word == ROSTER {
            check_binding(key, node, part, rosters, log);
        } else if SCHEMAS.contains(&word) {
            let inner = if part == SchemaPart::Whole && word == "properties" {
                SchemaPart::Property
            } else {
                SchemaPart::Inner
            };
            node.entries().for_each(|(_, schema)| check(schema, inner, rosters, log));
        } else if SCHEMA.contains(&word) {
            check(node, SchemaPart::Inner, rosters, log);
            node.items().iter().for_each(|schema| check(schema, SchemaPart::Inner, rosters, log));
        } else if !DATA.contains(&word) && word != UNIQUE {
            let known = SCHEMA.into_iter().chain(SCHEMAS).chain(DATA).chain([UNIQUE, ROSTER]);
            let hint = nearest(word, known);
            let hint = if hint.starts_with("did") { hint } else { "see the JSON Schema specification".to_owned() };
            log.report(key.place, format!("unknown schema keyword `{word}`"), hint);
        }
    }
}

fn check_binding(key: &At<String>, node: &YamlNode, part: SchemaPart, rosters: &RawRosters, log: &mut ErrorLog) {
    match node.text() {
        Some(roster) => known_roster(roster, node.place, rosters, log),
        None => log.expected("a roster's name", node, "write a name that stands under `rosters`"),
    }
    if part != SchemaPart::Property {
        let hint = "write it on the property itself; every value of a list is looked up";
        log.report(key.place, "`x-roster` is enforced only on a property of the whole", hint);
    }
}

/// Reports a roster that is not there.
pub(crate) fn known_roster(roster: &str, place: Position, rosters: &RawRosters, log: &mut ErrorLog) {
    if !rosters.is_blank() && rosters.get(roster).is_none() {
        log.report(place, format!("no roster `{roster}`"), nearest(roster, rosters.names()));
    }
}

/// Compiles a schema; every property that is none is reported where `place` finds its JSON pointer.
pub(crate) fn compile(schema: Value, place: impl Fn(&str) -> Position, log: &mut ErrorLog) -> Option<ArgSchema> {
    const HINT: &str = "write a JSON Schema";
    let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let whole = match ArgSchema::new(schema) {
        Ok(schema) => return Some(schema),
        Err(error) => error,
    };
    let before = log.errors.len();
    for (name, property) in properties {
        // On its own a property that refers to another part would not compile.
        if let Err(error) = ArgSchema::new(property.clone())
            && !property.to_string().contains("\"$ref\"")
        {
            log.report(place(&format!("/properties/{name}{}", error.path)), error.to_string(), HINT);
        }
    }
    if log.errors.len() == before {
        log.report(place(&whole.path), whole.to_string(), HINT);
    }
    None
}

/// Whether a node can be a schema of named values.
pub(crate) fn is_table(node: &YamlNode) -> bool {
    node.is_table()
}
