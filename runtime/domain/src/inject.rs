//! Session-derived arguments: supplied by the runtime, never by the model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::{Handle, SessionId};
use crate::pack::InjectSource;
use crate::schema::ArgSchema;

/// A value of the model's that a session-derived one replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overridden {
    /// The argument.
    pub argument: String,
    /// What the model had written.
    pub model_value: Value,
}

/// A call's arguments after injection, with what changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The final arguments.
    pub args: Value,
    /// Names of the arguments the runtime supplied.
    pub injected: Vec<String>,
    /// What the model had written in their place, where it differed.
    pub overridden: Vec<Overridden>,
    /// Arguments the tool does not declare.
    pub dropped: Vec<String>,
}

/// Supplies the session-derived values a tool declares, which beat the model's, and drops what it does not declare.
pub fn prepare(schema: &ArgSchema, args: &Map<String, Value>, injected: &BTreeMap<String, Value>) -> Prepared {
    let mut prepared =
        Prepared { args: Value::Null, injected: Vec::new(), overridden: Vec::new(), dropped: Vec::new() };
    let mut kept = Map::new();
    for (name, value) in args {
        if !schema.declares(name) {
            prepared.dropped.push(name.chars().take(100).collect());
        } else if let Some(own) = injected.get(name) {
            if own != value {
                prepared.overridden.push(Overridden { argument: name.clone(), model_value: value.clone() });
            }
        } else {
            kept.insert(name.clone(), value.clone());
        }
    }
    for (name, value) in injected.iter().filter(|(name, _)| schema.declares(name)) {
        prepared.injected.push(name.clone());
        kept.insert(name.clone(), value.clone());
    }
    prepared.args = Value::Object(kept);
    prepared
}

/// The values a session injects. A field that is absent injects nothing.
pub fn values(
    inject: &BTreeMap<String, InjectSource>,
    session: SessionId,
    handle: &Handle,
    fields: &Value,
) -> BTreeMap<String, Value> {
    let value_of = |source: &InjectSource| match source {
        InjectSource::Field(name) => fields.get(name).cloned(),
        InjectSource::SessionId => Some(session.to_string().into()),
        InjectSource::SessionHandle => Some(handle.to_string().into()),
    };
    inject.iter().filter_map(|(name, source)| Some((name.clone(), value_of(source)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_session_value_beats_the_model_and_undeclared_arguments_are_dropped() {
        let schema = ArgSchema::new(json!({"type": "object", "properties": {"env": {}, "n": {}}})).unwrap();
        let args = json!({"env": "production", "n": 1, "sudo": true});
        let injected = [("env".to_owned(), json!("staging")), ("session_id".to_owned(), json!("s"))].into();
        let prepared = prepare(&schema, args.as_object().unwrap(), &injected);
        assert_eq!(
            prepared,
            Prepared {
                args: json!({"env": "staging", "n": 1}),
                injected: vec!["env".to_owned()],
                overridden: vec![Overridden { argument: "env".to_owned(), model_value: json!("production") }],
                dropped: vec!["sudo".to_owned()],
            }
        );
    }
}
