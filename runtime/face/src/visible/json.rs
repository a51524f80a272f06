//! JSON for people: every hidden character is an escape, so that reading it back gives the same value.

use serde_json::Value;

use super::hides;
use super::text::VisibleText;

impl VisibleText {
    /// JSON over several lines.
    pub fn json(value: &Value, characters: usize) -> Self {
        Self::within(escaped(&format!("{value:#}")), characters)
    }

    /// JSON on one line.
    pub fn json_line(value: &Value, characters: usize) -> Self {
        Self::within(escaped(&value.to_string()), characters)
    }

    /// A value as people read it: a string as its text, everything else as JSON over several lines.
    pub fn plain(value: &Value, characters: usize) -> Self {
        value.as_str().map_or_else(|| Self::json(value, characters), |text| Self::within(text, characters))
    }
}

fn escaped(json: &str) -> String {
    json.chars().map(|c| if hides(c) && c != '\n' { escape(c) } else { c.to_string() }).collect()
}

/// One or two escapes of JSON: it counts in units of UTF-16.
fn escape(c: char) -> String {
    let units: Vec<String> = c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    units.concat()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn shown_json_reads_back_as_the_same_value() {
        let value = json!({"a": "x\u{202e}y\u{7f}\n\u{e0041}<b>", "b": [1, null]});
        for shown in [VisibleText::json(&value, 1000), VisibleText::json_line(&value, 1000)] {
            assert!(!shown.as_str().chars().any(|c| hides(c) && c != '\n'), "{shown}");
            assert_eq!(serde_json::from_str::<Value>(shown.as_str()).unwrap(), value);
        }
    }
}
