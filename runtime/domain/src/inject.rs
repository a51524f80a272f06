//! Session-derived arguments: supplied by the runtime, never by the model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::{Handle, SessionId};
use crate::pack::{InjectSource, Pack};
use crate::schema::ArgSchema;

/// A value of the model's that a session-derived one replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overridden {
    /// The name of the argument that was replaced.
    pub argument: String,
    /// What the model had written.
    pub model_value: Value,
}

/// A call's arguments after injection, with what changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The final arguments.
    pub args: Value,
    /// Names of the arguments that are the session's to say.
    pub injected: Vec<String>,
    /// What the model had written in their place, where it differed.
    pub overridden: Vec<Overridden>,
    /// Arguments the tool does not declare.
    pub dropped: Vec<String>,
}

/// The session-derived arguments by name; `None` where the session has no value, which leaves the argument out: the model
/// never fills in what only the session may say.
pub type Injection = BTreeMap<String, Option<Value>>;

/// Supplies the session-derived values a tool declares, which beat the model's, and drops what it does not declare.
pub fn prepare(schema: &ArgSchema, args: &Map<String, Value>, injected: &Injection) -> Prepared {
    let mut prepared =
        Prepared { args: Value::Null, injected: Vec::new(), overridden: Vec::new(), dropped: Vec::new() };
    let mut kept = Map::new();
    for (name, value) in args {
        if !schema.declares(name) {
            prepared.dropped.push(name.chars().take(100).collect());
        } else if let Some(own) = injected.get(name) {
            if own.as_ref() != Some(value) {
                prepared.overridden.push(Overridden { argument: name.clone(), model_value: value.clone() });
            }
        } else {
            kept.insert(name.clone(), value.clone());
        }
    }
    for (name, value) in injected.iter().filter(|(name, _)| schema.declares(name)) {
        prepared.injected.push(name.clone());
        kept.extend(value.clone().map(|value| (name.clone(), value)));
    }
    prepared.args = Value::Object(kept);
    prepared
}

/// The fields that a pack requires of its sessions and injects into calls of a tool. A session about many targets may lack
/// one: then the tool is not offered, since a call of it would act on nobody knows what.
pub fn needs<'a>(pack: &'a Pack, schema: &ArgSchema) -> Vec<&'a str> {
    let field = |(argument, source): (&String, &'a InjectSource)| match source {
        InjectSource::Field(name) if schema.declares(argument) && pack.fields.requires(name) => Some(name.as_str()),
        InjectSource::Field(_) | InjectSource::SessionId | InjectSource::SessionHandle => None,
    };
    pack.inject.iter().filter_map(field).collect()
}

/// Whether a session has a value for each of some fields.
pub fn has_all<'a>(fields: &Value, mut needed: impl Iterator<Item = &'a str>) -> bool {
    needed.all(|name| fields.get(name).is_some_and(|value| !value.is_null()))
}

/// The values a session injects.
pub fn values(
    inject: &BTreeMap<String, InjectSource>,
    session: SessionId,
    handle: &Handle,
    fields: &Value,
) -> Injection {
    let value_of = |source: &InjectSource| match source {
        InjectSource::Field(name) => fields.get(name).cloned(),
        InjectSource::SessionId => Some(session.to_string().into()),
        InjectSource::SessionHandle => Some(handle.to_string().into()),
    };
    inject.iter().map(|(name, source)| (name.clone(), value_of(source))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn schema() -> ArgSchema {
        ArgSchema::new(json!({"type": "object", "properties": {"env": {}, "n": {}}})).unwrap()
    }

    #[test]
    fn the_session_value_beats_the_model_and_undeclared_arguments_are_dropped() {
        let args = json!({"env": "production", "n": 1, "sudo": true});
        let injected = [("env".to_owned(), Some(json!("staging"))), ("session_id".to_owned(), Some(json!("s")))].into();
        let prepared = prepare(&schema(), args.as_object().unwrap(), &injected);
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

    #[test]
    fn what_the_model_left_out_or_wrote_alike_is_supplied_and_not_overridden() {
        let injected = [("env".to_owned(), Some(json!("staging")))].into();
        for args in [json!({}), json!({"env": "staging"})] {
            let prepared = prepare(&schema(), args.as_object().unwrap(), &injected);
            assert_eq!(prepared.args, json!({"env": "staging"}));
            assert_eq!((prepared.injected, prepared.overridden), (vec!["env".to_owned()], vec![]));
        }
    }

    #[test]
    fn what_the_session_cannot_say_the_model_may_not_say_either() {
        let args = json!({"env": "production", "n": 1});
        let prepared = prepare(&schema(), args.as_object().unwrap(), &[("env".to_owned(), None)].into());
        assert_eq!(prepared.args, json!({"n": 1}));
        assert_eq!(prepared.injected, ["env"]);
        assert_eq!(prepared.overridden, [Overridden { argument: "env".to_owned(), model_value: json!("production") }]);
    }

    #[test]
    fn values_come_from_the_session_and_an_absent_field_has_none() {
        let session = SessionId::new(uuid::Uuid::from_u128(7));
        let handle = Handle::new("INC-20261120-0001");
        let inject = [
            ("env".to_owned(), InjectSource::Field("environment".to_owned())),
            ("none".to_owned(), InjectSource::Field("absent".to_owned())),
            ("id".to_owned(), InjectSource::SessionId),
            ("handle".to_owned(), InjectSource::SessionHandle),
        ];
        let expect = [
            ("env".to_owned(), Some(json!({"name": "staging"}))),
            ("none".to_owned(), None),
            ("id".to_owned(), Some(json!(session.to_string()))),
            ("handle".to_owned(), Some(json!("INC-20261120-0001"))),
        ];
        let fields = json!({"environment": {"name": "staging"}, "other": 1});
        assert_eq!(values(&inject.into(), session, &handle, &fields), expect.into());
    }

    proptest! {
        #[test]
        fn every_argument_is_kept_replaced_or_dropped(
            args in proptest::collection::btree_map("env|n|x|y", 0..3_i64, 0..4),
            injected in proptest::collection::btree_map("env|n|x", proptest::option::of(0..3_i64), 0..3),
        ) {
            let model: Map<String, Value> = args.iter().map(|(name, n)| (name.clone(), json!(n))).collect();
            let own: Injection = injected.iter().map(|(name, n)| (name.clone(), n.map(|n| json!(n)))).collect();
            let prepared = prepare(&schema(), &model, &own);
            for name in ["env", "n"] {
                let expect = own.get(name).map_or_else(|| model.get(name), Option::as_ref);
                prop_assert_eq!(prepared.args.get(name), expect);
                let beaten = prepared.overridden.iter().find(|o| o.argument == name).map(|o| &o.model_value);
                let differs = own.get(name).and_then(|own| model.get(name).filter(|value| Some(*value) != own.as_ref()));
                prop_assert_eq!(beaten, differs);
            }
            let undeclared: Vec<String> = model.keys().filter(|name| !schema().declares(name)).cloned().collect();
            prop_assert_eq!(prepared.dropped, undeclared);
            prop_assert!(prepared.args.as_object().unwrap().keys().all(|name| schema().declares(name)));
            prop_assert!(prepared.injected.iter().all(|name| own.contains_key(name) && schema().declares(name)));
        }
    }
}
