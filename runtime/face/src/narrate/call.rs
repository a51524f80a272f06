//! Tool calls and what came of them.

use provost_domain::event::{
    CallReissued, FieldsPatched, FindingRecorded, ToolDeferred, ToolIntended, ToolRefused, ToolReturned,
};
use provost_domain::tool::{Happened, RecordedOutcome, ToolFailure};
use serde_json::json;

use super::detail::Detail;
use super::names::CallNames;
use super::narration::{Level, Narration, Tone};
use super::words::{effect, number, waiting};

pub(super) fn intended(e: &ToolIntended) -> Narration {
    let injected =
        if e.injected.is_empty() { String::new() } else { format!("; set by the session: {}", e.injected.join(", ")) };
    let mut narration = Narration::new(Level::Call, Tone::Busy, "→", "Calls")
        .name(e.tool.as_str())
        .text(format!("({}{injected}){}", effect(e.effect), claimed(e)))
        .key(Detail::value("arguments", &e.args));
    if !e.overridden.is_empty() {
        narration = narration.detail(Detail::value("the model had written", &json!(e.overridden)));
    }
    if !e.dropped.is_empty() {
        narration = narration.detail(Detail::passage("dropped arguments", &e.dropped.join(", ")));
    }
    narration
}

/// What no other session acts on until the outcome is known.
fn claimed(e: &ToolIntended) -> String {
    e.target
        .as_ref()
        .map_or_else(String::new, |target| format!(" on {target}, which no other session touches meanwhile"))
}

pub(super) fn returned(e: &ToolReturned, names: &CallNames) -> Narration {
    let tool = names.shown(&e.call);
    let say = |tone, glyph| Narration::new(Level::Call, tone, glyph, "").name(tool.as_str());
    match &e.outcome {
        RecordedOutcome::Ok { content } => say(Tone::Good, "←").text("returned").key(Detail::result(content)),
        RecordedOutcome::Empty { note } => say(Tone::Calm, "∅").text(format!("found nothing: {note}")),
        RecordedOutcome::Truncated { content, total_bytes } => say(Tone::Warn, "←")
            .text(format!("returned {} bytes, of which the first are kept", number(*total_bytes)))
            .key(Detail::result(content)),
        RecordedOutcome::Partial { content, why } => {
            say(Tone::Warn, "←").text(format!("returned a part only: {why}")).key(Detail::result(content))
        }
        RecordedOutcome::Failed { failure } => failed(say(Tone::Bad, "✕"), failure),
    }
}

fn failed(narration: Narration, failure: &ToolFailure) -> Narration {
    let text = match failure.happened {
        Happened::No => "failed; nothing was changed",
        Happened::Answered => "was carried out and failed; it may have changed a part",
        Happened::Maybe => "failed; it may have happened",
    };
    let narration = narration.text(text).key(Detail::passage("detail", &failure.detail));
    match failure.exit {
        Some(exit) => narration.detail(Detail::passage("exit code", &exit.to_string())),
        None => narration,
    }
}

pub(super) fn deferred(e: &ToolDeferred, names: &CallNames) -> Narration {
    let ToolDeferred { attempt, waiting_since, next_at, budget_ends_at, .. } = e;
    Narration::new(Level::Call, Tone::Warn, "⏸", "Waiting for")
        .name(names.shown(&e.call).as_str())
        .text(waiting(*attempt, *waiting_since, (*next_at, *budget_ends_at)))
        .key(Detail::passage("seen", &e.failure.detail))
}

pub(super) fn refused(e: &ToolRefused) -> Narration {
    Narration::new(Level::Call, Tone::Warn, "⊘", "Refused").name(&e.tool).text(e.refusal.to_string())
}

pub(super) fn reissued(e: &CallReissued, names: &CallNames) -> Narration {
    Narration::new(Level::Call, Tone::Warn, "↻", "Calls")
        .name(names.shown(&e.call).as_str())
        .text("again under the same key")
}

pub(super) fn patched(e: &FieldsPatched) -> Narration {
    Narration::new(Level::Call, Tone::Calm, "✎", "Fields changed").key(Detail::value("new values", &e.patch))
}

pub(super) fn finding(e: &FindingRecorded) -> Narration {
    Narration::new(Level::Call, Tone::Good, "◇", "Finding")
        .name(e.tool.as_str())
        .key(Detail::value("finding", &e.finding))
}
