//! What calls act on, and what tells cases apart. Nothing that a model can write says what a call acts on.

use provost_domain::claims::{ClaimTarget, TargetHole};
use provost_form::{At, ErrorLog};

use super::facts::PackFacts;
use crate::agent::Agent;

pub(super) fn check(facts: PackFacts<'_>, log: &mut ErrorLog) {
    if let Some(target) = facts.raw.target.as_ref().filter(|target| !target.is_blank()) {
        of_pack(facts, target, log);
    }
    for field in facts.raw.identity.iter().flat_map(|fields| &fields.value).filter(|field| !field.is_blank()) {
        facts.known_field(field, field.place, log);
    }
}

fn of_pack(facts: PackFacts<'_>, text: &At<String>, log: &mut ErrorLog) {
    let target = match ClaimTarget::parse(text) {
        Ok(target) => target,
        Err(error) => {
            let hint = "for example \"{{ fields.environment }}/{{ fields.service }}\"";
            return log.report(text.place, error.to_string(), hint);
        }
    };
    for hole in target.holes() {
        match hole {
            TargetHole::Argument(name) => {
                let hint = "read `fields.NAME`; a tool's own target, in the configuration, reads its arguments";
                log.report(text.place, format!("a pack's target reads no `args.{name}`"), hint);
            }
            TargetHole::Field(path) => {
                facts.known_path(path, text.place, log);
                if patched(facts, hole.name()) && !has_roster(facts, hole.name()) {
                    let message = format!("the target depends on `fields.{path}`, which a tool of the pack changes");
                    log.report(
                        text.place,
                        message,
                        "take the field out of `patch_tools` and `set`, or give it a roster",
                    );
                }
            }
        }
    }
}

/// The targets of an agent's tools, where the tools themselves say them.
pub(super) fn agent(facts: PackFacts<'_>, agent: &Agent, log: &mut ErrorLog) {
    for name in agent.raw.tools.iter().flat_map(|tools| &tools.value).filter(|name| !name.is_blank()) {
        let Some(spec) = facts.backend(name).filter(|spec| spec.changes_world()) else { continue };
        for hole in spec.claim.target.iter().flat_map(ClaimTarget::holes) {
            let TargetHole::Argument(argument) = hole else { continue };
            let named = hole.name();
            if facts.raw.inject.is_blank() || facts.raw.inject.get(named).is_some() || spec.rosters.contains_key(named)
            {
                continue;
            }
            let message = format!("what `{}` acts on depends on `args.{argument}`, which the model writes", name.value);
            log.report(name.place, message, format!("inject `{named}`, or give it a roster"));
        }
    }
}

fn patched(facts: PackFacts<'_>, field: &str) -> bool {
    let patched = facts.raw.patch_tools.iter().flat_map(|(_, tool)| tool.fields.iter());
    let set = facts.raw.terminal_tools.iter().flat_map(|(_, tool)| tool.set.keys());
    patched.chain(set).any(|own| own.as_str() == field)
}

fn has_roster(facts: PackFacts<'_>, field: &str) -> bool {
    facts.fields().and_then(|fields| fields.get(field)?.get("x-roster")).is_some()
}
