//! `provost packs show`: agents, routes as a graph, tools with effect and gate, outcomes.

use std::process::ExitCode;

use anyhow::Result;
use provost_domain::pack::Pack;
use provost_domain::tool::Catalog;
use provost_face::VisibleText;
use serde_json::json;

use super::folders::PackFolders;
use super::meaning;
use crate::args::PackArgs;
use crate::output::Output;

pub(super) fn run(args: &PackArgs, output: Output) -> Result<ExitCode> {
    let folders = PackFolders::of(args)?;
    let mut packs = Vec::new();
    for folder in &folders.folders {
        let suite = folders.suite(folder, output)?;
        packs.push(meaning::shown(suite.pack(), &suite.catalog));
        for line in drawn(suite.pack(), &suite.catalog) {
            output.line(VisibleText::new(line).as_str());
        }
    }
    output.json(&json!(packs));
    Ok(ExitCode::SUCCESS)
}

/// The pack as lines. An agent is drawn with its routes below it.
fn drawn(pack: &Pack, catalog: &Catalog) -> Vec<String> {
    let mut lines = vec![format!("{} version {}, handle {}", pack.name, pack.version, pack.handle)];
    let outcomes =
        pack.outcomes.iter().map(|(name, kind)| format!("{name} ({})", json!(kind).as_str().unwrap_or_default()));
    lines.push(format!("  outcomes  {}", outcomes.collect::<Vec<_>>().join(", ")));
    lines.push("  agents".to_owned());
    for agent in pack.agents.values() {
        let begins = if agent.name == pack.entry { "► " } else { "  " };
        let model = if agent.watch.is_some() { "measures".to_owned() } else { format!("model {}", agent.model) };
        lines.push(format!("  {begins}{}  {} · {model}", agent.name, agent.role.name));
        let last = agent.routes.len().saturating_sub(1);
        for (place, route) in agent.routes.iter().enumerate() {
            let branch = if place == last { "└" } else { "├" };
            lines.push(format!("      {branch}─ {} ─► {}", meaning::taken(route), meaning::target(&route.to)));
        }
    }
    for (name, tool) in &pack.terminal_tools {
        let effect = tool.effect.as_ref().map(|effect| format!(" through {effect}")).unwrap_or_default();
        lines.push(format!("    {name} closes the case{effect}"));
    }
    lines.push("  tools".to_owned());
    for (name, users) in meaning::used(pack, catalog) {
        let Some(spec) = catalog.get(name) else { continue };
        let gate =
            meaning::gate(pack, catalog, name).map(|(base, most)| meaning::within(base, most)).unwrap_or_default();
        let effect = json!(spec.effect);
        lines.push(format!("    {name}  {} · gate {gate} · {}", effect.as_str().unwrap_or_default(), users.join(", ")));
    }
    lines
}
