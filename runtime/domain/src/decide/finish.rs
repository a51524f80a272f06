//! A turn's end: the envelope, one repair request, or the typed failure.

use std::sync::Arc;

use super::draft::Draft;
use super::fail;
use crate::call::CallOwner;
use crate::confidence::Confidence;
use crate::decode::decoded_value;
use crate::envelope::{self, Envelope, EnvelopeSource};
use crate::event::{AgentFinished, ConfidenceEmitted, ConfidenceMismatched, RepairRequested, ToolRefused};
use crate::failure::AgentFailure;
use crate::ids::{AssignmentId, CallId};
use crate::model::Arguments;
use crate::refusal::ToolRefusal;
use crate::work::Turn;

/// A tool's own confidence and the envelope's may differ by this much before it is recorded.
const TOLERANCE: Confidence = Confidence::TWENTIETH;

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
        Arguments::Json(args) => {
            envelope::from_args(args, &routes(draft, assignment)).map_err(|problem| problem.to_string())
        }
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
    let parsed = envelope::parse(&turn.text, &routes(draft, assignment))
        .map_err(|problem| Problem::Envelope(problem.to_string()));
    match parsed.and_then(|(envelope, source)| Ok((checked(draft, assignment, envelope)?, source))) {
        Ok((envelope, source)) => finish(draft, assignment, envelope, source),
        Err(problem) => repair(draft, assignment, problem),
    }
}

fn turn<'a>(draft: &'a Draft<'_>, assignment: AssignmentId) -> Option<&'a Turn> {
    draft.session.works().get(&assignment)?.turn()
}

/// The signals that lead somewhere from the agent at work.
fn routes<'a>(draft: &'a Draft<'_>, assignment: AssignmentId) -> Vec<&'a str> {
    let work = draft.session.works().get(&assignment);
    let agent = work.and_then(|work| draft.facts.pack.agents.get(&work.agent));
    agent.into_iter().flat_map(|agent| &agent.routes).map(|route| route.when.as_str()).collect()
}

/// The envelope, if the typed report in it holds: by the schema of its agent's role, and by the role's own checks.
fn checked(draft: &Draft<'_>, assignment: AssignmentId, mut envelope: Envelope) -> Result<Envelope, Problem> {
    let Some(work) = draft.session.works().get(&assignment) else { return Ok(envelope) };
    let Some(agent) = draft.facts.pack.agents.get(&work.agent) else { return Ok(envelope) };
    let roles = draft.facts.roles;
    let Some(schema) = agent.report_schema(roles) else { return Ok(envelope) };
    envelope.report = envelope.report.map(|report| Arc::new(decoded_value(&schema, &report)));
    let problems = match &envelope.report {
        Some(report) => agent.report_problems(roles, report, work, &draft.citations()),
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

/// Records the report. A confidence that a finding of the turn stated beats the envelope's.
pub(super) fn finish(draft: &mut Draft<'_>, assignment: AssignmentId, mut envelope: Envelope, source: EnvelopeSource) {
    let Some(work) = draft.session.works().get(&assignment) else { return };
    let Some((call, stated)) = work.stated.clone() else { return close(draft, assignment, envelope, source) };
    mismatch(draft, &call, stated, envelope.confidence);
    envelope.confidence = stated;
    close(draft, assignment, envelope, EnvelopeSource::FindingArguments);
}

/// Records that a tool's own confidence, which counts, and the envelope's differ by more than is meant by the same number.
pub(super) fn mismatch(draft: &mut Draft<'_>, call: &CallId, argument: Confidence, envelope: Confidence) {
    if argument.differs(envelope, TOLERANCE) {
        draft.push(ConfidenceMismatched { call: call.clone(), argument, envelope });
    }
}

/// Records the report as it is. Where it leads is the next step.
pub(super) fn close(draft: &mut Draft<'_>, assignment: AssignmentId, envelope: Envelope, source: EnvelopeSource) {
    let Some(work) = draft.session.works().get(&assignment) else { return };
    let citations = draft.citations();
    let evidence = work.evidence.iter().copied().filter(|seq| citations.takes(*seq)).collect();
    let agent = work.agent.clone();
    draft.push(ConfidenceEmitted { assignment, confidence: envelope.confidence, source });
    draft.push(AgentFinished { assignment, agent, envelope, evidence });
}
