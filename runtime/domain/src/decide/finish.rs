//! A turn's end: the envelope, one repair request, or the typed failure.

use std::sync::Arc;

use super::draft::Draft;
use super::fail;
use crate::call::CallOwner;
use crate::envelope::{self, Envelope, EnvelopeSource};
use crate::event::{AgentFinished, ConfidenceEmitted, RepairRequested, ToolRefused};
use crate::failure::AgentFailure;
use crate::ids::{AssignmentId, CallId};
use crate::model::Arguments;
use crate::refusal::ToolRefusal;
use crate::work::Turn;

/// Why a reply is not the end of its turn, in words for the model.
enum Problem {
    /// It could not be read.
    Envelope(String),
    /// It was read, and the typed report in it does not hold.
    Report(String),
}

/// The `finish_turn` tool.
pub(super) fn by_tool(draft: &mut Draft<'_>, id: &CallId) {
    let Some(call) = draft.session.call(id) else { return };
    let CallOwner::Work(assignment) = call.owner else { return };
    let (wire, args) = (call.wire.clone(), Arc::clone(&call.args));
    let parsed = match &*args {
        Arguments::Json(args) => envelope::from_args(args).map_err(|problem| problem.to_string()),
        Arguments::Broken(text) => Err(text.clone()),
    };
    let checked = parsed.map_err(Problem::Envelope).and_then(|envelope| checked(draft, assignment, envelope));
    match checked {
        Ok(envelope) => finish(draft, assignment, envelope, EnvelopeSource::FinishTool),
        Err(problem) => {
            let (Problem::Envelope(what) | Problem::Report(what)) = &problem;
            let refusal = ToolRefusal::InvalidArguments { problems: vec![what.clone()] };
            draft.push(ToolRefused { call: id.clone(), tool: wire, refusal });
            repair(draft, assignment, problem);
        }
    }
}

/// A reply without calls.
pub(super) fn by_text(draft: &mut Draft<'_>, assignment: AssignmentId) {
    let Some(turn) = turn(draft, assignment) else { return };
    let parsed = envelope::parse(&turn.text).map_err(|problem| Problem::Envelope(problem.to_string()));
    match parsed.and_then(|(envelope, source)| Ok((checked(draft, assignment, envelope)?, source))) {
        Ok((envelope, source)) => finish(draft, assignment, envelope, source),
        Err(problem) => repair(draft, assignment, problem),
    }
}

fn turn<'a>(draft: &'a Draft<'_>, assignment: AssignmentId) -> Option<&'a Turn> {
    draft.session.works().get(&assignment)?.turn()
}

/// The envelope, if the typed report in it holds: by the schema of its agent's role, and by the role's own checks.
fn checked(draft: &Draft<'_>, assignment: AssignmentId, envelope: Envelope) -> Result<Envelope, Problem> {
    let Some(work) = draft.session.works().get(&assignment) else { return Ok(envelope) };
    let Some(agent) = draft.facts.pack.agents.get(&work.agent) else { return Ok(envelope) };
    let roles = draft.facts.roles;
    if roles.report_schema(&agent.role.name).is_none() {
        return Ok(envelope);
    }
    let problems = match &envelope.report {
        Some(report) => roles.problems_of(report, work, &draft.session),
        None if agent.report_required => vec!["the argument `report` is missing".to_owned()],
        None => Vec::new(),
    };
    if problems.is_empty() { Ok(envelope) } else { Err(Problem::Report(problems.join("; "))) }
}

/// Sends the reply back once; a second one that is not the end of its turn is a typed failure. No confidence is ever made up.
fn repair(draft: &mut Draft<'_>, assignment: AssignmentId, problem: Problem) {
    let Some(turn) = turn(draft, assignment) else { return };
    if turn.repaired {
        let failure = match problem {
            Problem::Envelope(detail) => AgentFailure::EnvelopeMissing { detail },
            Problem::Report(detail) => AgentFailure::ReportInvalid { detail },
        };
        return fail::agent(draft, assignment, failure);
    }
    let problem = match problem {
        Problem::Envelope(what) => {
            format!("Your reply could not be read as the end of your turn: {what}. Call `finish_turn`.")
        }
        Problem::Report(what) => {
            format!("Your report does not hold: {what}. Call `finish_turn` again with a corrected `report`.")
        }
    };
    draft.push(RepairRequested { assignment, problem });
}

/// Records the report. Where it leads is the next step.
pub(super) fn finish(draft: &mut Draft<'_>, assignment: AssignmentId, envelope: Envelope, source: EnvelopeSource) {
    let Some(work) = draft.session.works().get(&assignment) else { return };
    let (agent, evidence) = (work.agent.clone(), work.evidence.clone());
    draft.push(ConfidenceEmitted { assignment, confidence: envelope.confidence, source });
    draft.push(AgentFinished { assignment, agent, envelope, evidence });
}
