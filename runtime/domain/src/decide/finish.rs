//! A turn's end: the envelope, one repair request, or the typed failure.

use serde_json::Value;

use super::draft::Draft;
use super::{flow, route};
use crate::envelope::{self, Envelope, EnvelopeSource};
use crate::event::{AgentFinished, ConfidenceEmitted, RepairRequested, ToolRefused};
use crate::failure::AgentFailure;
use crate::ids::CallId;
use crate::model::Arguments;
use crate::refusal::ToolRefusal;

/// The `finish_turn` tool.
pub(super) fn by_tool(draft: &mut Draft<'_>, id: &CallId) {
    let Some(call) = draft.session.call(id) else { return };
    let (wire, args) = (call.wire.clone(), std::sync::Arc::clone(&call.args));
    let parsed = match &*args {
        Arguments::Json(args) => envelope::from_args(args).map_err(|problem| problem.to_string()),
        Arguments::Broken(text) => Err(text.clone()),
    };
    match parsed {
        Ok(envelope) => finish(draft, &envelope, EnvelopeSource::FinishTool),
        Err(problem) => {
            let refusal = ToolRefusal::InvalidArguments { problems: vec![problem.clone()] };
            draft.push(ToolRefused { call: id.clone(), tool: wire, refusal });
            repair(draft, &problem);
        }
    }
}

/// A reply without calls.
pub(super) fn by_text(draft: &mut Draft<'_>) {
    let Some(turn) = draft.session.turn() else { return };
    match envelope::parse(&turn.text) {
        Ok((envelope, source)) => finish(draft, &envelope, source),
        Err(problem) => repair(draft, &problem.to_string()),
    }
}

/// Sends the reply back once; a second one without an envelope is a typed failure. No confidence is ever made up.
fn repair(draft: &mut Draft<'_>, problem: &str) {
    let Some(turn) = draft.session.turn() else { return };
    if turn.repaired {
        return flow::agent_failed(draft, AgentFailure::EnvelopeMissing { detail: problem.to_owned() });
    }
    let assignment = turn.assignment;
    let problem = format!("Your reply could not be read as the end of your turn: {problem}. Call `finish_turn`.");
    draft.push(RepairRequested { assignment, problem });
    flow::next_round(draft);
}

/// Records the report and follows its route.
pub(super) fn finish(draft: &mut Draft<'_>, envelope: &Envelope, source: EnvelopeSource) {
    let Some(turn) = draft.session.turn() else { return };
    let (assignment, agent, evidence) = (turn.assignment, turn.agent.clone(), turn.evidence.clone());
    draft.push(ConfidenceEmitted { assignment, confidence: envelope.confidence, source });
    draft.push(AgentFinished { assignment, agent: agent.clone(), envelope: envelope.clone(), evidence });
    route::decide(draft, &agent, envelope);
}

/// The content of a tool result that is small enough to stand in its event.
pub(super) fn content_of(outcome: &crate::tool::ToolOutcome) -> Option<&Value> {
    use crate::tool::ToolOutcome;
    match outcome {
        ToolOutcome::Ok { content } | ToolOutcome::Truncated { content, .. } => Some(content),
        ToolOutcome::Empty { .. } | ToolOutcome::Failed { .. } => None,
    }
}
