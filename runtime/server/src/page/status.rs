//! Statuses in words and signs: nothing on the page is told by colour alone.

use provost_domain::pack::{OutcomeKind, Pack};

/// A status as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StatusView {
    /// The status's own word.
    pub(crate) word: String,
    /// The word for reading.
    pub(crate) text: String,
    /// A sign before it.
    pub(crate) sign: &'static str,
    /// `busy`, `ask`, `good`, `bad`, `warn` or `calm`.
    pub(crate) tone: &'static str,
}

/// A status of a session of this pack, if the pack is loaded.
pub(crate) fn status(word: &str, pack: Option<&Pack>) -> StatusView {
    let (sign, tone) = match word {
        "new" => ("○", "calm"),
        "in_progress" => ("▶", "busy"),
        "awaiting_input" => ("●", "ask"),
        "needs_review" => ("▲", "warn"),
        "error" => ("✕", "bad"),
        "stopped" => ("■", "calm"),
        outcome => match pack.and_then(|pack| pack.outcomes.get(outcome)) {
            Some(OutcomeKind::Success) => ("✓", "good"),
            Some(OutcomeKind::Escalation) => ("↗", "warn"),
            Some(OutcomeKind::Neutral) | None => ("◆", "calm"),
        },
    };
    StatusView { word: word.to_owned(), text: word.replace('_', " "), sign, tone }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_sign_of_its_own() {
        let words = ["new", "in_progress", "awaiting_input", "needs_review", "error", "stopped", "of a pack"];
        let signs: std::collections::BTreeSet<_> = words.iter().map(|word| status(word, None).sign).collect();
        assert_eq!(signs.len(), words.len());
        assert_eq!(status("awaiting_input", None).text, "awaiting input");
    }
}
