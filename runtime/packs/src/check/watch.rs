//! What an agent measures.

use std::collections::BTreeSet;

use provost_domain::schema::ArgSchema;
use provost_domain::tool::ToolSpec;
use provost_domain::work::WorkForm;
use provost_form::{At, ErrorLog, Names, YamlNode, nearest};
use serde_json::Value;

use super::condition;
use super::facts::PackFacts;
use super::measures;
use super::reading::reader;
use crate::agent::Agent;
use crate::watching::RawWatch;

pub(super) fn check(facts: PackFacts<'_>, agent: &Agent, log: &mut ErrorLog) {
    let work = agent.role.as_ref().map(|role| role.work);
    let Some(watch) = &agent.raw.watch else {
        if work == Some(WorkForm::Watching) {
            let message = format!("an agent of role `{}` must say what it measures", agent.raw.role.value);
            log.report(agent.raw.role.place, message, "add `watch:`");
        }
        return;
    };
    if work == Some(WorkForm::Asking) {
        let able = facts.known.roles.specs().into_iter().filter(|role| role.work == WorkForm::Watching);
        let names: Vec<String> = able.map(|role| format!("`role: {}`", role.name)).collect();
        let message = format!("an agent of role `{}` measures nothing", agent.raw.role.value);
        log.report(watch.place, message, format!("set {}, or remove `watch`", names.join(" or ")));
    }
    if let (Some(within), Some(_)) = (watch.within(), agent.raw.deadline) {
        let hint = "take `deadline` out: `within` is how long it measures";
        log.report(within.place, "the watch and the agent both say how long it measures", hint);
    }
    match &watch.value {
        RawWatch::Single(watch) => {
            condition::check(&watch.until, log);
            if let Some(spec) = reader(facts, &watch.tool, log) {
                arguments(facts, spec, &watch.args, log);
            }
        }
        RawWatch::Several(watch) => measures::check(facts, watch, log),
    }
}

/// The arguments the tool would refuse. What a session fills in is known only then, so its schema is not applied here.
fn arguments(facts: PackFacts<'_>, spec: &ToolSpec, args: &At<Names<YamlNode>>, log: &mut ErrorLog) {
    if args.value.is_blank() {
        return;
    }
    let mut later: BTreeSet<&str> = facts.raw.inject.names().collect();
    let mut now = serde_json::Map::new();
    for (name, node) in args.iter() {
        if !spec.schema.declares(name) {
            let message = format!("`{}` has no argument `{}`", spec.name, name.value);
            log.report(name.place, message, nearest(name, spec.schema.names()));
        } else if facts.raw.inject.get(name).is_some() {
            let message = format!("the runtime supplies `{}`", name.value);
            log.report(name.place, message, "take it out: the session's value would replace it");
        } else if let Some(path) = field_of(node) {
            facts.known_path(path, node.place, log);
            later.insert(name);
        } else {
            now.insert(name.value.clone(), node.value());
        }
    }
    // Without the table it is not known what the runtime supplies.
    if facts.raw.inject.is_blank() {
        return;
    }
    let Ok(schema) = ArgSchema::new(spec.schema.without(later.into_iter())) else { return };
    for problem in schema.problems(&Value::Object(now)) {
        let pointer = problem.split(": ").next().and_then(|path| path.strip_prefix('/')).unwrap_or_default();
        let (name, inside) = pointer.split_once('/').unwrap_or((pointer, ""));
        let place = args.get(name).map_or(args.place, |node| node.pointer(&format!("/{inside}")));
        log.report(place, format!("`{}` would refuse this: {problem}", spec.name), "see the tool's arguments");
    }
}

/// The field of `{{ fields.NAME }}`.
fn field_of(node: &YamlNode) -> Option<&str> {
    node.text()?.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim().strip_prefix("fields.")
}
