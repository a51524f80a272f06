//! An agent ended without a report.

use super::draft::{Draft, runtime};
use super::stop;
use crate::event::AgentFailed;
use crate::failure::AgentFailure;
use crate::ids::AssignmentId;

/// Records it. What follows is the retry policy's: the next step.
pub(super) fn agent(draft: &mut Draft<'_>, assignment: AssignmentId, failure: AgentFailure) {
    let Some(work) = draft.session.works().get(&assignment) else { return };
    let agent = work.agent.clone();
    // A silent worker may leave approvals pending and calls under way; neither may outlive its assignment.
    stop::abandon(draft, &runtime(), "the agent failed while this call was being made");
    draft.push(AgentFailed { assignment, agent, failure });
}
