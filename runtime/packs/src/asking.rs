//! Calls that nobody could let run: what the gate would have a person asked about, where nobody is asked, is refused here.

use provost_domain::gate::{GateAction, base_action, tightest_action};
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
            backend(effect).filter(|spec| base_action(&spec.name, spec.risk, &pack.gates) == GateAction::Deny)
        {
            let message =
                format!("the gate denies every call of `{}`, so `{}` can never succeed", spec.name, name.value);
            log.report(effect.place, message, "change the gate rule, or take `effect` out");
        }
    }
    let mut errors = Vec::new();
    for agent in agents {
        let Some(watch) = &agent.raw.watch else { continue };
        // One that does more than read is refused as such.
        let Some(spec) = backend(&watch.tool).filter(|spec| spec.effect == EffectClass::Read) else { continue };
        let mut log = ErrorLog::new(agent.path.clone());
        measured(spec, pack, |message| {
            log.report(watch.tool.place, message, "measure with a tool that runs by itself");
        });
        errors.append(&mut log.errors);
    }
    errors
}

/// A measurement waits for nobody.
fn measured(spec: &ToolSpec, pack: &Pack, mut report: impl FnMut(String)) {
    match tightest_action(&spec.name, spec.risk, &pack.gates) {
        GateAction::Auto | GateAction::Notify => {}
        GateAction::Approve => report(format!(
            "the gate would have a person asked before each measurement with `{}`, and a measurement waits for nobody",
            spec.name
        )),
        GateAction::Deny => report(format!("the gate denies `{}`, so nothing could be measured with it", spec.name)),
    }
}
