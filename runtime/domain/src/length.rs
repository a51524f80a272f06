//! How long a value is as JSON text, counted without writing the text anywhere.

use std::io::{self, Write};

use serde::Serialize;

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

/// The bytes of a value's JSON text without white space. What has no JSON text is over every bound.
pub fn json_bytes(value: &impl Serialize) -> usize {
    let mut count = ByteCount::default();
    serde_json::to_writer(&mut count, value).map_or(usize::MAX, |()| count.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_length_is_that_of_the_text() {
        for value in [json!(null), json!("\u{1}\"ä\n"), json!([1, -2.5e300, {"a": {}, "b": [true]}])] {
            assert_eq!(json_bytes(&value), value.to_string().len());
        }
    }

    #[test]
    fn what_has_no_text_is_over_every_bound() {
        assert_eq!(json_bytes(&BTreeMap::from([((1, 2), 3)])), usize::MAX);
    }
}
