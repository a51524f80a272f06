//! Statuses in words and signs.

use provost_domain::pack::{OutcomeKind, Pack};

use super::narration::Tone;

/// A status as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusView {
    /// The status's own word.
    pub word: String,
    /// The word for reading.
    pub text: String,
    /// A sign before it.
    pub glyph: &'static str,
    /// Whether it is good news.
    pub tone: Tone,
}

impl StatusView {
    /// A status of a session of this pack, if the pack is loaded: it says what its outcomes mean.
    pub fn new(word: &str, pack: Option<&Pack>) -> Self {
        let (glyph, tone) = match word {
            "new" => ("○", Tone::Calm),
            "in_progress" => ("▶", Tone::Busy),
            "awaiting_input" => ("●", Tone::Ask),
            "needs_review" => ("▲", Tone::Warn),
            "error" => ("✕", Tone::Bad),
            "stopped" => ("■", Tone::Calm),
            outcome => match pack.and_then(|pack| pack.outcomes.get(outcome)) {
                Some(OutcomeKind::Success) => ("✓", Tone::Good),
                Some(OutcomeKind::Failure) => ("✗", Tone::Warn),
                Some(OutcomeKind::Escalation) => ("↗", Tone::Warn),
                Some(OutcomeKind::Neutral) | None => ("◆", Tone::Calm),
            },
        };
        Self { word: word.to_owned(), text: word.replace('_', " "), glyph, tone }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_sign_of_its_own() {
        let words = ["new", "in_progress", "awaiting_input", "needs_review", "error", "stopped", "of a pack"];
        let signs: std::collections::BTreeSet<_> = words.iter().map(|word| StatusView::new(word, None).glyph).collect();
        assert_eq!(signs.len(), words.len());
        assert_eq!(StatusView::new("awaiting_input", None).text, "awaiting input");
    }
}
