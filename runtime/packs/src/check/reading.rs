//! Tools that a measurement may use.

use provost_domain::tool::{EffectClass, ToolSpec};
use provost_form::{At, ErrorLog, nearest};

use super::facts::PackFacts;

/// The tool that is measured with: one that only reads.
pub(super) fn reader<'a>(facts: PackFacts<'a>, tool: &At<String>, log: &mut ErrorLog) -> Option<&'a ToolSpec> {
    if tool.is_blank() {
        return None;
    }
    let found = facts.backend(tool).filter(|spec| spec.effect == EffectClass::Read);
    if found.is_none() {
        let readers = facts.known.catalog.values().filter(|spec| spec.effect == EffectClass::Read);
        let hint = nearest(tool, readers.map(|spec| spec.name.as_str()));
        log.report(tool.place, format!("`{}` is not a tool that only reads", tool.value), hint);
    }
    found
}
