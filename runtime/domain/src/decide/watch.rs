//! The watcher's turn: measured by code, never claimed by a model.

use serde_json::{Map, Value};

use super::call;
use super::draft::Draft;
use super::finish::{content_of, finish};
use super::flow;
use crate::condition::{all_hold, lookup};
use crate::envelope::{Envelope, EnvelopeSource};
use crate::event::WatchPolled;
use crate::failure::AgentFailure;
use crate::ids::CallId;
use crate::inject;
use crate::pack::{RoleKind, WatchSpec};
use crate::session::Turn;
use crate::time::Timestamp;
use crate::tool::ToolOutcome;

/// The signals a watcher gives.
const RECOVERED: &str = "recovered";
const NOT_RECOVERED: &str = "not_recovered";
const UNKNOWN: &str = "unknown";

fn spec<'a>(draft: &Draft<'a>) -> Option<&'a WatchSpec> {
    let turn = draft.session.turn().filter(|turn| turn.role == RoleKind::Watcher)?;
    draft.facts.pack.agents.get(&turn.agent)?.watch.as_ref()
}

/// Intends the next poll.
pub(super) fn poll(draft: &mut Draft<'_>) {
    let (Some(watch), Some(turn)) = (spec(draft), draft.session.turn()) else { return };
    let id = CallId::at(turn.assignment, turn.watch.polls + 1, 0);
    let Some(tool) = draft.facts.catalog.get(&watch.tool) else {
        let detail = format!("the watcher's tool `{}` is not configured", watch.tool);
        return flow::agent_failed(draft, AgentFailure::WorkerLost { detail });
    };
    let args = resolved(&watch.args, draft.session.fields());
    let session = &draft.session;
    let values = inject::values(&draft.facts.pack.inject, session.id(), session.handle(), session.fields());
    let prepared = inject::prepare(&tool.schema, &args, &values);
    call::intend(draft, tool, id, prepared);
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
pub(super) fn measure(draft: &mut Draft<'_>, outcome: &ToolOutcome) {
    let (Some(watch), Some(turn)) = (spec(draft), draft.session.turn()) else { return };
    let met = content_of(outcome).map(|content| all_hold(&watch.until, content));
    let streak = if met == Some(true) { turn.watch.streak + 1 } else { 0 };
    let next = draft.facts.now.plus(watch.every);
    let recovered = streak >= watch.consecutive;
    // A claim that is under way decides first; the watch goes on if it is refused.
    let over = (recovered || next >= turn.ends_at()) && draft.session.claim().is_none();
    let assignment = turn.assignment;
    draft.push(WatchPolled { assignment, met, streak, next_at: if over { None } else { Some(next) } });
    if over {
        conclude(draft);
    }
}

/// Polls when it is time, and ends the watch when its time is over.
pub(super) fn tick(draft: &mut Draft<'_>) {
    let Some(turn) = draft.session.turn().filter(|turn| turn.role == RoleKind::Watcher) else { return };
    let facts = draft.facts;
    if facts.now >= turn.ends_at() {
        return conclude(draft);
    }
    // No pause put it that far ahead: the clock was set back.
    let farthest = spec(draft).map_or(Timestamp::from_micros(i64::MAX), |watch| facts.now.plus(watch.every));
    let due = |at| facts.now >= at || at > farthest;
    if turn.all_settled() && turn.watch.due_at(facts.fence, facts.since).is_some_and(due) {
        poll(draft);
    }
}

/// The watch's report: what was measured, nothing else.
fn conclude(draft: &mut Draft<'_>) {
    let (Some(watch), Some(turn)) = (spec(draft), draft.session.turn()) else { return };
    let signal = signal_of(turn, watch);
    let content = format!(
        "{} polls of `{}`; the condition held {} times in a row, {} were asked for",
        turn.watch.polls, watch.tool, turn.watch.streak, watch.consecutive
    );
    let envelope = Envelope {
        content,
        confidence: 1.0,
        rationale: "measured by the runtime".to_owned(),
        signal: Some(signal.to_owned()),
    };
    finish(draft, &envelope, EnvelopeSource::Measured);
}

fn signal_of(turn: &Turn, watch: &WatchSpec) -> &'static str {
    match turn.watch.met {
        Some(true) if turn.watch.streak >= watch.consecutive => RECOVERED,
        Some(_) => NOT_RECOVERED,
        None => UNKNOWN,
    }
}
