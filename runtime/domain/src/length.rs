//! How long a value is as JSON text, counted without writing the text anywhere.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

/// Counts what is written to it.
#[derive(Default)]
struct ByteCount(usize);

impl Write for ByteCount {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The bytes of a JSON value's text without white space: the same as [`json_bytes`], and quicker where texts are long.
pub fn value_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text_bytes(text),
        Value::Array(items) => listed(items.iter().map(value_bytes)),
        Value::Object(members) => {
            listed(members.iter().map(|(name, member)| text_bytes(name) + 1 + value_bytes(member)))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => json_bytes(value),
    }
}

/// Between brackets, with commas.
fn listed(parts: impl Iterator<Item = usize>) -> usize {
    let (count, bytes) = parts.fold((0_usize, 2), |(count, bytes), part| (count + 1, bytes + part));
    bytes + count.saturating_sub(1)
}

/// Between quotes, with what must be escaped.
fn text_bytes(text: &str) -> usize {
    let escaped = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    // Hardly any text has one; looking at every byte in the same way is quick.
    if text.bytes().fold(false, |any, byte| any | escaped(byte)) { json_bytes(&text) } else { text.len() + 2 }
}

/// The bytes of a value's JSON text without white space. What has no JSON text is over every bound.
pub fn json_bytes(value: &impl Serialize) -> usize {
    let mut count = ByteCount::default();
    serde_json::to_writer(&mut count, value).map_or(usize::MAX, |()| count.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_length_is_that_of_the_text() {
        for value in [json!(null), json!("\u{1}\"ä\n"), json!([1, -2.5e300, {"a": {}, "b": [true], "": []}])] {
            let length = value.to_string().len();
            assert_eq!((json_bytes(&value), value_bytes(&value)), (length, length));
        }
    }

    proptest! {
        #[test]
        fn the_quick_length_is_the_same(texts in proptest::collection::vec(any::<String>(), 0..4), name in any::<String>()) {
            let value = json!({name: texts, "n": texts.len()});
            prop_assert_eq!(value_bytes(&value), value.to_string().len());
        }
    }

    #[test]
    fn what_has_no_text_is_over_every_bound() {
        assert_eq!(json_bytes(&BTreeMap::from([((1, 2), 3)])), usize::MAX);
    }
}
