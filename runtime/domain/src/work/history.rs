//! The settled part of a turn's exchange, with its length: reserving for one more question must not read all of it again.

use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::length::json_bytes;
use crate::model::Message;

/// Messages in their order, and how long all of them are as JSON.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    messages: Vec<Message>,
    bytes: usize,
}

impl History {
    /// Adds the next message.
    pub(crate) fn push(&mut self, message: Message) {
        self.bytes = self.bytes.saturating_add(json_bytes(&message));
        self.messages.push(message);
    }

    /// The sum of the lengths of its messages as JSON, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Deref for History {
    type Target = [Message];

    fn deref(&self) -> &[Message] {
        &self.messages
    }
}

impl IntoIterator for History {
    type Item = Message;
    type IntoIter = std::vec::IntoIter<Message>;

    fn into_iter(self) -> Self::IntoIter {
        self.messages.into_iter()
    }
}

impl FromIterator<Message> for History {
    fn from_iter<T: IntoIterator<Item = Message>>(messages: T) -> Self {
        let mut history = Self::default();
        messages.into_iter().for_each(|message| history.push(message));
        history
    }
}

impl Serialize for History {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.messages.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for History {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from_iter)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_length_is_that_of_all_messages_also_after_reading() {
        let mut history = History::default();
        for text in ["one", "zwölf"] {
            history.push(Message::User { text: text.into() });
        }
        let written = json!(history);
        let expect: usize = written.as_array().unwrap().iter().map(|message| message.to_string().len()).sum();
        let read: History = serde_json::from_value(written).unwrap();
        assert_eq!((history.bytes(), &read), (expect, &history));
    }
}
