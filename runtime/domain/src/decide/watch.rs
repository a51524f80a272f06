//! Measuring: done by code, never claimed by a model.

use serde_json::{Map, Value, json};

use super::draft::Draft;
use super::fail;
use super::finish::finish;
use super::intent::{self, CallOrigin, GateAnswer};
use crate::condition::{all_hold, lookup};
use crate::confidence::Confidence;
use crate::envelope::{Envelope, EnvelopeSource};
use crate::event::WatchPolled;
use crate::failure::AgentFailure;
use crate::ids::{AssignmentId, CallId};
use crate::inject;
use crate::pack::WatchSpec;
use crate::tool::ToolOutcome;
use crate::work::{Watch, Work};

/// The signals that a measurement gives.
const RECOVERED: &str = "recovered";
const NOT_RECOVERED: &str = "not_recovered";
const UNKNOWN: &str = "unknown";

fn watching<'a>(draft: &'a Draft<'_>, assignment: AssignmentId) -> Option<(&'a Work, &'a Watch, &'a WatchSpec)> {
    let work = draft.session.works().get(&assignment)?;
    let spec = draft.facts.pack.agents.get(&work.agent)?.watch.as_ref()?;
    Some((work, work.watch()?, spec))
}

/// Intends the next poll.
pub(super) fn poll(draft: &mut Draft<'_>, assignment: AssignmentId) {
    let Some((_, watch, spec)) = watching(draft, assignment) else {
        let detail = "the pack does not say what this agent measures".to_owned();
        return fail::agent(draft, assignment, AgentFailure::WorkerLost { detail });
    };
    let id = CallId::at(assignment, watch.polls + 1, 0);
    let Some(tool) = draft.facts.catalog.get(&spec.tool) else {
        let detail = format!("the tool `{}` that it measures with is not configured", spec.tool);
        return fail::agent(draft, assignment, AgentFailure::WorkerLost { detail });
    };
    let args = resolved(&spec.args, draft.session.fields());
    let prepared = inject::prepare(&tool.schema, &args, &intent::injected(draft));
    // A measurement waits for nobody: packs whose gate would have a person asked are refused when they are loaded.
    match intent::gate(draft, tool, &id, prepared, CallOrigin::Agent) {
        GateAnswer::Cleared(cleared) => intent::record(draft, tool, id, cleared),
        GateAnswer::Asks(..) | GateAnswer::Denied(_) => {
            let detail = format!("the gate does not let `{}`, with which it measures, run by itself", tool.name);
            fail::agent(draft, assignment, AgentFailure::WorkerLost { detail });
        }
    }
}

/// The arguments with every `{{ fields.NAME }}` replaced by the session's field.
fn resolved(args: &Value, fields: &Value) -> Map<String, Value> {
    let field = |text: &str| {
        let path = text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim().strip_prefix("fields.")?.to_owned();
        lookup(fields, &path).cloned()
    };
    let value_of = |value: &Value| value.as_str().and_then(field).unwrap_or_else(|| value.clone());
    args.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value_of(value))).collect()
}

/// Measures a poll that came back.
pub(super) fn measure(draft: &mut Draft<'_>, assignment: AssignmentId, outcome: &ToolOutcome) {
    let Some((work, watch, spec)) = watching(draft, assignment) else { return };
    let met = content_of(outcome).map(|content| all_hold(&spec.until, content));
    let streak = if met == Some(true) { watch.streak + 1 } else { 0 };
    let next = draft.facts.now.plus(spec.every);
    let recovered = streak >= spec.consecutive;
    // A claim that is under way decides first; the watch goes on if it is refused.
    let over = (recovered || next >= work.ends_at()) && draft.session.claim().is_none();
    draft.push(WatchPolled { assignment, met, streak, next_at: if over { None } else { Some(next) } });
}

/// The content of a tool result that is small enough to stand in its event.
fn content_of(outcome: &ToolOutcome) -> Option<&Value> {
    match outcome {
        ToolOutcome::Ok { content } | ToolOutcome::Truncated { content, .. } => Some(content),
        ToolOutcome::Empty { .. } | ToolOutcome::Failed { .. } => None,
    }
}

/// Polls when it is time, and ends the watch when its time is over.
pub(super) fn tick(draft: &mut Draft<'_>) {
    let watches: Vec<_> = draft.session.works().values().filter(|work| work.watch().is_some()).cloned().collect();
    for work in watches {
        tick_one(draft, &work);
    }
}

fn tick_one(draft: &mut Draft<'_>, work: &Work) {
    let facts = draft.facts;
    if facts.now >= work.ends_at() {
        return conclude(draft, work.assignment);
    }
    let Some((_, watch, spec)) = watching(draft, work.assignment) else { return };
    // No pause put it that far ahead: the clock was set back.
    let farthest = facts.now.plus(spec.every);
    let due = |at| facts.now >= at || at > farthest;
    if draft.session.all_settled(work) && watch.due_at(facts.fence, facts.since).is_some_and(due) {
        poll(draft, work.assignment);
    }
}

/// The watch's report: what was measured, nothing else.
pub(super) fn conclude(draft: &mut Draft<'_>, assignment: AssignmentId) {
    let Some((_, watch, spec)) = watching(draft, assignment) else {
        let detail = "the pack does not say what this agent measures".to_owned();
        return fail::agent(draft, assignment, AgentFailure::WorkerLost { detail });
    };
    let signal = signal_of(watch, spec);
    let content = format!(
        "{} polls of `{}`; the condition held {} times in a row, {} were asked for",
        watch.polls, spec.tool, watch.streak, spec.consecutive
    );
    let report = json!({
        "verdict": signal, "tool": spec.tool, "polls": watch.polls, "in_a_row": watch.streak, "asked_for": spec.consecutive,
    });
    let envelope = Envelope {
        content,
        confidence: Confidence::FULL,
        rationale: "measured by the runtime".to_owned(),
        signal: Some(signal.to_owned()),
        unmatched: None,
        report: Some(report.into()),
    };
    finish(draft, assignment, envelope, EnvelopeSource::Measured);
}

fn signal_of(watch: &Watch, spec: &WatchSpec) -> &'static str {
    match watch.met {
        Some(true) if watch.streak >= spec.consecutive => RECOVERED,
        Some(_) => NOT_RECOVERED,
        None => UNKNOWN,
    }
}
