//! One agent: its role, model, tools, routes and prompt.

use std::collections::{BTreeMap, BTreeSet};

use provost_domain::envelope::FINISH_TOOL;
use provost_domain::pack::{DEFAULT_SIGNAL, RoleKind};
use provost_domain::tool::EffectClass;

use super::flow::{END, is_lost};
use super::{Facts, is_plain, watch};
use crate::agent::Agent;
use crate::error::nearest;
use crate::form::Log;
use crate::node::At;
use crate::prompt::{self, Tools};
use crate::raw::RawRoute;
use crate::schema::known_roster;

/// The model agents get that name none.
pub(crate) const DEFAULT_MODEL: &str = "default";

pub(super) fn check(facts: Facts<'_>, agent: &Agent, log: &mut Log) {
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
    let tools = Held { facts, agent };
    for text in &agent.texts {
        prompt::lint(text, &agent.name, &tools, &mut log.errors);
    }
}

fn model(facts: Facts<'_>, agent: &Agent, log: &mut Log) {
    let known = || facts.known.models.iter().map(String::as_str);
    let role = &agent.raw.role;
    let (name, place) = match &agent.raw.model {
        Some(model) if model.is_blank() => return,
        Some(model) => (model.as_str(), model.place),
        None if role.is_blank() || role.value == RoleKind::Watcher => return,
        None => (DEFAULT_MODEL, agent.start),
    };
    if !facts.known.models.contains(name) {
        log.report(place, format!("no model `{name}` is configured"), nearest(name, known()));
    }
}

fn tool(facts: Facts<'_>, agent: &Agent, name: &At<String>, log: &mut Log) {
    let role = &agent.raw.role;
    let hint = "move it to an agent of role `resolution`";
    let only_reads = !role.is_blank() && !role.may_act();
    if let Some(spec) = facts.backend(name) {
        if only_reads && spec.effect != EffectClass::Read {
            let message = format!("role `{}` only reads, and `{}` changes the world", role.as_str(), name.value);
            log.report(name.place, message, hint);
        }
        for roster in spec.rosters.values() {
            known_roster(roster, name.place, &facts.raw.rosters, log);
        }
    } else if facts.raw.terminal_tools.get(name).is_some() {
        if only_reads {
            let message = format!("role `{}` may not hold the terminal tool `{}`", role.as_str(), name.value);
            log.report(name.place, message, hint);
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

fn routes(facts: Facts<'_>, agent: &Agent, log: &mut Log) {
    let routes = &agent.raw.routes;
    let mut seen = BTreeMap::new();
    for route in routes.iter() {
        let when = &route.when;
        if !when.is_blank() {
            if !is_plain(when, "_") {
                log.report(when.place, format!("`{}` is no signal", when.value), "use a-z, 0-9 and _");
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
    let is_watcher = !agent.raw.role.is_blank() && agent.raw.role.value == RoleKind::Watcher;
    let signals = || watch::SIGNALS.into_iter().chain([DEFAULT_SIGNAL]);
    for when in routes.iter().map(|route| &route.when).filter(|when| is_watcher && !when.is_blank()) {
        if !signals().any(|signal| signal == when.as_str()) {
            log.report(when.place, format!("a watcher never reports `{}`", when.value), nearest(when, signals()));
        }
    }
}

fn target(facts: Facts<'_>, route: &RawRoute, log: &mut Log) {
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
struct Held<'a> {
    facts: Facts<'a>,
    agent: &'a Agent,
}

impl Tools for Held<'_> {
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

    fn nearest(&self, name: &str) -> String {
        nearest(name, self.facts.tools())
    }
}
