//! What each agent's tools look like to a model: no server may refuse them.

use provost_domain::ids::ToolName;
use provost_domain::pack::Pack;
use provost_domain::request;
use provost_domain::wire;
use provost_domain::work::WorkForm;
use provost_form::{ErrorLog, FormError};

use crate::agent::Agent;
use crate::inventory::Inventory;

/// What some model server would refuse of the tools that the pack's agents are offered, at the agent that has them.
pub(crate) fn offers(pack: &Pack, agents: &[Agent], known: Inventory<'_>) -> Vec<FormError> {
    let mut errors = Vec::new();
    for agent in agents {
        let asks = pack.agents.get(agent.name.as_str()).filter(|spec| spec.role.work == WorkForm::Asking);
        let Some(spec) = asks else { continue };
        let mut log = ErrorLog::new(agent.path.clone());
        for refusal in wire::refusals(&request::offers(spec, pack, known.catalog, known.roles)) {
            // Of two that share a name the later one is shown.
            let tools = agent.raw.tools.iter().flat_map(|tools| &tools.value);
            let own = tools.rev().find(|name| ToolName::new(name.as_str()).is_wired_as(&refusal.tool));
            let place = own.map_or(agent.start, |name| name.place);
            log.report(place, refusal.to_string(), "change the tool's declaration, or take it from this agent");
        }
        errors.append(&mut log.errors);
    }
    errors
}
