//! What a server demands that nobody configured: read from its refusals, so that the next question holds to it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::request::Demands;

/// What was learned of one server since the process began.
#[derive(Debug, Default)]
pub(super) struct LearnedDemands {
    folds_system: AtomicBool,
    streams: AtomicBool,
}

impl LearnedDemands {
    /// What is known so far.
    pub(super) fn known(&self) -> Demands {
        Demands {
            folds_system: self.folds_system.load(Ordering::Relaxed),
            streams: self.streams.load(Ordering::Relaxed),
        }
    }

    /// Learns from the words of a refusal. Says what changes, if the same question may be taken now.
    pub(super) fn learn(&self, refusal: &str) -> Option<&'static str> {
        let words = refusal.to_ascii_lowercase();
        if no_system(&words) && !self.folds_system.swap(true, Ordering::Relaxed) {
            return Some("asked again with the prompt in the first message of the user's (`system: first_user`)");
        }
        if only_streams(&words) && !self.streams.swap(true, Ordering::Relaxed) {
            return Some("asked again for an answer in pieces");
        }
        None
    }
}

fn denies(words: &str) -> bool {
    let no = [
        "not support",
        "unsupported",
        "not allowed",
        "not enabled",
        "invalid role",
        "unknown role",
        "only user and assistant",
    ];
    no.iter().any(|no| words.contains(no))
}

/// `System role not supported`, `Developer instruction is not enabled for …`.
fn no_system(words: &str) -> bool {
    let role = words.contains("system")
        && ["role", "message", "prompt", "instruction"].iter().any(|word| words.contains(word));
    denies(words) && (role || words.contains("developer instruction"))
}

/// `This model only supports streaming`, `… for non-streaming calls`.
fn only_streams(words: &str) -> bool {
    let streams = words.contains("stream");
    streams
        && [
            "only support",
            "non-stream",
            "nonstream",
            "must be stream",
            "stream=true",
            "stream must be",
            "set stream",
            "requires stream",
            "require stream",
        ]
        .iter()
        .any(|form| words.contains(form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demand_is_learned_once() {
        let learned = LearnedDemands::default();
        assert_eq!(learned.known(), Demands::default());
        assert!(learned.learn("System role not supported").is_some());
        assert_eq!(learned.known(), Demands { folds_system: true, streams: false });
        assert_eq!(learned.learn("System role not supported"), None, "asking again would not help");
        assert!(learned.learn("This model only supports stream mode").is_some());
        assert_eq!(learned.known(), Demands { folds_system: true, streams: true });
    }

    #[test]
    fn refusals_in_the_words_of_servers() {
        for words in [
            "System role not supported",
            "Conversation: only user and assistant roles are supported, got system role",
            "Developer instruction is not enabled for models/gemma-3-27b-it",
            "messages.0.role: system is not allowed as a message role",
        ] {
            assert!(LearnedDemands::default().learn(words).is_some(), "{words}");
        }
        for words in [
            "parameter.enable_thinking must be set to false for non-streaming calls",
            "This model only supports streaming; please set stream=true",
        ] {
            assert!(LearnedDemands::default().learn(words).is_some(), "{words}");
        }
        for words in [
            "the system is overloaded",
            "System message must be at the beginning.",
            "stream closed",
            "temperature is not supported",
        ] {
            assert_eq!(LearnedDemands::default().learn(words), None, "{words}");
        }
    }
}
