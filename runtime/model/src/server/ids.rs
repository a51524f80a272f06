//! Call ids as every server takes them: nine letters and digits, each once in a request.

use std::collections::BTreeMap;

use provost_domain::ids::{CallId, Digest};
use provost_domain::model::Message;

/// The letters and digits of an id.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// How many of them an id has.
const LENGTH: usize = 9;

/// The ids of all calls in a request, the same whenever they are asked for.
#[derive(Debug, Default)]
pub(crate) struct CallIds(BTreeMap<CallId, String>);

impl CallIds {
    /// The ids of the calls in these messages.
    pub(crate) fn of(messages: &[Message]) -> Self {
        let mut ids = Self::default();
        for message in messages {
            match message {
                Message::User { .. } => {}
                Message::Assistant { calls, .. } => calls.iter().for_each(|call| ids.add(&call.id)),
                Message::Tool { call, .. } => ids.add(call),
            }
        }
        ids
    }

    fn add(&mut self, call: &CallId) {
        if self.0.contains_key(call) {
            return;
        }
        let mut tries = 0_u32;
        let free = loop {
            let id = hashed(call, tries);
            if !self.0.values().any(|own| *own == id) {
                break id;
            }
            tries += 1;
        };
        self.0.insert(call.clone(), free);
    }

    /// A call's id on the wire.
    pub(crate) fn wire(&self, call: &CallId) -> String {
        self.0.get(call).cloned().unwrap_or_else(|| hashed(call, 0))
    }
}

fn hashed(call: &CallId, tries: u32) -> String {
    let digest = Digest::of_parts(&[call.as_str().as_bytes(), &tries.to_be_bytes()]);
    let letters =
        digest.as_bytes().iter().take(LENGTH).filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()));
    letters.map(|letter| char::from(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use provost_domain::ids::AssignmentId;

    use super::*;

    #[test]
    fn ten_thousand_calls_have_ids_of_their_own() {
        let mut seen = BTreeSet::new();
        for round in 0..1_000 {
            for index in 0..10 {
                let id = hashed(&CallId::at(AssignmentId(7), round, index), 0);
                assert!(id.len() == LENGTH && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
                seen.insert(id);
            }
        }
        assert_eq!(seen.len(), 10_000);
    }
}
