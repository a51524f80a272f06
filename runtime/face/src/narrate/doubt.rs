//! Calls of which nobody knows whether they happened.

use provost_domain::event::{CallProbed, OutcomeSettled, OutcomeUnknown, ProbeFinding, ProbeRequested, Settlement};

use super::detail::Detail;
use super::names::CallNames;
use super::narration::{Level, Narration, Tone};

pub(super) fn unknown(e: &OutcomeUnknown, names: &CallNames) -> Narration {
    Narration::new(Level::Call, Tone::Bad, "?", "Nobody knows whether this happened:")
        .name(names.shown(&e.call).as_str())
        .text(&e.cause)
}

pub(super) fn probe_requested(e: &ProbeRequested, names: &CallNames) -> Narration {
    Narration::new(Level::Call, Tone::Warn, "?", "Asks the tool whether this happened:")
        .name(names.shown(&e.call).as_str())
        .text(&e.cause)
}

pub(super) fn probed(e: &CallProbed, names: &CallNames) -> Narration {
    let (tone, glyph, text) = match &e.finding {
        ProbeFinding::Happened => (Tone::Good, "✓", "says that it happened".to_owned()),
        ProbeFinding::DidNotHappen => (Tone::Calm, "○", "says that it did not happen".to_owned()),
        ProbeFinding::CannotTell { detail } => (Tone::Warn, "?", format!("cannot tell whether it happened: {detail}")),
    };
    Narration::new(Level::Call, tone, glyph, "").name(names.shown(&e.call).as_str()).text(text)
}

pub(super) fn settled(e: &OutcomeSettled, names: &CallNames) -> Narration {
    let (lead, note) = match &e.settlement {
        Settlement::Happened { note } => ("Settled that it happened:", note),
        Settlement::DidNotHappen { note } => ("Settled that it did not happen:", note),
        Settlement::GiveUp { note } => ("Settled that nobody will find out:", note),
    };
    let narration = Narration::new(Level::Call, Tone::Calm, "✎", lead).name(names.shown(&e.call).as_str()).by(&e.by);
    if note.is_empty() { narration } else { narration.key(Detail::passage("note", note)) }
}
