//! JSON as senders write it: bytes that are not UTF-8, half an emoji, a byte order mark, numbers where texts are usual. What
//! has one reading is read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

/// What stands where a text was cut.
pub(super) const CUT: &str = "…";

/// A body as text: bytes that are not UTF-8 are U+FFFD, and a byte order mark is left out.
pub(super) fn text_of(body: &[u8]) -> Cow<'_, str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    String::from_utf8_lossy(body)
}

/// Rewrites a text that is nearly JSON: halves of characters become U+FFFD, control characters inside of texts are escaped,
/// and numbers that JSON does not have become null.
pub(super) fn repaired(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let taken = match letter {
            '"' => quoted(rest, &mut out),
            _ => bare(rest, letter, &mut out),
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

/// One letter outside of texts, or one of the numbers that JSON does not have. How much was read.
fn bare(rest: &str, letter: char, out: &mut String) -> usize {
    let odd = ["NaN", "Infinity", "-Infinity"].into_iter().find(|word| rest.starts_with(word));
    out.push_str(if odd.is_some() { "null" } else { rest.get(..letter.len_utf8()).unwrap_or_default() });
    odd.map_or(letter.len_utf8(), str::len)
}

/// A text from its opening quote to its closing one. How much was read.
fn quoted(rest: &str, out: &mut String) -> usize {
    out.push('"');
    let mut at = 1;
    while let Some(letter) = rest.get(at..).and_then(|rest| rest.chars().next()) {
        match letter {
            '"' => {
                out.push('"');
                return at + 1;
            }
            '\\' => at += escape(rest.get(at..).unwrap_or_default(), out),
            letter => {
                if u32::from(letter) < 0x20 {
                    let escape = format!("\\u{:04x}", u32::from(letter));
                    out.push_str(&escape);
                } else {
                    out.push(letter);
                }
                at += letter.len_utf8();
            }
        }
    }
    rest.len()
}

/// An escape inside of a text, with the other half of its character. How much was read.
fn escape(rest: &str, out: &mut String) -> usize {
    let pair = rest.get(6..).and_then(unit);
    let (kept, length) = match (unit(rest), pair) {
        (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (rest.get(..12), 12),
        (Some(0xd800..=0xdfff), _) => (Some("\\ufffd"), 6),
        (Some(_), _) => (rest.get(..6), 6),
        (None, _) => {
            let length = 1 + rest.chars().nth(1).map_or(0, char::len_utf8);
            (rest.get(..length), length)
        }
    };
    out.push_str(kept.unwrap_or_default());
    length
}

/// The code unit that a `\uXXXX` at the beginning stands for.
fn unit(rest: &str) -> Option<u32> {
    let digits = rest.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

/// A value as text, if it says anything: a text that is not blank, a number, a truth.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

/// An object of texts, such as labels: null is none, and what stands in it for a text is one. `None` where it is neither
/// an object nor null.
pub(super) fn texts(value: Option<&Value>) -> Option<BTreeMap<String, String>> {
    let written = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        None | Some(Value::Null) => Some(BTreeMap::new()),
        Some(Value::Object(object)) => {
            let filled = object.iter().filter(|(_, value)| !value.is_null());
            Some(filled.map(|(name, value)| (name.clone(), written(value))).collect())
        }
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => None,
    }
}

/// A text of at most `max` characters, with a mark where it was cut.
pub(super) fn shortened(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max.saturating_sub(1)).chain(CUT.chars()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &Value) {
        assert_eq!(&serde_json::from_str::<Value>(&repaired(text)).unwrap(), expect, "{text}");
    }

    #[test]
    fn what_is_nearly_json_is_read() {
        check(r#"{"a": "stuck \ud83d"}"#, &json!({"a": "stuck \u{fffd}"}));
        check(
            r#"["\ud83d\ude00", "\ude00\ud83d", "\ud83d\ud83d\ude00", "\\ud83d", "\ud83dx"]"#,
            &json!(["\u{1f600}", "\u{fffd}\u{fffd}", "\u{fffd}\u{1f600}", "\\ud83d", "\u{fffd}x"]),
        );
        check("{\"a\": \"one\ntwo\tthree\"}", &json!({"a": "one\ntwo\tthree"}));
        check(
            r#"{"a": NaN, "b": [Infinity, -Infinity], "c": "NaN"}"#,
            &json!({"a": null, "b": [null, null], "c": "NaN"}),
        );
        check(r#"{"a": "\"\\", "b": "ü\u00fc"}"#, &json!({"a": "\"\\", "b": "üü"}));
        for broken in [r#"{"a": "open"#, r#"{"a": "\"#, r#"{"a": "\u12"#, "{"] {
            assert!(serde_json::from_str::<Value>(&repaired(broken)).is_err(), "{broken}");
        }
    }

    #[test]
    fn bytes_become_text() {
        assert_eq!(text_of(b"\xef\xbb\xbf{}"), "{}");
        assert_eq!(text_of(b"a\xffb"), "a\u{fffd}b");
    }

    #[test]
    fn loose_values_are_texts() {
        assert_eq!(text(Some(&json!(7))), Some("7".to_owned()));
        assert_eq!(text(Some(&json!(" a "))), Some("a".to_owned()));
        assert_eq!(text(Some(&json!(true))), Some("true".to_owned()));
        for nothing in [json!(null), json!(""), json!(" "), json!([]), json!({})] {
            assert_eq!(text(Some(&nothing)), None, "{nothing}");
        }
        let labels = texts(Some(&json!({"a": 1, "b": "x", "c": null, "d": [1]}))).unwrap();
        assert_eq!(json!(labels), json!({"a": "1", "b": "x", "d": "[1]"}));
        assert_eq!(
            (texts(None), texts(Some(&json!(null))), texts(Some(&json!("x")))),
            (Some([].into()), Some([].into()), None)
        );
    }

    #[test]
    fn a_long_text_is_cut_with_a_mark() {
        assert_eq!((shortened("häuser", 6).as_str(), shortened("häuser", 5).as_str()), ("häuser", "häus…"));
    }
}
