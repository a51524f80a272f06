//! What the files mean together: every name must lead somewhere.

use std::collections::BTreeSet;

use provost_domain::gate::pattern_matches;
use provost_domain::ids::ToolName;
use provost_domain::pack::{DEFAULT_SIGNAL, RoleKind};
use provost_domain::tool::EffectClass;

use crate::agent::Agent;
use crate::error::{PackError, nearest};
use crate::load::Known;
use crate::prompt;
use crate::raw::{RawPack, RawRoute};
use crate::source::Source;

/// The words of `next` that are no agent.
const END: &str = "end";

pub(crate) fn all(manifest: &Source, raw: &RawPack, agents: &[Agent], known: Known<'_>) -> Vec<PackError> {
    let checker = Checker {
        manifest,
        raw,
        agents,
        known,
        names: agents.iter().map(|agent| agent.name.as_str()).collect(),
        own: own_tools(raw),
        backend: known.catalog.keys().map(ToolName::as_str).collect(),
    };
    let mut errors = checker.pack();
    for agent in agents {
        errors.extend(checker.agent(agent));
    }
    errors
}

fn own_tools(raw: &RawPack) -> BTreeSet<&str> {
    let names = raw.terminal_tools.keys().chain(raw.findings_tools.keys()).chain(raw.patch_tools.keys());
    names.map(String::as_str).collect()
}

struct Checker<'a> {
    manifest: &'a Source,
    raw: &'a RawPack,
    agents: &'a [Agent],
    known: Known<'a>,
    names: BTreeSet<&'a str>,
    own: BTreeSet<&'a str>,
    backend: BTreeSet<&'a str>,
}

