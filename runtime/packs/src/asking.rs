//! Gates that would not hold: what the gate would have a person asked about where nobody is asked, and gates that the model
//! itself could step around, are refused here.

use std::collections::BTreeSet;

use provost_domain::gate::{ENVIRONMENT, GateAction, base_action, pattern_matches, tightest_action};
use provost_domain::ids::ToolName;
use provost_domain::pack::Pack;
use provost_domain::tool::{EffectClass, ToolSpec};
use provost_form::{ErrorLog, FormError};

use crate::agent::Agent;
use crate::inventory::Inventory;
use crate::raw::RawPack;

/// Checks a whole pack; the log is the manifest's.
pub(crate) fn check(
    pack: &Pack,
    raw: &RawPack,
    agents: &[Agent],
    known: Inventory<'_>,
    log: &mut ErrorLog,
) -> Vec<FormError> {
    let backend = |name: &str| known.catalog.get(&ToolName::new(name)).map(|spec| &**spec);
    for (name, terminal) in raw.terminal_tools.iter() {
        let Some(effect) = terminal.effect.as_ref() else { continue };
        if let Some(spec) =
            backend(effect).filter(|spec| base_action(&spec.name, spec.stake(), &pack.gates) == GateAction::Deny)
        {
            let message =
                format!("the gate denies every call of `{}`, so `{}` can never succeed", spec.name, name.value);
            log.report(effect.place, message, "change the gate rule, or take `effect` out");
        }
    }
    around(pack, raw, known, log);
    let mut errors = Vec::new();
    for agent in agents {
        let Some(watch) = &agent.raw.watch else { continue };
        let mut log = ErrorLog::new(agent.path.clone());
        for tool in watch.tools() {
            // One that does more than read is refused as such.
            let Some(spec) = backend(tool).filter(|spec| spec.effect == EffectClass::Read) else { continue };
            measured(spec, pack, |message| {
                log.report(tool.place, message, "measure with a tool that runs by itself");
            });
        }
        errors.append(&mut log.errors);
    }
    errors
}

/// A rule for an environment does not gate a tool whose environment the model writes: it would name another one.
fn around(pack: &Pack, raw: &RawPack, known: Inventory<'_>, log: &mut ErrorLog) {
    if raw.inject.get(ENVIRONMENT).is_some() {
        return;
    }
    let effects = pack.terminal_tools.values().filter_map(|terminal| terminal.effect.as_ref());
    let called: BTreeSet<&ToolName> = pack.agents.values().flat_map(|agent| &agent.tools).chain(effects).collect();
    for (rule, written) in pack.gates.rules.iter().zip(&raw.gates.rules) {
        let tightens = |spec: &&ToolSpec| {
            let base = base_action(&spec.name, spec.stake(), &pack.gates);
            !rule.environments.is_empty()
                && pattern_matches(&rule.tool, spec.name.as_str())
                && rule.base().is_some_and(|action| action > base && action > GateAction::Notify)
        };
        let specs = called.iter().filter_map(|name| known.catalog.get(*name)).map(|spec| &**spec);
        let mut written_by_model = specs.filter(|spec| spec.changes_world() && spec.schema.declares(ENVIRONMENT));
        if let Some(spec) = written_by_model.find(tightens) {
            let message =
                format!("this gate of `{}` depends on its `{ENVIRONMENT}`, which the model would write", spec.name);
            let hint = format!("add `{ENVIRONMENT}: fields.NAME` to `inject`, or ask in every environment");
            log.report(written.tool.place, message, hint);
        }
    }
}

/// A measurement waits for nobody.
fn measured(spec: &ToolSpec, pack: &Pack, mut report: impl FnMut(String)) {
    match tightest_action(&spec.name, spec.stake(), &pack.gates) {
        GateAction::Auto | GateAction::Notify => {}
        GateAction::Approve => report(format!(
            "the gate would have a person asked before each measurement with `{}`, and a measurement waits for nobody",
            spec.name
        )),
        GateAction::Deny => report(format!("the gate denies `{}`, so nothing could be measured with it", spec.name)),
    }
}
