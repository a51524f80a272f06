//! An agent is given work.

use super::draft::{Draft, runtime};
use super::round;
use crate::event::{AssignmentIssued, Limit};
use crate::ids::AgentName;
use crate::pack::WatchPlan;
use crate::terminal::FrameworkStatus;

pub(super) fn assign(draft: &mut Draft<'_>, name: &AgentName) {
    let facts = draft.facts;
    let Some(agent) = facts.pack.agents.get(name) else {
        let reason = format!("the pack has no agent `{name}`");
        draft.set_status(FrameworkStatus::NeedsReview, reason, &runtime());
        return;
    };
    let bound = facts.pack.limits.assignments_per_session;
    if draft.session.last_assignment().0 >= u64::from(bound) {
        return round::limit_reached(draft, None, Limit::Assignments, u64::from(bound));
    }
    let briefing = facts.roles.brief(&draft.session, agent, facts.pack);
    let assignment = draft.session.last_assignment().next();
    draft.push(AssignmentIssued {
        assignment,
        agent: name.clone(),
        role: agent.role.name.clone(),
        work: agent.role.work,
        briefing: briefing.into(),
        deadline_at: facts.now.plus(agent.deadline),
        measure_from: agent
            .watch
            .as_ref()
            .map(WatchPlan::settle)
            .filter(|settle| !settle.is_zero())
            .map(|settle| facts.now.plus(settle)),
    });
}