impl Checker<'_> {
    fn pack(&self) -> Vec<PackError> {
        let (manifest, raw) = (self.manifest, self.raw);
        let mut errors = Vec::new();
        if !self.names.contains(raw.entry.as_str()) {
            let hint = nearest(&raw.entry, self.names.iter().copied());
            errors.push(manifest.error(&["entry", &raw.entry], format!("no agent `{}`", raw.entry), hint));
        }
        for (name, tool) in &raw.terminal_tools {
            if !raw.outcomes.contains_key(&tool.outcome) {
                let hint = nearest(&tool.outcome, raw.outcomes.keys().map(String::as_str));
                let message = format!("`{name}` leads to outcome `{}`, which is not declared", tool.outcome);
                errors.push(manifest.error(&[name, "outcome", &tool.outcome], message, hint));
            }
            for agent in tool.requires.keys().filter(|agent| !self.names.contains(agent.as_str())) {
                let hint = nearest(agent, self.names.iter().copied());
                errors.push(manifest.error(&[name, "requires", agent], format!("no agent `{agent}`"), hint));
            }
            if let Some(effect) = tool.effect.as_deref().filter(|effect| !self.backend.contains(effect)) {
                let hint = nearest(effect, self.backend.iter().copied());
                errors.push(manifest.error(&[name, "effect", effect], format!("no tool `{effect}`"), hint));
            }
        }
        for rule in &raw.gates.rules {
            let mut tools = self.backend.iter().chain(&self.own);
            if !tools.any(|tool| pattern_matches(&rule.tool, tool)) {
                let hint = nearest(&rule.tool, self.backend.iter().chain(&self.own).copied());
                let message = format!("the gate pattern `{}` matches no tool, so it would guard nothing", rule.tool);
                errors.push(manifest.error(&["gates", &rule.tool], message, hint));
            }
            if rule.risk.is_none() && rule.action.is_none() {
                let message = format!("the gate rule for `{}` says neither `risk` nor `action`", rule.tool);
                errors.push(manifest.error(&["gates", &rule.tool], message, "add one of them"));
            }
        }
        for rule in &raw.dispatch {
            errors.extend(self.target(manifest, &["dispatch", &rule.next], &rule.next));
        }
        for name in self.own.iter().filter(|name| name.contains("__") || name.contains(':')) {
            let hint = "models see `server__tool` for `server:tool`; choose a plain name";
            errors.push(manifest.error(&[name], format!("`{name}` may not hold `__` or `:`"), hint));
        }
        errors.extend(self.unreachable());
        errors
    }

    fn unreachable(&self) -> Vec<PackError> {
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = vec![&self.raw.entry];
        open.extend(self.raw.dispatch.iter().map(|rule| rule.next.as_str()));
        while let Some(name) = open.pop() {
            if reached.insert(name) {
                let agent = self.agents.iter().find(|agent| agent.name == name);
                open.extend(agent.iter().flat_map(|a| &a.raw.routes).filter_map(|route| route.next.as_deref()));
            }
        }
        let lost = self.agents.iter().filter(|agent| !reached.contains(agent.name.as_str()));
        lost.map(|agent| {
            let message = format!("no route leads to agent `{}`", agent.name);
            agent.manifest.error(&[], message, "add a route to it, or remove its folder")
        })
        .collect()
    }

    fn target(&self, source: &Source, at: &[&str], next: &str) -> Option<PackError> {
        if next == END || self.names.contains(next) {
            return None;
        }
        let hint = nearest(next, self.names.iter().copied().chain([END]));
        Some(source.error(at, format!("no agent `{next}`"), hint))
    }

    fn agent(&self, agent: &Agent) -> Vec<PackError> {
        let source = &agent.manifest;
        let mut errors: Vec<PackError> = agent.raw.tools.iter().filter_map(|tool| self.tool(agent, tool)).collect();
        for route in &agent.raw.routes {
            errors.extend(self.route(source, route));
        }
        if !agent.raw.routes.iter().any(|route| route.when == DEFAULT_SIGNAL) {
            let message = format!("agent `{}` has no `default` route", agent.name);
            errors.push(source.error(&["routes"], message, "add `{when: default, next: …}`"));
        }
        let model = agent.raw.model.as_deref().unwrap_or("default");
        if agent.raw.role != RoleKind::Watcher && !self.known.models.contains(model) {
            let hint = nearest(model, self.known.models.iter().map(String::as_str));
            errors.push(source.error(&["model", model], format!("no model `{model}` is configured"), hint));
        }
        errors.extend(self.watch(agent));
        if let Some(prompt) = &agent.prompt_source {
            let held: BTreeSet<&str> = agent.raw.tools.iter().map(String::as_str).collect();
            let all: BTreeSet<&str> = self.backend.union(&self.own).copied().collect();
            errors.extend(prompt::lint(prompt, &held, &all));
        }
        errors
    }

    fn route(&self, source: &Source, route: &RawRoute) -> Option<PackError> {
        let at = ["routes", route.when.as_str()];
        match (&route.next, route.wait) {
            (Some(next), None) => self.target(source, &["routes", &route.when, next], next),
            (None, Some(_)) => None,
            (Some(_), Some(_)) => Some(source.error(&at, "a route has `next` or `wait`, not both", "take one out")),
            (None, None) => Some(source.error(&at, "a route leads nowhere", "add `next: AGENT` or `wait: operator`")),
        }
    }

    fn tool(&self, agent: &Agent, name: &str) -> Option<PackError> {
        let (source, role) = (&agent.manifest, agent.raw.role);
        let at = ["tools", name];
        if let Some(spec) = self.known.catalog.get(name) {
            let reads = spec.effect == EffectClass::Read;
            return (!reads && !role.may_act()).then(|| {
                let message = format!("role `{}` only reads, and `{name}` changes the world", role.as_str());
                source.error(&at, message, "move the tool to an agent of role `resolution`")
            });
        }
        if self.raw.terminal_tools.contains_key(name) && !role.may_act() {
            let message = format!("role `{}` may not hold the terminal tool `{name}`", role.as_str());
            return Some(source.error(&at, message, "move it to an agent of role `resolution`"));
        }
        if self.own.contains(name) {
            return None;
        }
        let full: Vec<&str> =
            self.backend.iter().copied().filter(|tool| tool.split_once(':').is_some_and(|(_, t)| t == name)).collect();
        let hint = match full.as_slice() {
            [] => nearest(name, self.backend.iter().chain(&self.own).copied()),
            some => format!("write the full name: {}", some.join(" or ")),
        };
        Some(source.error(&at, format!("no tool `{name}`"), hint))
    }

    fn watch(&self, agent: &Agent) -> Option<PackError> {
        let source = &agent.manifest;
        match (agent.raw.role, &agent.raw.watch) {
            (RoleKind::Watcher, None) => {
                Some(source.error(&["role"], "a watcher must say what it measures", "add `watch:`"))
            }
            (RoleKind::Watcher, Some(watch)) => {
                let reads = self.known.catalog.get(watch.tool.as_str()).is_some_and(|t| t.effect == EffectClass::Read);
                (!reads).then(|| {
                    let message = format!("`{}` is no tool that only reads", watch.tool);
                    source.error(&["watch", &watch.tool], message, nearest(&watch.tool, self.backend.iter().copied()))
                })
            }
            (RoleKind::Triage | RoleKind::Investigator | RoleKind::Resolution, Some(_)) => {
                Some(source.error(&["watch"], "only a watcher measures", "set `role: watcher`, or remove `watch`"))
            }
            (RoleKind::Triage | RoleKind::Investigator | RoleKind::Resolution, None) => None,
        }
    }
}
