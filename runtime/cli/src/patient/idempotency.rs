//! What was answered under which `Idempotency-Key`.

use std::collections::{HashMap, VecDeque};

use super::shop::{Answer, Endpoint};

/// Keys remembered, oldest forgotten first: far more than the requests of one demonstration, at most about a megabyte.
const KEYS_MAX: usize = 1024;

type Key = (Endpoint, String);

/// The keys seen, with the answer of those under which the shop acted.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    by_key: HashMap<Key, Option<Answer>>,
    oldest_first: VecDeque<Key>,
    /// Whether there were keys that are not remembered any more.
    forgot: bool,
}

/// What is known of a key when a request arrives with it.
#[derive(Debug, PartialEq)]
pub(crate) enum Known {
    /// Never seen at this endpoint.
    New,
    /// Seen, but the shop did not act then: acting now is right.
    NotActed,
    /// The shop acted and answered this.
    Acted(Answer),
}

impl Answers {
    /// Looks `key` up and remembers that it arrived.
    pub(crate) fn arrive(&mut self, endpoint: Endpoint, key: &str) -> Known {
        let key = (endpoint, key.to_owned());
        match self.by_key.get(&key) {
            Some(Some(answer)) => Known::Acted(answer.clone()),
            Some(None) => Known::NotActed,
            None => {
                self.remember(key);
                Known::New
            }
        }
    }

    /// What became of the request with this key, whichever endpoint it went to, changing nothing. `None` where nobody can
    /// be sure: the key may be one that was forgotten.
    pub(crate) fn look_up(&self, key: &str) -> Option<Known> {
        let known = Endpoint::ALL.iter().find_map(|endpoint| self.by_key.get(&(*endpoint, key.to_owned())));
        match known {
            Some(Some(answer)) => Some(Known::Acted(answer.clone())),
            Some(None) => Some(Known::NotActed),
            None if self.forgot => None,
            None => Some(Known::New),
        }
    }

    /// Keeps the answer of a request that acted, for its repeats.
    pub(crate) fn keep(&mut self, endpoint: Endpoint, key: &str, answer: &Answer) {
        if let Some(kept) = self.by_key.get_mut(&(endpoint, key.to_owned())) {
            *kept = Some(answer.clone());
        }
    }

    fn remember(&mut self, key: Key) {
        if self.oldest_first.len() == KEYS_MAX
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.by_key.remove(&oldest);
            self.forgot = true;
        }
        self.oldest_first.push_back(key.clone());
        self.by_key.insert(key, None);
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_replayed_at_its_endpoint_only_and_only_once_acted() {
        let answer = Answer::new(StatusCode::OK, json!({"version": "2.4.0"}));
        let mut answers = Answers::default();
        assert_eq!(answers.arrive(Endpoint::Rollback, "k"), Known::New);
        assert_eq!(answers.arrive(Endpoint::Rollback, "k"), Known::NotActed);
        answers.keep(Endpoint::Rollback, "k", &answer);
        assert_eq!(answers.arrive(Endpoint::Rollback, "k"), Known::Acted(answer));
        assert_eq!(answers.arrive(Endpoint::Restart, "k"), Known::New);
    }

    #[test]
    fn a_key_is_looked_up_without_arriving() {
        let answer = Answer::new(StatusCode::OK, json!({"version": "2.4.0"}));
        let mut answers = Answers::default();
        assert_eq!(answers.look_up("k"), Some(Known::New));
        assert_eq!(answers.arrive(Endpoint::Release, "k"), Known::New);
        assert_eq!(answers.look_up("k"), Some(Known::NotActed));
        answers.keep(Endpoint::Release, "k", &answer);
        assert_eq!(answers.look_up("k"), Some(Known::Acted(answer)));
    }

    #[test]
    fn the_oldest_key_is_forgotten_when_there_are_too_many() {
        let mut answers = Answers::default();
        for nth in 0..=KEYS_MAX {
            answers.arrive(Endpoint::Oncall, &nth.to_string());
        }
        assert_eq!(answers.by_key.len(), KEYS_MAX);
        assert_eq!(answers.look_up("0"), None, "it may have acted");
        assert_eq!(answers.arrive(Endpoint::Oncall, "1"), Known::NotActed);
        assert_eq!(answers.arrive(Endpoint::Oncall, "0"), Known::New);
    }
}
