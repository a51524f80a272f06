//! One agent: its role, model, tools, routes and prompt.

use std::collections::{BTreeMap, BTreeSet};

use provost_domain::envelope::FINISH_TOOL;
use provost_domain::pack::DEFAULT_SIGNAL;
use provost_domain::role::{Authority, RoleSpec};
use provost_domain::work::WorkForm;
use provost_form::{At, ErrorLog, FormError, nearest, resembles};

use super::facts::{MEASURED_SIGNALS, PackFacts, is_plain};
use super::flow::{END, is_lost};
use super::watch;
use crate::agent::Agent;
use crate::prompt::{self, PromptTools};
use crate::raw::RawRoute;
use crate::schema::known_roster;

/// The model agents get that name none.
pub(crate) const DEFAULT_MODEL: &str = "default";

pub(super) fn check(facts: PackFacts<'_>, agent: &Agent, log: &mut ErrorLog, warnings: &mut Vec<FormError>) {
    if is_lost(facts, &agent.name) {
        let message = format!("no route leads to agent `{}`", agent.name);
        log.report(agent.start, message, "add a route to it, or remove its folder");
    }
    model(facts, agent, log);
    let mut seen = BTreeSet::new();
    for name in agent.raw.tools.iter().flat_map(|tools| &tools.value).filter(|name| !name.is_blank()) {
        if !seen.insert(name.as_str()) {
            log.report(name.place, format!("the tool `{}` is listed twice", name.value), "take one out");
        }
        tool(facts, agent, name, log);
    }
    routes(facts, agent, log);
    watch::check(facts, agent, log);
    report(agent, log);
    let tools = AgentTools { facts, agent };
    for text in &agent.texts {
        prompt::lint(text, &agent.name, &tools, &mut log.errors, warnings);
    }
}

/// `report: {}` demands the role's typed report; fields of the pack's own are not there yet.
fn report(agent: &Agent, log: &mut ErrorLog) {
    let Some(report) = agent.raw.report.as_ref().filter(|report| !report.is_blank()) else { return };
    if report.value.value() != serde_json::json!({}) {
        let hint = "write `report: {}`: the turn must then end in the report of its role";
        log.report(report.place, "a report has no fields of the pack's own", hint);
    }
}

fn model(facts: PackFacts<'_>, agent: &Agent, log: &mut ErrorLog) {
    let known = || facts.known.models.iter().map(String::as_str);
    let asks = agent.role.as_ref().is_some_and(|role| role.work == WorkForm::Asking);
    let (name, place) = match &agent.raw.model {
        Some(model) if model.is_blank() => return,
        Some(model) => (model.as_str(), model.place),
        None if !asks => return,
        None => (DEFAULT_MODEL, agent.start),
    };
    if !facts.known.models.contains(name) {
        log.report(place, format!("no model `{name}` is configured"), nearest(name, known()));
    }
}

fn tool(facts: PackFacts<'_>, agent: &Agent, name: &At<String>, log: &mut ErrorLog) {
    let role = agent.role.as_ref();
    if let Some(spec) = facts.backend(name) {
        if let Some(role) = role.filter(|role| !role.authority.allows(spec.effect)) {
            let message = format!("role `{}` only reads, and `{}` changes the world", role.name, name.value);
            log.report(name.place, message, move_to(facts, Authority::Acts));
        }
        for roster in spec.rosters.values() {
            known_roster(roster, name.place, &facts.raw.rosters, log);
        }
    } else if facts.raw.terminal_tools.get(name).is_some() {
        if let Some(role) = role.filter(|role| !role.authority.closes()) {
            let message = format!("role `{}` may not hold the terminal tool `{}`", role.name, name.value);
            log.report(name.place, message, move_to(facts, Authority::Closes));
        }
    } else if !facts.has_tool(name) {
        let bare = |full: &&str| full.split_once(':').is_some_and(|(_, tool)| tool == name.as_str());
        let full: Vec<&str> = facts.tools().filter(bare).collect();
        let near = match full.as_slice() {
            [] => nearest(name, facts.tools()),
            some => format!("write the full name: {}", some.join(" or ")),
        };
        log.report(name.place, format!("no tool `{}`", name.value), near);
    }
}

