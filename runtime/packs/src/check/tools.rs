//! The pack's own tools, and what the runtime supplies to all.

use std::collections::BTreeMap;

use provost_domain::envelope::FINISH_TOOL;
use provost_domain::pack::FINDINGS_MAX;
use provost_domain::status::Status;
use provost_form::{At, ErrorLog, nearest};

use super::claiming;
use super::facts::{PackFacts, is_plain};
use crate::own_tools::RawFindings;
use crate::raw::RawPatch;

/// The sources of an injected argument beside the fields.
const SOURCES: [&str; 2] = ["session.id", "session.handle"];

pub(super) fn check(facts: PackFacts<'_>, log: &mut ErrorLog) {
    names(facts, log);
    outcomes(facts, log);
    for (name, tool) in facts.raw.terminal_tools.iter() {
        claiming::check(facts, name, tool, log);
    }
    for (name, tool) in facts.raw.findings_tools.iter() {
        findings(name, tool, log);
    }
    for (_, tool) in facts.raw.patch_tools.iter() {
        patch(facts, tool, log);
    }
    for (argument, source) in facts.raw.inject.iter() {
        inject(facts, argument, source, log);
    }
}

fn names(facts: PackFacts<'_>, log: &mut ErrorLog) {
    let mut seen = BTreeMap::new();
    for name in facts.own() {
        if !is_plain(name, "_") || name.contains("__") {
            let hint = "use a-z, 0-9 and _; models see `server__tool` for `server:tool`, so no `__`";
            log.report(name.place, format!("`{}` cannot be a tool's name", name.value), hint);
        }
        if name.as_str() == FINISH_TOOL {
            log.report(name.place, format!("every agent already has `{FINISH_TOOL}`"), "choose another name");
        }
        // Within one table the reader has found it.
        if let Some(first) = seen.insert(name.as_str(), name.place)
            && first != name.place
        {
            let hint = format!("rename one; the other is in line {}", first.line);
            log.report(name.place, format!("the tool `{}` is declared twice", name.value), hint);
        }
    }
}

/// An outcome's name is its status's word: it must not be one that the runtime gives by itself.
fn outcomes(facts: PackFacts<'_>, log: &mut ErrorLog) {
    for name in facts.raw.outcomes.keys() {
        match Status::of_word(name.as_str()) {
            Status::Outcome(_) => {}
            own @ (Status::New
            | Status::InProgress
            | Status::AwaitingInput
            | Status::Stopped
            | Status::NeedsReview
            | Status::Error) => {
                log.report(name.place, format!("`{own}` is a status that the runtime gives"), "choose another name");
            }
        }
    }
}

fn findings(name: &At<String>, tool: &RawFindings, log: &mut ErrorLog) {
    for argument in tool.unique.iter().filter(|argument| !argument.is_blank() && !tool.args.is_blank()) {
        if tool.args.get(argument).is_none() {
            let message = format!("`{}` has no argument `{}`", name.value, argument.value);
            log.report(argument.place, message, nearest(argument, tool.args.names()));
        }
    }
    if tool.unique.is_empty() && !tool.unique.is_blank() {
        let hint = "name the arguments that tell one finding from another, or take the key out";
        log.report(tool.unique.place, "an empty list tells no finding from another", hint);
    }
    let over = tool.max.as_ref().filter(|max| usize::try_from(max.0).is_ok_and(|max| max > FINDINGS_MAX));
    if let Some(max) = over {
        let message = format!("a session keeps at most {FINDINGS_MAX} findings of all tools");
        log.report(max.place, message, "write a smaller number");
    }
}

fn patch(facts: PackFacts<'_>, tool: &RawPatch, log: &mut ErrorLog) {
    for field in tool.fields.iter().filter(|field| !field.is_blank()) {
        facts.known_field(field, field.place, log);
    }
    let fields = || tool.fields.iter().map(|field| field.as_str());
    for (field, aliases) in tool.aliases.iter() {
        if !tool.fields.is_blank() && !fields().any(|own| own == field.as_str()) {
            let message = format!("the tool does not patch `{}`", field.value);
            log.report(field.place, message, nearest(field, fields()));
        }
        let schema = facts.fields().and_then(|fields| fields.get(field));
        let schema = schema.and_then(|schema| provost_domain::schema::ArgSchema::new(schema.value()).ok());
        for (_, value) in aliases.iter().filter(|(_, value)| !value.is_blank()) {
            let problems = schema.iter().flat_map(|schema| schema.problems(&value.value.clone().into())).next();
            if problems.is_some() {
                let message = format!("`{}` is not a value of the field `{}`", value.value, field.value);
                log.report(value.place, message, "an alias stands for a value the field may have");
            }
        }
    }
}

fn inject(facts: PackFacts<'_>, argument: &At<String>, source: &At<String>, log: &mut ErrorLog) {
    let declared = || facts.known.catalog.values().flat_map(|spec| spec.schema.names());
    if !declared().any(|name| name == argument.as_str()) {
        let message = format!("no tool has an argument `{}`", argument.value);
        log.report(argument.place, message, nearest(argument, declared()));
    }
    if source.is_blank() || SOURCES.contains(&source.as_str()) {
        return;
    }
    if let Some(field) = source.strip_prefix("fields.") {
        facts.known_field(field, source.place, log);
        if let Some(patch) = patched_by(facts, field) {
            let message = format!(
                "`{patch}` lets a model change the field `{field}`, so it would say `{argument}` itself",
                argument = argument.value
            );
            let hint =
                format!("what is injected decides where calls act: take `{field}` out of `{patch}`, or this line out");
            log.report(source.place, message, hint);
        }
    } else {
        let hint = format!("it is fields.NAME, {}", SOURCES.join(" or "));
        log.report(source.place, format!("`{}` is not a source of an argument", source.value), hint);
    }
}

/// A tool by which a model changes a field.
fn patched_by<'a>(facts: PackFacts<'a>, field: &str) -> Option<&'a str> {
    let mut tools = facts.raw.patch_tools.iter();
    let patches = |tool: &RawPatch| !tool.fields.is_blank() && tool.fields.iter().any(|own| own.as_str() == field);
    let mut claims = facts.raw.terminal_tools.iter();
    let found = tools.find(|(_, tool)| patches(tool)).map(|(name, _)| name);
    found
        .or_else(|| claims.find(|(_, tool)| tool.set.get(field).is_some()).map(|(name, _)| name))
        .map(|name| name.as_str())
}
