//! What was answered under which `Idempotency-Key`.

use std::collections::{HashMap, VecDeque};

use crate::request::{ShopAnswer, ShopEndpoint};

/// Keys remembered, oldest forgotten first: far more than the requests of one demonstration, at most about a megabyte.
const KEYS_MAX: usize = 1024;

type Key = (ShopEndpoint, String);

/// The keys seen, with the answer of those under which the shop acted.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    by_key: HashMap<Key, Option<ShopAnswer>>,
    oldest_first: VecDeque<Key>,
    /// Whether there were keys that are not remembered any more.
    forgot: bool,
}

/// What is known of a key when a request arrives with it.
#[derive(Debug, PartialEq)]
pub(crate) enum KeyState {
    /// Never seen at this endpoint.
    New,
    /// Seen, but the shop did not act then: acting now is right.
    NotActed,
    /// The shop acted and answered this.
    Acted(ShopAnswer),
}

impl Answers {
    /// Looks `key` up and remembers that it arrived.
    pub(crate) fn arrive(&mut self, endpoint: ShopEndpoint, key: &str) -> KeyState {
        let key = (endpoint, key.to_owned());
        match self.by_key.get(&key) {
            Some(Some(answer)) => KeyState::Acted(answer.clone()),
            Some(None) => KeyState::NotActed,
            None => {
                self.remember(key);
                KeyState::New
            }
        }
    }

    /// What became of the request with this key, whichever endpoint it went to, changing nothing. `None` where nobody can
    /// be sure: the key may be one that was forgotten.
    pub(crate) fn look_up(&self, key: &str) -> Option<KeyState> {
        let known = ShopEndpoint::ALL.iter().find_map(|endpoint| self.by_key.get(&(*endpoint, key.to_owned())));
        match known {
            Some(Some(answer)) => Some(KeyState::Acted(answer.clone())),
            Some(None) => Some(KeyState::NotActed),
            None if self.forgot => None,
            None => Some(KeyState::New),
        }
    }

    /// Keeps the answer of a request that acted, for its repeats.
    pub(crate) fn keep(&mut self, endpoint: ShopEndpoint, key: &str, answer: &ShopAnswer) {
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
        let answer = ShopAnswer::new(StatusCode::OK, json!({"version": "2.4.0"}));
        let mut answers = Answers::default();
        assert_eq!(answers.arrive(ShopEndpoint::Rollback, "k"), KeyState::New);
        assert_eq!(answers.arrive(ShopEndpoint::Rollback, "k"), KeyState::NotActed);
        answers.keep(ShopEndpoint::Rollback, "k", &answer);
        assert_eq!(answers.arrive(ShopEndpoint::Rollback, "k"), KeyState::Acted(answer));
        assert_eq!(answers.arrive(ShopEndpoint::Restart, "k"), KeyState::New);
    }

    #[test]
    fn a_key_is_looked_up_without_arriving() {
        let answer = ShopAnswer::new(StatusCode::OK, json!({"version": "2.4.0"}));
        let mut answers = Answers::default();
        assert_eq!(answers.look_up("k"), Some(KeyState::New));
        assert_eq!(answers.arrive(ShopEndpoint::Release, "k"), KeyState::New);
        assert_eq!(answers.look_up("k"), Some(KeyState::NotActed));
        answers.keep(ShopEndpoint::Release, "k", &answer);
        assert_eq!(answers.look_up("k"), Some(KeyState::Acted(answer)));
    }

    #[test]
    fn the_oldest_key_is_forgotten_when_there_are_too_many() {
        let mut answers = Answers::default();
        for nth in 0..=KEYS_MAX {
            answers.arrive(ShopEndpoint::Oncall, &nth.to_string());
        }
        assert_eq!(answers.by_key.len(), KEYS_MAX);
        assert_eq!(answers.look_up("0"), None, "it may have acted");
        assert_eq!(answers.arrive(ShopEndpoint::Oncall, "1"), KeyState::NotActed);
        assert_eq!(answers.arrive(ShopEndpoint::Oncall, "0"), KeyState::New);
    }
}