/// Names the roles that may do as much.
fn move_to(facts: PackFacts<'_>, needed: Authority) -> String {
    let able = |role: &RoleSpec| role.authority >= needed;
    let names = facts.known.roles.specs().into_iter().filter(able).map(|role| format!("`{}`", role.name));
    format!("move it to an agent of role {}", names.collect::<Vec<_>>().join(" or "))
}

fn routes(facts: PackFacts<'_>, agent: &Agent, log: &mut ErrorLog) {
    let routes = &agent.raw.routes;
    let mut seen = BTreeMap::new();
    for route in routes.iter() {
        let when = &route.when;
        if !when.is_blank() {
            if !is_plain(when, "_") {
                log.report(when.place, format!("`{}` is not a signal", when.value), "use a-z, 0-9 and _");
            }
            if let Some(line) = seen.insert(when.as_str(), when.place.line) {
                let message = format!("the signal `{}` has two routes", when.value);
                log.report(when.place, message, format!("take one out; the first is in line {line}"));
            }
        }
        target(facts, route, log);
    }
    let whole = !routes.is_blank() && routes.iter().all(|route| !route.when.is_blank());
    if whole && !seen.contains_key(DEFAULT_SIGNAL) {
        let message = format!("agent `{}` has no `default` route", agent.name);
        log.report(routes.place, message, "add `{when: default, next: …}`");
    }
    let measures = agent.role.as_ref().filter(|role| role.work == WorkForm::Watching);
    let signals = || MEASURED_SIGNALS.into_iter().chain([DEFAULT_SIGNAL]);
    for when in routes.iter().map(|route| &route.when).filter(|when| measures.is_some() && !when.is_blank()) {
        if !signals().any(|signal| signal == when.as_str()) {
            log.report(
                when.place,
                format!("an agent that measures never reports `{}`", when.value),
                nearest(when, signals()),
            );
        }
    }
}

fn target(facts: PackFacts<'_>, route: &RawRoute, log: &mut ErrorLog) {
    match (&route.next, &route.wait) {
        (Some(next), None) => facts.known_agent(next, &[END], log),
        (None, Some(_)) => {}
        (Some(next), Some(_)) => log.report(next.place, "a route has `next` or `wait`, not both", "take one out"),
        (None, None) => {
            log.report(route.when.place, "the route leads nowhere", "add `next: AGENT` or `wait: operator`");
        }
    }
}

/// What an agent's prompt may speak of.
struct AgentTools<'a> {
    facts: PackFacts<'a>,
    agent: &'a Agent,
}

impl PromptTools for AgentTools<'_> {
    fn exists(&self, name: &str) -> bool {
        name == FINISH_TOOL || self.facts.tools().any(|own| own == name)
    }

    fn is_unclear(&self, name: &str) -> bool {
        self.facts.own_is_blank() && !name.contains(':')
    }

    fn holds(&self, name: &str) -> bool {
        let Some(tools) = &self.agent.raw.tools else { return name == FINISH_TOOL };
        tools.is_blank() || name == FINISH_TOOL || tools.iter().any(|own| own.is_blank() || own.as_str() == name)
    }

    fn arguments(&self, name: &str) -> Option<BTreeSet<&str>> {
        self.facts.arguments(name)
    }

    fn injects(&self, name: &str, argument: &str) -> bool {
        let declared = self.facts.backend(name).is_some_and(|spec| spec.schema.declares(argument));
        declared && self.facts.raw.inject.get(argument).is_some()
    }

    fn resembles(&self, name: &str) -> bool {
        let server = |tool: &str| tool.split_once(':').map(|(server, _)| server.to_owned());
        let servers = || self.facts.known.catalog.keys().filter_map(|tool| server(tool.as_str()));
        let of_a_server = server(name).is_some_and(|of| servers().any(|known| known == of));
        of_a_server || self.facts.tools().any(|tool| resembles(name, tool))
    }

    fn nearest(&self, name: &str) -> String {
        nearest(name, self.facts.tools())
    }
}
