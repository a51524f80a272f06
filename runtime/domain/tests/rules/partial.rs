//! A session about many targets lacks fields that its pack requires: nothing acts on a target that nobody knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use provost_domain::event::EventBody;
use provost_domain::fields::CheckedFields;
use provost_domain::ids::{AgentName, ToolName};
use provost_domain::pack::{InjectSource, Pack, PatchTool};
use provost_domain::refusal::ToolRefusal;
use provost_domain::request::Offers;
use provost_domain::schema::ArgSchema;
use provost_domain::tool::Catalog;
use serde_json::{Value, json};

use crate::world::{Brief, World, tool};

fn schema(value: Value) -> ArgSchema {
    ArgSchema::new(value).unwrap()
}

/// Sessions have an environment, which the world's has, and a service, which it lacks; `act:free` is injected both.
fn requires_a_service(pack: &mut Pack, catalog: &mut Catalog) {
    pack.fields = schema(json!({"type": "object", "required": ["environment", "service"], "properties": {
        "environment": {"type": "string"}, "service": {"type": "string"}, "level": {"enum": ["low", "high"]}}}));
    let field = |name: &str| (name.to_owned(), InjectSource::Field(name.to_owned()));
    pack.inject = BTreeMap::from(["environment", "service"].map(field));
    let mut act = tool("act:free");
    act.schema = schema(json!({"type": "object", "properties": {"environment": {}, "service": {}}}));
    catalog.insert(ToolName::new("act:free"), Arc::new(act));
    let patch = PatchTool {
        fields: vec!["level".to_owned()],
        schema: schema(json!({"type": "object", "properties": {"level": {}}})),
        aliases: BTreeMap::new(),
    };
    pack.patch_tools = BTreeMap::from([(ToolName::new("set_level"), patch)]);
    let agent = pack.agents.values_mut().next().unwrap();
    agent.tools.push(ToolName::new("set_level"));
}

#[test]
fn a_tool_that_is_injected_a_missing_field_is_not_offered_and_not_called() {
    let mut world = World::started(requires_a_service);
    let offers = Offers::of(&world.pack, &world.catalog, &Brief);
    let names = |fields: Value| -> Vec<String> {
        offers.to(&AgentName::new("first"), &fields).iter().map(|offer| offer.name.clone()).collect()
    };
    let whole = names(json!({"environment": "a", "service": "b"}));
    let partial = names(json!({"environment": "a"}));
    assert!(whole.contains(&"act__free".to_owned()) && !partial.contains(&"act__free".to_owned()), "{partial:?}");
    assert!(partial.contains(&"look__once".to_owned()), "what needs no field is there");
    let events = world.calls(&[("act__free", json!({"service": "shop"})), ("look__once", json!({}))]);
    let refused = events.iter().find_map(|event| match event {
        EventBody::ToolRefused(refused) => Some(&refused.refusal),
        _ => None,
    });
    assert!(matches!(refused, Some(ToolRefusal::UnknownTool { .. })), "{refused:?}");
    assert_eq!(world.intended(), ["look:once"]);
}

#[test]
fn a_patch_is_refused_for_its_own_faults_only() {
    let mut world = World::started(requires_a_service);
    world.calls(&[("set_level", json!({"level": "purple"}))]);
    assert_eq!(world.session.fields().get("level"), None);
    world.calls(&[("set_level", json!({"level": "high"}))]);
    assert_eq!(world.session.fields()["level"], "high");
}

#[test]
fn partial_fields_are_checked_but_for_what_is_missing() {
    let mut world = World::opened(requires_a_service);
    let partial = |fields: Value| CheckedFields::partial(&world.pack, fields).is_ok();
    assert!(partial(json!({})) && partial(json!({"environment": "a", "level": "low"})));
    assert!(!partial(json!({"environment": 7})) && !partial(json!({"level": "purple"})));
    let whole = CheckedFields::new(&world.pack, json!({"environment": "a"}));
    assert!(whole.is_err(), "a session of one target has all of them");
    let kept = CheckedFields::partial(&world.pack, json!({"environment": "a"})).unwrap();
    world.pack.digest = provost_domain::ids::Digest::of(b"another version");
    assert_eq!(kept.for_pack(&world.pack).unwrap().into_value(), json!({"environment": "a"}));
}
