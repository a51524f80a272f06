//! Measuring: done by code, never claimed by a model.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::draft::Draft;
use super::fail;
use super::finish::finish;
use super::measure;
use super::polling::{intend, plan, polled, watching};
use crate::condition::{all_met, lookup};
use crate::confidence::Confidence;
use crate::envelope::{Envelope, EnvelopeSource};
use crate::failure::AgentFailure;
use crate::ids::{AssignmentId, CallId};
use crate::pack::WatchPlan;
use crate::tool::ToolOutcome;
use crate::work::{Watch, Work};

/// The signals that a measurement gives.
const RECOVERED: &str = "recovered";
const NOT_RECOVERED: &str = "not_recovered";
const UNKNOWN: &str = "unknown";

/// Intends the next poll.
pub(super) fn poll(draft: &mut Draft<'_>, assignment: AssignmentId) {
    let Some((plan, polls)) = plan(draft, assignment) else {
        let detail = "the pack does not say what this agent measures".to_owned();
        return fail::agent(draft, assignment, AgentFailure::WorkerLost { detail });
    };
    match plan {
        WatchPlan::Single(spec) => {
            let args = resolved(&spec.args, draft.session.fields());
            intend(draft, assignment, CallId::at(assignment, polls + 1, 0), &spec.tool, &args);
        }
        WatchPlan::Several(spec) => measure::poll(draft, assignment, spec, polls + 1),
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
pub(super) fn measure(draft: &mut Draft<'_>, assignment: AssignmentId, call: &CallId, outcome: &ToolOutcome) {
    match plan(draft, assignment) {
        Some((WatchPlan::Single(spec), _)) => {
            let met = measured(outcome).and_then(|content| all_met(&spec.until, content));
            polled(draft, assignment, met, false);
        }
        Some((WatchPlan::Several(spec), _)) => measure::read(draft, assignment, spec, call, measured(outcome)),
        None => {}
    }
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
    let Some((_, watch, plan)) = watching(draft, work.assignment) else { return };
    // No pause put it that far ahead: the clock was set back.
    let farthest = facts.now.plus(plan.every().max(plan.settle()));
    let due = |at| facts.now >= at || at > farthest;
    if draft.session.all_settled(work) && watch.due_at(facts.fence, facts.since).is_some_and(due) {
        poll(draft, work.assignment);
    }
}

/// The watch's report: what was measured, nothing else.
pub(super) fn conclude(draft: &mut Draft<'_>, assignment: AssignmentId) {
    let Some((_, watch, plan)) = watching(draft, assignment) else {
        let detail = "the pack does not say what this agent measures".to_owned();
        return fail::agent(draft, assignment, AgentFailure::WorkerLost { detail });
    };
    let signal = signal_of(watch, plan.consecutive());
    let with: Vec<_> =
        plan.tools().into_iter().map(|tool| format!("`{tool}`")).collect::<BTreeSet<_>>().into_iter().collect();
    let content = format!(
        "{} polls of {}, of which {} could not tell; the condition held {} times in a row, {} were asked for",
        watch.polls,
        with.join(", "),
        watch.untold,
        watch.streak,
        plan.consecutive()
    );
    let (polls, in_a_row, asked_for) = (watch.polls, watch.streak, plan.consecutive());
    let report = match plan {
        WatchPlan::Single(spec) => json!({
            "verdict": signal, "polls": polls, "in_a_row": in_a_row, "asked_for": asked_for, "tool": spec.tool,
        }),
        WatchPlan::Several(_) => json!({
            "verdict": signal, "polls": polls, "in_a_row": in_a_row, "asked_for": asked_for,
            "measurements": watch.readings,
        }),
    };
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
fn signal_of(watch: &Watch, consecutive: u32) -> &'static str {
    match watch.met {
        Some(true) if watch.streak >= consecutive => RECOVERED,
        Some(true) if watch.unmet => NOT_RECOVERED,
        Some(false) => NOT_RECOVERED,
        Some(true) | None => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(polls: &[Option<bool>], expect: &str) {
        let mut watch = Watch::default();
        for met in polls {
            watch.measured(*met, if *met == Some(true) { watch.streak + 1 } else { 0 });
        }
        assert_eq!(signal_of(&watch, 2), expect, "{polls:?}");
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
