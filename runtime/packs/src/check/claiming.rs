//! Terminal tools: outcomes that exist and cover what may be claimed, requirements, what they set, and their effect.

use provost_expr::{Scope, Type};
use provost_form::{At, ErrorLog, nearest};

use super::facts::PackFacts;
use super::scopes;
use crate::own_tools::{RawClaimOutcome, RawTerminal};

pub(super) fn check(facts: PackFacts<'_>, name: &At<String>, tool: &RawTerminal, log: &mut ErrorLog) {
    outcome(facts, name, tool, log);
    let scope = facts.claim_scope(tool);
    tool.requires.conditions().iter().for_each(|requirement| scopes::condition(&requirement.that, &scope, log));
    for (agent, signal) in tool.requires.signals() {
        facts.known_agent(agent, &[], log);
        let signals = facts.agent(agent).and_then(|agent| facts.signals(agent));
        let Some(signals) = signals.filter(|_| !signal.is_blank()) else { continue };
        if !signals.contains(&signal.as_str()) {
            let message = format!("agent `{}` never reports `{}`", agent.value, signal.value);
            log.report(signal.place, message, nearest(signal, signals));
        }
    }
    for (field, value) in tool.set.iter() {
        set(facts, field, value, &scope, log);
    }
    if let Some(effect) = tool.effect.as_ref().filter(|effect| !effect.is_blank())
        && facts.backend(effect).is_none()
    {
        let backend = facts.known.catalog.keys().map(provost_domain::ids::ToolName::as_str);
        log.report(effect.place, format!("no tool `{}`", effect.value), nearest(effect, backend));
    }
    if let Some((own, _)) = tool.args.iter().find(|(argument, _)| argument.as_str() == "evidence") {
        log.report(own.place, "every terminal tool already has `evidence`", "say `evidence: required` beside `args`");
    }
}

/// The outcomes are declared; a table has a row for each value of its argument and no other.
fn outcome(facts: PackFacts<'_>, name: &At<String>, tool: &RawTerminal, log: &mut ErrorLog) {
    let outcomes = &facts.raw.outcomes;
    for outcome in tool.outcome.outcomes().filter(|outcome| !outcome.is_blank() && !outcomes.is_blank()) {
        if outcomes.get(outcome).is_none() {
            let message = format!("`{}` leads to outcome `{}`, which is not declared", name.value, outcome.value);
            log.report(outcome.place, message, nearest(outcome, outcomes.names()));
        }
    }
    let RawClaimOutcome::By { argument, table } = &tool.outcome else { return };
    if argument.is_blank() || tool.args.is_blank() {
        return;
    }
    let Some(node) = tool.args.get(argument) else {
        let message = format!("`{}` has no argument `{}`", name.value, argument.value);
        return log.report(argument.place, message, nearest(argument, tool.args.names()));
    };
    let own = facts.type_of(node);
    if matches!(own, Type::Optional(_)) {
        let message = format!("the outcome depends on `{}`, which a claim may leave out", argument.value);
        return log.report(argument.place, message, "take `optional` from the argument");
    }
    let Some(values) = own.values() else {
        let message = format!("the outcome depends on `{}`, which may be any value", argument.value);
        return log.report(argument.place, message, "give it words, `a | b`, or a roster");
    };
    for value in values.iter().filter(|value| !table.iter().any(|(own, _)| own.value == **value)) {
        let message = format!("no outcome for `{value}`, which `{}` may be", argument.value);
        log.report(argument.place, message, format!("add `{value}: OUTCOME`"));
    }
    for (value, _) in table.iter().filter(|(value, _)| !values.contains(&value.value)) {
        let message = format!("`{}` is never `{}`", argument.value, value.value);
        log.report(value.place, message, nearest(value, values.iter().map(String::as_str)));
    }
}

/// A field that a claim sets: it exists, and the value may be one of the field's.
fn set(facts: PackFacts<'_>, field: &At<String>, value: &At<String>, scope: &Scope, log: &mut ErrorLog) {
    facts.known_field(field, field.place, log);
    let (Some(own), Some(wanted)) = (scopes::value(value, scope, log), facts.field_type(field)) else { return };
    let fits = match (own.present(), wanted.present()) {
        (Type::Any, _) | (_, Type::Any) => true,
        (own, wanted) => match (own.values(), wanted.values()) {
            (Some(own), Some(wanted)) => own.iter().all(|value| wanted.contains(value)),
            // Any text may be one of the words; a claim whose text is not is refused.
            (None, Some(_)) => matches!(own, Type::Text),
            (Some(_), None) => matches!(wanted, Type::Text),
            (None, None) => own == wanted,
        },
    };
    if !fits {
        let message = format!("the field `{}` is {wanted}, and this is {own}", field.value);
        log.report(value.place, message, "give the argument the type of the field");
    }
}
