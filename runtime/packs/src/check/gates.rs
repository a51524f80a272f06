//! The gate policy: a rule that guards nothing is refused, for it would look like a guard.

use provost_domain::gate::pattern_matches;
use provost_form::{ErrorLog, nearest};

use super::facts::PackFacts;
use super::scopes;

/// The roster whose values gate rules name.
const ENVIRONMENTS: &str = "environments";

pub(super) fn check(facts: PackFacts<'_>, log: &mut ErrorLog) {
    for rule in &facts.raw.gates.rules {
        let tool = &rule.tool;
        if tool.is_blank() {
            continue;
        }
        if !facts.own_is_blank() && !facts.tools().any(|name| pattern_matches(tool, name)) {
            let message = format!("the gate pattern `{}` matches no tool, so it would guard nothing", tool.value);
            log.report(tool.place, message, nearest(tool, facts.tools()));
        }
        if rule.risk.is_none() && rule.action.is_none() {
            let message = format!("the gate rule for `{}` says neither `risk` nor `action`", tool.value);
            log.report(tool.place, message, "add one of them");
        }
        if let Some(when) = &rule.when {
            scopes::condition(when, &facts.gate_scope(tool), log);
        }
        let Some(environments) = &rule.environment else { continue };
        if environments.is_empty() && !environments.is_blank() {
            log.report(environments.place, "an empty list names no environment", "name some, or remove the key");
        }
        let rosters = &facts.raw.rosters;
        let roster = rosters.get(ENVIRONMENTS);
        if rosters.is_blank() || roster.is_some_and(|roster| roster.is_blank()) {
            continue;
        }
        let known = || roster.into_iter().flat_map(|roster| roster.iter().map(|value| value.as_str()));
        for name in environments.iter().filter(|name| !name.is_blank()) {
            if !known().any(|known| known == name.as_str()) {
                let message = format!("no environment `{}` in the roster `{ENVIRONMENTS}`", name.value);
                log.report(name.place, message, nearest(name, known()));
            }
        }
    }
}
