//! What a pack means, part by part, for `packs show` and `packs diff`.

use std::collections::BTreeMap;

use provost_domain::gate::{GateAction, GateRule, base_action, tightest_action};
use provost_domain::ids::ToolName;
use provost_domain::pack::{AgentSpec, ClaimOutcome, Pack, Route, RouteTo, TerminalTool, WatchPlan};
use provost_domain::tool::Catalog;
use serde_json::{Value, json};

/// The word of an enum as files write it.
fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Where a route leads, in words.
pub(super) fn target(to: &RouteTo) -> &str {
    match to {
        RouteTo::Agent(agent) => agent.as_str(),
        RouteTo::End => "end",
        RouteTo::Operator => "an operator",
    }
}

/// What a route takes, in words.
pub(super) fn taken(route: &Route) -> String {
    let condition = route.condition.as_ref().map(|condition| format!(" when {condition}")).unwrap_or_default();
    let asks = route.gate_below.map(|below| format!(", asks below {}", below.get())).unwrap_or_default();
    format!("{}{condition}{asks}", route.when)
}

/// What the gate does with calls of a tool: in any case, and at most.
pub(super) fn gate(pack: &Pack, catalog: &Catalog, name: &ToolName) -> Option<(GateAction, GateAction)> {
    let spec = catalog.get(name)?;
    let stake = spec.stake();
    Some((base_action(name, stake, &pack.gates), tightest_action(name, stake, &pack.gates)))
}

/// The tools of an agent, the measured one of a watch among them.
fn tools(agent: &AgentSpec) -> impl Iterator<Item = &ToolName> {
    agent.tools.iter().chain(agent.watch.iter().flat_map(WatchPlan::tools))
}

/// The configured tools that a pack uses, each with the agents that have it.
pub(super) fn used<'a>(pack: &'a Pack, catalog: &Catalog) -> BTreeMap<&'a ToolName, Vec<&'a str>> {
    let mut used: BTreeMap<&ToolName, Vec<&str>> = BTreeMap::new();
    for agent in pack.agents.values() {
        for tool in tools(agent).filter(|tool| catalog.contains_key(*tool)) {
            used.entry(tool).or_default().push(agent.name.as_str());
        }
    }
    for (claim, own) in &pack.terminal_tools {
        if let Some(effect) = &own.effect {
            used.entry(effect).or_default().push(claim.as_str());
        }
    }
    used
}

/// The pack for programs.
pub(super) fn shown(pack: &Pack, catalog: &Catalog) -> Value {
    let route = |route: &Route| {
        json!({"signal": route.when, "when": route.condition.as_ref().map(ToString::to_string), "to": route.to,
            "asks_below": route.gate_below})
    };
    let agent = |agent: &AgentSpec| {
        json!({"agent": agent.name, "role": agent.role.name, "model": agent.model, "tools": agent.tools,
            "routes": agent.routes.iter().map(route).collect::<Vec<_>>(), "watch": agent.watch})
    };
    let tool = |(name, users): (&ToolName, Vec<&str>)| {
        let (spec, gate) = (catalog.get(name), gate(pack, catalog, name));
        json!({"tool": name, "effect": spec.map(|spec| spec.effect), "risk": spec.map(|spec| spec.risk),
            "gate": gate.map(|gate| gate.0), "gate_at_most": gate.map(|gate| gate.1), "used_by": users})
    };
    let outcomes = pack.outcomes.iter().map(|(name, kind)| json!({"outcome": name, "kind": kind}));
    json!({
        "pack": pack.name, "version": pack.version, "handle": pack.handle, "digest": pack.digest, "entry": pack.entry,
        "outcomes": outcomes.collect::<Vec<_>>(), "dispatch": pack.dispatch,
        "agents": pack.agents.values().map(agent).collect::<Vec<_>>(),
        "tools": used(pack, catalog).into_iter().map(tool).collect::<Vec<_>>(),
        "gates": pack.gates,
    })
}

