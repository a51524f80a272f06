//! Model calls.

use provost_domain::event::{ModelFailed, ModelReplied, ModelRequested, RepairRequested};
use provost_domain::model::Arguments;
use serde_json::{Value, json};

use super::detail::Detail;
use super::narration::{Level, Narration, Tone};
use super::words::number;

pub(super) fn requested(e: &ModelRequested) -> Narration {
    Narration::new(Level::Minor, Tone::Calm, "·", format!("Round {}: asks the model,", e.round))
        .text(format!("{} tokens reserved", number(e.reserved)))
}

/// A reply that only asks for calls is bookkeeping: each call has events of its own.
pub(super) fn replied(e: &ModelReplied) -> Narration {
    let usage = e.reply.usage;
    let level = if e.reply.text.is_empty() { Level::Minor } else { Level::Turn };
    let tokens = format!("{} tokens in, {} out", number(usage.input + usage.cached), number(usage.output));
    let mut narration = Narration::new(level, Tone::Calm, "↳", format!("Round {}:", e.round)).text(tokens);
    if !e.reply.text.is_empty() {
        narration = narration.key(Detail::passage("says", &e.reply.text));
    }
    for call in &e.reply.calls {
        let args = match &*call.args {
            Arguments::Json(value) => value.clone(),
            Arguments::Broken(text) => Value::String(text.clone()),
        };
        narration = narration.detail(Detail::value("asks for", &json!({ &call.tool: args })));
    }
    if e.reply.dropped_calls > 0 {
        narration = narration.detail(Detail::passage("dropped", &format!("{} calls too many", e.reply.dropped_calls)));
    }
    narration
}

pub(super) fn failed(e: &ModelFailed) -> Narration {
    Narration::new(Level::Turn, Tone::Bad, "✕", "The model call failed:").text(e.failure.to_string())
}

pub(super) fn repair_requested(e: &RepairRequested) -> Narration {
    Narration::new(Level::Turn, Tone::Warn, "↻", "Asked the model to correct its reply")
        .key(Detail::passage("problem", &e.problem))
}
