//! Model calls.

use provost_domain::event::{ModelDeferred, ModelFailed, ModelReplied, ModelRequested, RepairRequested};
use provost_domain::model::Arguments;
use serde_json::{Value, json};

use super::detail::Detail;
use super::narration::{Level, Narration, Tone};
use super::words::{number, waiting};

pub(super) fn requested(e: &ModelRequested) -> Narration {
    let model = e.model.as_ref().map_or_else(|| "the model".to_owned(), |model| format!("model {model}"));
    let at = e.server.as_ref().map(|server| format!("at {server}, ")).unwrap_or_default();
    let narration = Narration::new(Level::Minor, Tone::Calm, "·", format!("Round {}: asks", e.round))
        .name(&model)
        .text(format!("{at}{} tokens reserved", number(e.reserved)));
    match e.body_sha256 {
        Some(digest) => narration.detail(Detail::passage("SHA-256 of the request", &digest.hex())),
        None => narration,
    }
}

/// A reply that only asks for calls is bookkeeping: each call has events of its own.
pub(super) fn replied(e: &ModelReplied) -> Narration {
    let usage = e.reply.usage;
    let level = if e.reply.text.is_empty() { Level::Minor } else { Level::Turn };
    let marked = if usage.estimated { ", estimated: the server counts none" } else { "" };
    let (input, output) = (number(usage.input + usage.cached), number(usage.output));
    let tokens = format!("{input} tokens in, {output} out{marked}");
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
    if let Some(model) = &e.reply.model {
        narration = narration.detail(Detail::passage("answered by", model));
    }
    if let Some(finish) = &e.reply.finish {
        narration = narration.detail(Detail::passage("ended because", finish));
    }
    if !e.reply.opaque.is_empty() {
        let items = format!("{} items", e.reply.opaque.len());
        narration = narration.detail(Detail::passage("kept for the server alone", &items));
    }
    if e.reply.dropped_opaque > 0 {
        let items = format!("{} items that only the server can read", e.reply.dropped_opaque);
        narration = narration.detail(Detail::passage("dropped", &items));
    }
    if e.reply.dropped_calls > 0 {
        narration = narration.detail(Detail::passage("dropped", &format!("{} calls too many", e.reply.dropped_calls)));
    }
    narration
}

pub(super) fn deferred(e: &ModelDeferred) -> Narration {
    let ModelDeferred { attempt, waiting_since, next_at, budget_ends_at, .. } = e;
    Narration::new(Level::Turn, Tone::Warn, "⏸", "Waiting for the model")
        .text(waiting(*attempt, *waiting_since, (*next_at, *budget_ends_at)))
        .key(Detail::passage("seen", &e.failure.to_string()))
}

pub(super) fn failed(e: &ModelFailed) -> Narration {
    Narration::new(Level::Turn, Tone::Bad, "✕", "The model call failed:").text(e.failure.to_string())
}

pub(super) fn repair_requested(e: &RepairRequested) -> Narration {
    Narration::new(Level::Turn, Tone::Warn, "↻", "Asked the model to correct its reply")
        .key(Detail::passage("problem", &e.problem))
}
