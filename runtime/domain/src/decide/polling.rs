//! What every measurement does: it makes its calls by itself, and goes on until its condition held often enough or its time is over.

use serde_json::{Map, Value};

use super::draft::Draft;
use super::fail;
use super::intent::{self, CallOrigin, GateAnswer};
use crate::event::WatchPolled;
use crate::failure::AgentFailure;
use crate::ids::{AssignmentId, CallId, ToolName};
use crate::inject;
use crate::pack::WatchPlan;
use crate::work::{Watch, Work};

/// The work that measures, how far it is, and what its pack says.
pub(super) fn watching<'a>(
    draft: &'a Draft<'_>,
    assignment: AssignmentId,
) -> Option<(&'a Work, &'a Watch, &'a WatchPlan)> {
    let work = draft.session.works().get(&assignment)?;
    let plan = draft.facts.pack.agents.get(&work.agent)?.watch.as_ref()?;
    Some((work, work.watch()?, plan))
}

/// What an assignment measures, as its pack says, and how many polls there were.
pub(super) fn plan<'a>(draft: &Draft<'a>, assignment: AssignmentId) -> Option<(&'a WatchPlan, u32)> {
    let work = draft.session.works().get(&assignment)?;
    let plan = draft.facts.pack.agents.get(&work.agent)?.watch.as_ref()?;
    Some((plan, work.watch()?.polls))
}

/// Intends one call of a poll. Whether that could be done; otherwise the agent has failed.
pub(super) fn intend(
    draft: &mut Draft<'_>,
    assignment: AssignmentId,
    id: CallId,
    tool: &ToolName,
    args: &Map<String, Value>,
) -> bool {
    let Some(spec) = draft.facts.catalog.get(tool) else {
        let detail = format!("the tool `{tool}` that it measures with is not configured");
        fail::agent(draft, assignment, AgentFailure::WorkerLost { detail });
        return false;
    };
    let prepared = inject::prepare(&spec.schema, args, &intent::injected(draft));
    // A measurement waits for nobody: packs whose gate would have a person asked are refused when they are loaded.
    match intent::gate(draft, spec, &id, prepared, CallOrigin::Agent) {
        GateAnswer::Cleared(cleared) => {
            intent::record(draft, spec, id, cleared);
            true
        }
        GateAnswer::Asks(..) | GateAnswer::Denied(_) => {
            let detail = format!("the gate does not let `{tool}`, with which it measures, run by itself");
            fail::agent(draft, assignment, AgentFailure::WorkerLost { detail });
            false
        }
    }
}

/// Records what a poll came to: whether its condition was met, and whether it says that all is worse, which ends the watch.
pub(super) fn polled(draft: &mut Draft<'_>, assignment: AssignmentId, met: Option<bool>, worse: bool) {
    let Some((work, watch, plan)) = watching(draft, assignment) else { return };
    let streak = if met == Some(true) { watch.streak + 1 } else { 0 };
    let next = draft.facts.now.plus(plan.every());
    let recovered = streak >= plan.consecutive();
    // A claim that is under way decides first; the watch goes on if it is refused.
    let ends_at = draft.session.ends_at(work, draft.facts.fence, draft.facts.since);
    let over = (recovered || worse || next >= ends_at) && draft.session.claim().is_none();
    draft.push(WatchPolled { assignment, met, streak, next_at: if over { None } else { Some(next) } });
}
