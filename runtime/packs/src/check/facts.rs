//! Everything the checks look at.

use std::collections::BTreeSet;

use provost_domain::envelope::FINISH_TOOL;
use provost_domain::tool::ToolSpec;
use provost_domain::work::WorkForm;
use provost_form::{At, ErrorLog, Position, YamlNode, nearest};

use crate::agent::Agent;
use crate::arguments::STATED;
use crate::inventory::Inventory;
use crate::raw::RawPack;

/// The signals of an agent that measures and asks no model.
pub(super) const MEASURED_SIGNALS: [&str; 3] = ["recovered", "not_recovered", "unknown"];

/// The pack as written, its agents, and what surrounds it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PackFacts<'a> {
    pub(crate) raw: &'a RawPack,
    /// The agents that could be read.
    pub(crate) agents: &'a [Agent],
    /// The names of all agents.
    pub(crate) names: &'a [String],
    pub(crate) known: Inventory<'a>,
}

impl<'a> PackFacts<'a> {
    pub(super) fn backend(self, name: &str) -> Option<&'a ToolSpec> {
        self.known.catalog.get(name).map(|spec| &**spec)
    }

    /// The names of the pack's own tools, with their places.
    pub(super) fn own(self) -> impl Iterator<Item = &'a At<String>> {
        let raw = self.raw;
        raw.terminal_tools.keys().chain(raw.findings_tools.keys()).chain(raw.patch_tools.keys())
    }

    /// Whether some of the pack's own tools could not be read.
    pub(super) fn own_is_blank(self) -> bool {
        let raw = self.raw;
        raw.terminal_tools.is_blank() || raw.findings_tools.is_blank() || raw.patch_tools.is_blank()
    }

    /// The names of all tools.
    pub(super) fn tools(self) -> impl Iterator<Item = &'a str> {
        let backend = self.known.catalog.keys().map(provost_domain::ids::ToolName::as_str);
        backend.chain(self.own().map(|name| name.as_str()))
    }

    /// Whether there is a tool of this name, or something that may be one could not be read.
    pub(super) fn has_tool(self, name: &str) -> bool {
        self.tools().any(|own| own == name) || (self.own_is_blank() && !name.contains(':'))
    }

    /// The arguments of a tool; nothing when they are not known.
    pub(super) fn arguments(self, name: &str) -> Option<BTreeSet<&'a str>> {
        let raw = self.raw;
        if let Some(spec) = self.backend(name) {
            return Some(spec.schema.names().collect());
        }
        if let Some(tool) = raw.terminal_tools.get(name) {
            let stated = STATED.into_iter().filter(|_| tool.about.is_some());
            return (!tool.args.is_blank()).then(|| tool.args.names().chain(["evidence"]).chain(stated).collect());
        }
        if let Some(tool) = raw.findings_tools.get(name) {
            return (!tool.args.is_blank()).then(|| tool.args.names().collect());
        }
        if let Some(tool) = raw.patch_tools.get(name) {
            return (!tool.fields.is_blank()).then(|| tool.fields.iter().map(|field| field.as_str()).collect());
        }
        (name == FINISH_TOOL).then(|| ["content", "confidence", "rationale", "signal", "report"].into())
    }

    pub(super) fn agent(self, name: &str) -> Option<&'a Agent> {
        self.agents.iter().find(|agent| agent.name == name)
    }

    /// Reports a name that is neither an agent's nor one of these words.
    pub(super) fn known_agent(self, name: &At<String>, words: &[&'a str], log: &mut ErrorLog) {
        let known = || self.names.iter().map(String::as_str).chain(words.iter().copied());
        if !name.is_blank() && !known().any(|known| known == name.as_str()) {
            log.report(name.place, format!("no agent `{}`", name.value), nearest(name, known()));
        }
    }

    /// The session's fields; nothing when they could not be read.
    pub(super) fn fields(self) -> Option<&'a YamlNode> {
        (!self.raw.fields.is_blank()).then_some(&self.raw.fields.value)?.get("properties")
    }

    /// Reports a dotted path whose first name is not a field of the session.
    pub(super) fn known_path(self, path: &str, place: Position, log: &mut ErrorLog) {
        self.known_field(path.split('.').next().unwrap_or_default(), place, log);
    }

    /// Reports a name that is not a field of the session.
    pub(super) fn known_field(self, name: &str, place: Position, log: &mut ErrorLog) {
        let Some(fields) = self.fields() else { return };
        if fields.get(name).is_none() {
            let hint = nearest(name, fields.entries().map(|(name, _)| name.as_str()));
            log.report(place, format!("the session has no field `{name}`"), hint);
        }
    }

    /// The signals an agent's report may hold; nothing when they are not known.
    pub(super) fn signals(self, agent: &Agent) -> Option<Vec<&'a str>> {
        let agent = self.agent(&agent.name)?;
        if agent.role.as_ref()?.work == WorkForm::Watching {
            return Some(MEASURED_SIGNALS.to_vec());
        }
        let whole = !agent.raw.routes.is_blank() && agent.raw.routes.iter().all(|route| !route.is_unread());
        whole.then(|| agent.raw.routes.iter().filter_map(|route| Some(route.signal()?.as_str())).collect())
    }
}

/// Whether a name is made of these letters only, and not too long for a wire or a file.
pub(crate) fn is_plain(name: &str, more: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || more.contains(c);
    !name.is_empty() && name.len() <= 64 && name.chars().all(plain)
}
