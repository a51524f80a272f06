//! The form that a pack declares for the body of a webhook. Senders add to their bodies as they please: what is declared must be
//! there and be as declared, and what is not declared is let through.

use provost_domain::pack::Pack;
use provost_domain::schema::ArgSchema;
use provost_expr::Type;
use provost_form::{At, ErrorLog, Names, YamlNode};
use serde_json::{Value, json};

use crate::rosters::RawRosters;
use crate::schema::{self, is_table};
use crate::types::{TypeReader, object};

/// The name by which expressions read the body.
pub(super) const BODY: &str = "body";
/// What the names of the forms begin with whose bodies packs declare.
const DECLARED: &str = "webhook.";

/// The types that a pack declares, as written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PackTypes<'a> {
    pub(crate) rosters: &'a RawRosters,
    /// The objects under `types`.
    pub(crate) named: &'a Names<YamlNode>,
}

/// Reads the type of a body: a table of named types, the shorthand, or a JSON Schema.
pub(super) fn read(
    declared: PackTypes<'_>,
    form: &At<String>,
    payload: Option<&YamlNode>,
    log: &mut ErrorLog,
) -> Option<ArgSchema> {
    let by_pack = form.starts_with(DECLARED);
    let Some(node) = payload else {
        if by_pack {
            let hint = "add `payload: {name: TYPE}`, or `payload: outside` where its form is not known";
            log.report(form.place, format!("`{}` does not say what its body is", form.value), hint);
        }
        return None;
    };
    if !by_pack {
        let message = format!("the form `{}` says itself what its deliveries hold", form.value);
        log.report(node.place, message, "leave `payload` out; only a `webhook.NAME` has one");
        return None;
    }
    let written = {
        let mut types = TypeReader { rosters: declared.rosters, named: declared.named, log };
        if is_table(node) && !is_schema(node) {
            let fields: Vec<_> = node.entries().map(|(name, own)| (name.value.clone(), types.read(own))).collect();
            object(fields.iter().map(|(name, own)| (name.as_str(), own)))
        } else {
            types.read(node).schema
        }
    };
    schema::compile(loosened(written), |_| node.place, log)
}

/// The type of a body for the expressions that read it.
pub(super) fn type_of(payload: &ArgSchema, pack: Option<&Pack>) -> Type {
    let roster = |roster: &str| pack.and_then(|pack| pack.rosters.get(roster).map(<[String]>::to_vec));
    Type::of_schema(&closed(payload.raw().clone()), &roster)
}

/// Whether a table is a JSON Schema, rather than a table of named types.
fn is_schema(node: &YamlNode) -> bool {
    let says_type = node.get("type").and_then(YamlNode::text).is_some_and(|kind| kind == "object" || kind == "array");
    says_type || node.get("properties").is_some_and(YamlNode::is_table)
}

/// A schema that lets through what it does not name.
fn loosened(schema: Value) -> Value {
    with_objects(schema, &|object| drop(object.remove("additionalProperties")))
}

/// The same schema as expressions are checked with: a name that is not declared is a mistake in the pack.
fn closed(schema: Value) -> Value {
    with_objects(schema, &|object| {
        if object.contains_key("properties") {
            object.insert("additionalProperties".to_owned(), json!(false));
        }
    })
}

fn with_objects(schema: Value, change: &dyn Fn(&mut serde_json::Map<String, Value>)) -> Value {
    match schema {
        Value::Object(mut object) => {
            if object.get("additionalProperties").is_none_or(Value::is_boolean) {
                change(&mut object);
            }
            object.into_iter().map(|(key, value)| (key, with_objects(value, change))).collect()
        }
        Value::Array(items) => items.into_iter().map(|item| with_objects(item, change)).collect(),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain,
    }
}
