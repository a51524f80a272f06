//! A watch over several measures: tools that only read, values that their results have, expressions over the readings.

use std::collections::BTreeSet;

use provost_domain::pack::TIME_ARGUMENT;
use provost_domain::schema::ArgSchema;
use provost_domain::tool::ToolSpec;
use provost_expr::{Scope, Type};
use provost_form::{At, ErrorLog, nearest};
use serde_json::Value;

use super::facts::{PackFacts, is_plain};
use super::reading::reader;
use super::scopes;
use crate::watching::{RawMeasure, RawSeveral};

/// Most measures of one watch: each is read in every poll.
const MEASURES_MAX: usize = 16;

pub(super) fn check(facts: PackFacts<'_>, watch: &RawSeveral, log: &mut ErrorLog) {
    let count = watch.measure.iter().count();
    if !watch.measure.is_blank() && (count == 0 || count > MEASURES_MAX) {
        let message = format!("a watch has 1 to {MEASURES_MAX} measures, and this has {count}");
        log.report(watch.measure.place, message, "write `NAME: {tool: …, args: …, value: …}`");
    }
    for (name, measure) in watch.measure.iter() {
        if !is_plain(name, "_") || RESERVED.contains(&name.as_str()) {
            let hint = format!("use a-z, 0-9 and _, and none of: {}", RESERVED.join(", "));
            log.report(name.place, format!("`{}` cannot be a measure's name", name.value), hint);
        }
        one(facts, (name, measure), watch, log);
    }
    let scope = scope(facts, watch);
    scopes::condition(&watch.recovered, &scope, log);
    if let Some(worse) = &watch.worse {
        scopes::condition(worse, &scope, log);
    }
    if watch.settle >= watch.within.0 && !watch.within.is_blank() {
        log.report(watch.within.place, "the watch is over before it begins", "make `within` longer than `settle`");
    }
}

/// Names that the expressions read beside the measures.
const RESERVED: [&str; 7] = ["fields", "case", "reports", "findings", "confidence", "retries", "windows"];

/// What `recovered` and `worse` read: the readings, any of which may be unknown, and the case.
fn scope(facts: PackFacts<'_>, watch: &RawSeveral) -> Scope {
    if watch.measure.is_blank() {
        return Scope::default();
    }
    watch.measure.iter().fold(facts.field_scope(), |scope, (name, measure)| {
        let times = ["now", "before"].into_iter().chain(measure.baseline.is_some().then_some("baseline"));
        scope.with(name, Type::object(times.map(|time| (time, Type::Number.optional()))))
    })
}

fn one(facts: PackFacts<'_>, (name, measure): (&At<String>, &RawMeasure), watch: &RawSeveral, log: &mut ErrorLog) {
    let spec = reader(facts, &measure.tool, log);
    let output = spec.and_then(|spec| spec.output.as_deref());
    let args = spec.map_or(Type::Any, |spec| facts.arguments_type(spec));
    let scope = facts
        .field_scope()
        .with("result", output.map_or(Type::Any, |output| facts.schema_type(output)))
        .with("args", args);
    if let Some(own) = scopes::value(&measure.value, &scope, log)
        && !matches!(own.present(), Type::Number | Type::Any)
    {
        let message = format!("a measure is a number, and this is {own}");
        log.report(measure.value.place, message, "read a number from the result");
    }
    let Some(spec) = spec else { return };
    arguments(facts, spec, measure, log);
    if spec.schema.declares(TIME_ARGUMENT) {
        return;
    }
    let hint = "measure with a tool that reads the past, or compare with a number";
    if watch.reads(name, "before") {
        let message =
            format!("`{}` is read before the last change, and `{}` has no `{TIME_ARGUMENT}`", name.value, spec.name);
        log.report(measure.tool.place, message, hint);
    }
    if let Some(baseline) = &measure.baseline {
        let message = format!("a baseline is read in the past, and `{}` has no `{TIME_ARGUMENT}`", spec.name);
        log.report(baseline.place, message, hint);
    }
}

/// The arguments: known to the tool, not supplied by the runtime, with holes that read the fields. What has no hole is held
/// against the tool's schema.
fn arguments(facts: PackFacts<'_>, spec: &ToolSpec, measure: &RawMeasure, log: &mut ErrorLog) {
    for (name, _) in measure.args.iter() {
        if !spec.schema.declares(name) {
            let message = format!("`{}` has no argument `{}`", spec.name, name.value);
            log.report(name.place, message, nearest(name, spec.schema.names()));
        } else if facts.raw.inject.get(name).is_some() {
            let message = format!("the runtime supplies `{}`", name.value);
            log.report(name.place, message, "take it out: the session's value would replace it");
        } else if name.as_str() == TIME_ARGUMENT {
            let hint = "take it out: a measure is read now, before the last change, and as a baseline";
            log.report(name.place, format!("the runtime supplies `{TIME_ARGUMENT}`"), hint);
        }
    }
    let place = |pointer: &str| {
        let (name, rest) =
            pointer.trim_start_matches('/').split_once('/').unwrap_or((pointer.trim_start_matches('/'), ""));
        measure.args.get(name).map_or(measure.args.place, |node| node.pointer(&format!("/{rest}")))
    };
    let tree = match measure.arguments(facts.known.catalog) {
        Ok(tree) => tree,
        Err(errors) => {
            return errors
                .into_iter()
                .for_each(|error| log.report(place(&error.pointer), error.error.message, error.error.hint));
        }
    };
    for error in tree.check(&facts.field_scope()).err().into_iter().flatten() {
        log.report(place(&error.pointer), error.error.message, error.error.hint);
    }
    if facts.raw.inject.is_blank() {
        return;
    }
    let holes: Vec<String> = tree.templates().into_iter().map(|(pointer, _)| pointer).collect();
    let filled = |name: &str| holes.iter().any(|hole| hole.split('/').nth(1) == Some(name));
    let later: BTreeSet<&str> =
        facts.raw.inject.names().chain(measure.args.names().filter(|name| filled(name))).collect();
    let now = measure.args.iter().filter(|(name, _)| !later.contains(name.as_str()));
    let now: serde_json::Map<String, Value> = now.map(|(name, node)| (name.value.clone(), node.value())).collect();
    let Ok(schema) = ArgSchema::new(spec.schema.without(later.into_iter())) else { return };
    for problem in schema.problems(&Value::Object(now)) {
        let pointer = problem.split(": ").next().unwrap_or_default();
        log.report(place(pointer), format!("`{}` would refuse this: {problem}", spec.name), "see the tool's arguments");
    }
}