/// Every part of a pack that means something, by a name that says which.
pub(super) fn parts(pack: &Pack, catalog: &Catalog) -> BTreeMap<String, String> {
    let mut parts = BTreeMap::new();
    let mut add = |name: String, value: String| drop(parts.insert(name, value));
    add("entry".to_owned(), pack.entry.to_string());
    add("handle".to_owned(), pack.handle.clone());
    add("fields".to_owned(), pack.fields.raw().to_string());
    add("identity".to_owned(), pack.identity.join(", "));
    add("retry".to_owned(), format!("{:?}", pack.retry));
    add("limits".to_owned(), format!("{:?}", pack.limits));
    for (name, kind) in &pack.outcomes {
        add(format!("outcome {name}"), word(kind));
    }
    for (name, values) in &pack.rosters.0 {
        add(format!("roster {name}"), values.join(", "));
    }
    for (argument, source) in &pack.inject {
        add(format!("inject {argument}"), json!(source).to_string());
    }
    for (place, rule) in pack.dispatch.iter().enumerate() {
        add(format!("dispatch {}", place + 1), json!(rule).to_string());
    }
    for agent in pack.agents.values() {
        add_agent(agent, &mut add);
    }
    for (name, tool) in &pack.terminal_tools {
        add(format!("tool {name}"), claim(tool));
    }
    for name in pack.findings_tools.keys().chain(pack.patch_tools.keys()) {
        add(format!("tool {name}"), "the pack's own".to_owned());
    }
    for name in used(pack, catalog).into_keys() {
        let Some(spec) = catalog.get(name) else { continue };
        let gate = gate(pack, catalog, name).map(|(base, most)| within(base, most)).unwrap_or_default();
        add(format!("tool {name}"), format!("{}, risk {}, gate {gate}", word(spec.effect), word(spec.risk)));
    }
    for (place, rule) in pack.gates.rules.iter().enumerate() {
        add(format!("gate rule {}", place + 1), rule_words(rule));
    }
    let below = pack.gates.confidence_below.map_or_else(|| "none".to_owned(), |below| below.get().to_string());
    add("gate confidence_below".to_owned(), below);
    add("gate approval".to_owned(), json!(pack.gates.approval).to_string());
    for (form, mapping) in &pack.intake {
        add(format!("intake {form}"), format!("{mapping:?}"));
    }
    parts
}

/// The gate's action, and how far it may be tightened.
pub(super) fn within(base: GateAction, most: GateAction) -> String {
    if base == most { word(base) } else { format!("{}, at most {}", word(base), word(most)) }
}

fn add_agent(agent: &AgentSpec, add: &mut impl FnMut(String, String)) {
    let name = &agent.name;
    add(format!("agent {name}"), format!("role {}, model {}", agent.role.name, agent.model));
    let tools: Vec<&str> = agent.tools.iter().map(ToolName::as_str).collect();
    add(format!("agent {name}: tools"), tools.join(", "));
    add(format!("agent {name}: deadline"), format!("{:?}", agent.deadline));
    // A prompt is long: its digest says whether it is another one.
    let prompt = provost_domain::ids::Digest::of(agent.prompt.as_bytes()).hex();
    add(format!("agent {name}: prompt"), prompt);
    for (place, route) in agent.routes.iter().enumerate() {
        add(format!("agent {name}: route {}", place + 1), format!("{} to {}", taken(route), target(&route.to)));
    }
    if let Some(watch) = &agent.watch {
        add(format!("agent {name}: watch"), json!(watch).to_string());
    }
}

fn claim(tool: &TerminalTool) -> String {
    let outcome = match &tool.outcome {
        ClaimOutcome::Fixed(outcome) => outcome.clone(),
        ClaimOutcome::ByArgument { argument, table } => {
            let rows: Vec<_> = table.iter().map(|(value, outcome)| format!("{value} → {outcome}")).collect();
            format!("by {argument} ({})", rows.join(", "))
        }
    };
    let signals = tool.requires.iter().map(|(agent, signal)| format!("{agent} reported {signal}"));
    let requires: Vec<_> = signals.chain(tool.conditions.iter().map(|own| own.that.to_string())).collect();
    let effect = tool.effect.as_ref().map(|effect| format!(", effect {effect}")).unwrap_or_default();
    let requires = if requires.is_empty() { String::new() } else { format!(", requires {}", requires.join(" and ")) };
    format!("outcome {outcome}{requires}{effect}")
}

fn rule_words(rule: &GateRule) -> String {
    let action = rule.action.map(|action| format!(" action {}", word(action))).unwrap_or_default();
    let risk = rule.risk.map(|risk| format!(" risk {}", word(risk))).unwrap_or_default();
    let places =
        if rule.environments.is_empty() { String::new() } else { format!(" in {}", rule.environments.join(", ")) };
    let when = rule.when.as_ref().map(|when| format!(" when {when}")).unwrap_or_default();
    format!("{}{risk}{action}{places}{when}", rule.tool)
}
