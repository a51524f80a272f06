//! Measuring: done by code, never claimed by a model.

use serde_json::{Map, Value, json};

use super::draft::Draft;
use super::fail;
use super::finish::finish;
use super::intent::{self, CallOrigin, GateAnswer};
use crate::condition::{all_met, lookup};
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
    let met = measured(outcome).and_then(|content| all_met(&spec.until, content));
    let streak = if met == Some(true) { watch.streak + 1 } else { 0 };
    let next = draft.facts.now.plus(spec.every);
    let recovered = streak >= spec.consecutive;
    // A claim that is under way decides first; the watch goes on if it is refused.
    let ends_at = draft.session.ends_at(work, draft.facts.fence, draft.facts.since);
    let over = (recovered || next >= ends_at) && draft.session.claim().is_none();
    draft.push(WatchPolled { assignment, met, streak, next_at: if over { None } else { Some(next) } });
}

/// What a tool result measures. What is cut, or not the whole truth by its own word, measures nothing: the number that
/// matters may be in the part that is missing.
fn measured(outcome: &ToolOutcome) -> Option<&Value> {
    match outcome {
        ToolOutcome::Ok { content } => Some(content),
        ToolOutcome::Truncated { .. }
        | ToolOutcome::Partial { .. }
        | ToolOutcome::Empty { .. }
        | ToolOutcome::Failed { .. } => None,
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
    if facts.now >= draft.session.ends_at(work, facts.fence, facts.since) {
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
        "{} polls of `{}`, of which {} could not tell; the condition held {} times in a row, {} were asked for",
        watch.polls, spec.tool, watch.untold, watch.streak, spec.consecutive
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

/// Recovered and not recovered are both measured: what cannot be told is neither. The condition was not met for sure only
/// when a poll that could tell broke the run of those that met it, or was the last.
fn signal_of(watch: &Watch, spec: &WatchSpec) -> &'static str {
    match watch.met {
        Some(true) if watch.streak >= spec.consecutive => RECOVERED,
        Some(true) if watch.unmet => NOT_RECOVERED,
        Some(false) => NOT_RECOVERED,
        Some(true) | None => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ids::ToolName;

    #[track_caller]
    fn check(polls: &[Option<bool>], expect: &str) {
        let spec = WatchSpec {
            tool: ToolName::new("a:b"),
            args: json!({}),
            until: Vec::new(),
            every: Duration::ZERO,
            consecutive: 2,
        };
        let mut watch = Watch::default();
        for met in polls {
            watch.measured(*met, if *met == Some(true) { watch.streak + 1 } else { 0 });
        }
        assert_eq!(signal_of(&watch, &spec), expect, "{polls:?}");
    }

    #[test]
    fn what_cannot_be_told_is_neither_recovered_nor_not() {
        let (yes, no, open) = (Some(true), Some(false), None);
        check(&[yes, yes], RECOVERED);
        check(&[open, no, yes, yes], RECOVERED);
        check(&[no], NOT_RECOVERED);
        check(&[open, no], NOT_RECOVERED);
        check(&[no, yes], NOT_RECOVERED);
        check(&[yes, no, yes], NOT_RECOVERED);
        for polls in
            [&[][..], &[open], &[no, open], &[yes, open], &[yes], &[open, yes], &[no, open, yes], &[yes, open, yes]]
        {
            check(polls, UNKNOWN);
        }
    }

    #[test]
    fn only_a_whole_answer_measures() {
        let content = json!({"value": 0.0});
        let part = ToolOutcome::Partial { content: content.clone(), why: "a store is down".to_owned() };
        let cut = ToolOutcome::Truncated { content: content.clone(), total_bytes: 9 };
        for outcome in [part, cut, ToolOutcome::Empty { note: String::new() }] {
            assert_eq!(measured(&outcome), None, "{outcome:?}");
        }
        assert_eq!(measured(&ToolOutcome::Ok { content: content.clone() }), Some(&content));
    }
}
