//! The session itself.

use provost_domain::event::{
    CaseAcknowledged, CatalogueChanged, LimitReached, NoteAdded, RetryStarted, SessionCreated, SessionErased,
    SessionStarted, SignalReceived, StatusChanged, StopRequested,
};
use serde_json::json;

use super::detail::Detail;
use super::narration::{Level, Narration, Tone};
use super::status::StatusView;
use super::words::{number, word};

pub(super) fn created(e: &SessionCreated) -> Narration {
    Narration::new(Level::Session, Tone::Calm, "○", "Opened")
        .name(e.handle.as_str())
        .text(format!("from pack {} version {} by {}", e.pack, e.pack_version, e.by))
        .detail(Detail::value("fields", &e.fields))
}

pub(super) fn catalogue_changed(e: &CatalogueChanged) -> Narration {
    let changed = [(e.catalogue_before, e.catalogue_digest, "tools"), (e.roles_before, e.roles_digest, "roles")];
    let differ = changed.into_iter().filter(|(before, now, _)| *before != Some(*now));
    let words: Vec<_> = differ.clone().map(|(_, _, word)| word).collect();
    let narration = Narration::new(Level::Session, Tone::Warn, "≠", "Goes on with other")
        .name(words.join(" and "))
        .text("than it had so far");
    differ.fold(narration, |narration, (before, now, word)| {
        let before = before.map_or_else(|| "not noted".to_owned(), |digest| digest.hex());
        narration.detail(Detail::passage(word, &format!("before: {before}\nnow: {}", now.hex())))
    })
}

pub(super) fn started(e: &SessionStarted) -> Narration {
    Narration::new(Level::Minor, Tone::Calm, "·", "Started").by(&e.by)
}

pub(super) fn signal(e: &SignalReceived) -> Narration {
    Narration::new(Level::Session, Tone::Busy, "⇣", "Signal from")
        .name(&e.source)
        .detail(Detail::value("payload", &e.payload))
}

pub(super) fn note(e: &NoteAdded) -> Narration {
    Narration::new(Level::Session, Tone::Calm, "✎", "Note").by(&e.by).key(Detail::passage("note", &e.text))
}

pub(super) fn acknowledged(e: &CaseAcknowledged) -> Narration {
    Narration::new(Level::Session, Tone::Calm, "☝", "Acknowledged").by(&e.by)
}

pub(super) fn limit(e: &LimitReached) -> Narration {
    let text = format!("{}, bound {}", word(&json!(e.limit)), number(e.bound));
    Narration::new(Level::Session, Tone::Warn, "▲", "Limit reached:").text(text)
}

pub(super) fn stop_requested(e: &StopRequested) -> Narration {
    Narration::new(Level::Session, Tone::Warn, "■", "Stop requested")
        .by(&e.by)
        .key(Detail::passage("reason", &e.reason))
}

pub(super) fn retried(e: &RetryStarted) -> Narration {
    let lead = format!("Retry {}: {}", e.count, word(&json!(e.reason)));
    Narration::new(Level::Session, Tone::Busy, "↻", lead).by(&e.by)
}

pub(super) fn erased(e: &SessionErased) -> Narration {
    Narration::new(Level::Session, Tone::Bad, "⌫", "Erased").text(format!("by {}: {}", e.by, e.reason))
}

pub(super) fn status_changed(e: &StatusChanged) -> Narration {
    let to = StatusView::new(e.to_status().as_str(), None);
    Narration::new(Level::Session, to.tone, to.glyph, "Status").name(&to.text).text(format!(
        "{} · by {}",
        e.reason(),
        e.by()
    ))
}
