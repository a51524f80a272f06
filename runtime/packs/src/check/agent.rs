//! One agent: its role, model, tools, routes and prompt.

use std::collections::{BTreeMap, BTreeSet};

use provost_domain::envelope::FINISH_TOOL;
use provost_domain::pack::DEFAULT_SIGNAL;
use provost_domain::role::{Authority, RoleSpec};
use provost_domain::work::WorkForm;
use provost_form::{At, ErrorLog, FormError, Position, nearest, resembles};

use super::facts::{MEASURED_SIGNALS, PackFacts, is_plain};
use super::flow::{END, is_lost};
use super::scopes;
use super::watch;
use crate::agent::Agent;
use crate::arguments::ToolSchemas;
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
    let says_within = agent.raw.watch.as_ref().is_some_and(|watch| watch.within().is_some());
    if agent.raw.deadline.is_none() && !says_within {
        log.report(agent.start, "the key `deadline` is missing", "add `deadline:`");
    }
    watch::check(facts, agent, log);
    report(facts, agent, log);
    let tools = AgentTools { facts, agent };
    for text in &agent.texts {
        prompt::lint(text, &agent.name, &tools, &mut log.errors, warnings);
    }
}

/// What every report has beside its typed fields.
const EVERY_REPORT: [&str; 5] = ["signal", "confidence", "content", "rationale", "stale"];

/// `report: {}` demands the role's typed report, and may add fields to it.
fn report(facts: PackFacts<'_>, agent: &Agent, log: &mut ErrorLog) {
    let Some(fields) = agent.raw.report.as_ref().filter(|report| !report.is_blank()) else { return };
    let Some(role) = &agent.role else { return };
    let Some(schema) = facts.known.roles.report_schema(&role.name) else {
        let message = format!("the runtime writes the report of role `{}`", role.name);
        return log.report(fields.place, message, "take `report` out");
    };
    let own = |name: &str| schema.get("properties").is_some_and(|own| own.get(name).is_some());
    for name in fields.keys() {
        if own(name) || EVERY_REPORT.contains(&name.as_str()) {
            let message = format!("every report of role `{}` has `{}`", role.name, name.value);
            log.report(name.place, message, "choose another name, or take it out");
        }
    }
    let mut schemas = ToolSchemas { rosters: &facts.raw.rosters, named: &facts.raw.types, log };
    drop(schemas.report(fields));
}

fn model(facts: PackFacts<'_>, agent: &Agent, log: &mut ErrorLog) {
    let Some(models) = facts.known.models else { return };
    let asks = agent.role.as_ref().is_some_and(|role| role.work == WorkForm::Asking);
    let (name, place) = match &agent.raw.model {
        Some(model) if model.is_blank() => return,
        Some(model) => (model.as_str(), model.place),
        None if !asks => return,
        None => (DEFAULT_MODEL, agent.start),
    };
    if !models.contains(name) {
        log.report(place, format!("no model `{name}` is configured"), nearest(name, models.iter().map(String::as_str)));
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
    let last = routes.len().saturating_sub(1);
    for (index, route) in routes.iter().enumerate() {
        if let Some(signal) = route.signal().filter(|signal| !signal.is_blank()) {
            if !is_plain(signal, "_") {
                log.report(signal.place, format!("`{}` is not a signal", signal.value), "use a-z, 0-9 and _");
            }
            // With conditions several routes may take one signal.
            if route.condition().is_none()
                && let Some(line) = seen.insert(signal.as_str(), signal.place.line)
            {
                let message = format!("the signal `{}` has two routes", signal.value);
                log.report(signal.place, message, format!("take one out; the first is in line {line}"));
            }
        } else if route.is_default() && index < last {
            let message = "a route without `signal` and `when` takes every report, so none after it is reached";
            log.report(place_of(route, routes.place), message, "write it last, or add `signal:` or `when:`");
        }
        if let Some(condition) = route.condition() {
            scopes::condition(condition, &facts.route_scope(Some(agent)), log);
        }
        target(facts, route, routes.place, log);
    }
    let whole = !routes.is_blank() && routes.iter().all(|route| !route.is_unread());
    if whole && !routes.iter().any(RawRoute::is_default) {
        let message = format!("agent `{}` has no `default` route", agent.name);
        log.report(routes.place, message, "add `{next: …}` as the last one: it takes what no other route takes");
    }
    let measures = agent.role.as_ref().filter(|role| role.work == WorkForm::Watching);
    let signals = || MEASURED_SIGNALS.into_iter().chain([DEFAULT_SIGNAL]);
    let written = routes.iter().filter_map(RawRoute::signal);
    for signal in written.filter(|signal| measures.is_some() && !signal.is_blank()) {
        if !signals().any(|own| own == signal.as_str()) {
            let message = format!("an agent that measures never reports `{}`", signal.value);
            log.report(signal.place, message, nearest(signal, signals()));
        }
    }
}

/// Where a route stands, as far as that is known.
fn place_of(route: &RawRoute, routes: Position) -> Position {
    let written = [&route.signal, &route.when, &route.next];
    written.into_iter().flatten().next().map_or(routes, |text| text.place)
}

fn target(facts: PackFacts<'_>, route: &RawRoute, routes: Position, log: &mut ErrorLog) {
    match (&route.next, &route.wait) {
        (Some(next), None) => facts.known_agent(next, &[END], log),
        (None, Some(_)) => {}
        (Some(next), Some(_)) => log.report(next.place, "a route has `next` or `wait`, not both", "take one out"),
        (None, None) => {
            let hint = "add `next: AGENT` or `wait: operator`";
            log.report(place_of(route, routes), "the route leads nowhere", hint);
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
