//! JSON as models and their servers write it. What is not quite JSON is read where only one value can be meant: a raw line
//! break inside a text, half an emoji, a comma before a closing bracket, a backslash before a letter that needs none, words
//! and quotes of Python, a fence around the whole, JSON inside a JSON text.

use std::iter::Peekable;
use std::str::Chars;

use serde_json::{Map, Value};

/// How often a text may hold JSON that is a text again.
const NESTED_MAX: usize = 4;
/// Closing tags of chat templates that stand at the end of what they do not belong to.
const CLOSING_TAGS: [&str; 5] = ["</s>", "</tool_call>", "</function>", "</function_call>", "[/TOOL_CALLS]"];
/// What opens and closes a block of code.
pub(crate) const FENCE: &str = "```";
/// What stands for half a character that has no other half.
const REPLACEMENT: &str = "\\ufffd";

/// What becomes of a number that JSON does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonFinite {
    /// `NaN` and `Infinity` read as null: they stand in parts nobody asked for.
    Null,
    /// They make the text unreadable.
    Refused,
}

/// Reads one JSON value.
pub fn json(text: &str, non_finite: NonFinite) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    serde_json::from_str(&Repair::of(text, non_finite)).ok()
}

/// Reads a JSON object, also inside a fence, or encoded as a JSON text. Nothing at all, and `null`, is an empty object.
pub fn object(text: &str) -> Option<Map<String, Value>> {
    let mut text = text.to_owned();
    for _ in 0..NESTED_MAX {
        let bare = without_tokens(unfenced(without_tokens(text.trim())));
        if bare.is_empty() {
            return Some(Map::new());
        }
        match json(bare, NonFinite::Refused)? {
            Value::Object(object) => return Some(object),
            Value::Null => return Some(Map::new()),
            Value::String(inner) => text = inner,
            Value::Bool(_) | Value::Number(_) | Value::Array(_) => return None,
        }
    }
    None
}

/// The inside of a text that is one block of code; any other text as it is.
pub(crate) fn unfenced(text: &str) -> &str {
    let inner =
        text.strip_prefix(FENCE).and_then(|text| text.strip_suffix(FENCE)).filter(|inner| !inner.contains(FENCE));
    inner.map_or(text, |inner| inner.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').trim())
}

/// A text without the marks of a chat template at its end, for example `<|im_end|>` or `</s>`.
pub(crate) fn without_tokens(text: &str) -> &str {
    let mut text = text.trim();
    loop {
        let tag = CLOSING_TAGS.iter().find_map(|tag| text.strip_suffix(tag));
        let shorter = tag.or_else(|| {
            let inner = text.strip_suffix("|>").or_else(|| text.strip_suffix("｜>"))?;
            let start = inner.rfind("<|").or_else(|| inner.rfind("<｜"))?;
            let name = inner.get(start..)?.get(1..)?;
            (name.len() <= 48 && !name.contains(|c: char| c.is_whitespace() || c == '{' || c == '"'))
                .then(|| text.get(..start))?
        });
        match shorter {
            Some(shorter) => text = shorter.trim_end(),
            None => return text,
        }
    }
}

/// The JSON values that stand one after the other inside a text, each with where it begins and ends.
pub(crate) fn objects(text: &str) -> Vec<(usize, usize, Map<String, Value>)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find('{')).map(|at| from + at) {
        let end = text.get(start..).and_then(balanced).map(|len| start + len);
        let value = end.and_then(|end| json(text.get(start..end)?, NonFinite::Refused));
        match (end, value) {
            (Some(end), Some(Value::Object(object))) => {
                found.push((start, end, object));
                from = end;
            }
            (_, Some(_) | None) => from = start + 1,
        }
        if found.len() > OBJECTS_MAX {
            break;
        }
    }
    found
}

/// Most objects looked for in one text: far more than calls are taken of one reply.
const OBJECTS_MAX: usize = 64;

/// The length of the bracketed part that a text begins with.
pub(crate) fn balanced(text: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + c.len_utf8());
                }
            }
            _ => {}
        }
    }
    None
}

/// Rewrites a text to JSON, character by character.
struct Repair<'a> {
    chars: Peekable<Chars<'a>>,
    out: String,
    non_finite: NonFinite,
}

impl<'a> Repair<'a> {
    fn of(text: &'a str, non_finite: NonFinite) -> String {
        let mut repair =
            Self { chars: text.chars().peekable(), out: String::with_capacity(text.len() + 16), non_finite };
        while let Some(c) = repair.chars.next() {
            match c {
                '"' | '\'' => repair.text(c),
                ',' => repair.comma(),
                _ if c.is_ascii_alphabetic() || c == '-' => repair.word(c),
                _ => repair.out.push(c),
            }
        }
        repair.out
    }

    /// A comma, unless a closing bracket follows.
    fn comma(&mut self) {
        let next = self.chars.clone().find(|c| !c.is_whitespace());
        if !matches!(next, Some('}' | ']')) {
            self.out.push(',');
        }
    }

    /// A bare word: what Python and others write for the words of JSON.
    fn word(&mut self, first: char) {
        let mut word = String::from(first);
        while let Some(c) = self.chars.next_if(char::is_ascii_alphabetic) {
            word.push(c);
        }
        let read = match word.as_str() {
            "True" => "true",
            "False" => "false",
            "None" => "null",
            "NaN" | "Infinity" | "-Infinity" | "-NaN" | "inf" | "nan" if self.non_finite == NonFinite::Null => "null",
            other => other,
        };
        self.out.push_str(read);
    }

    /// The rest of a text that this quote opened.
    fn text(&mut self, quote: char) {
        self.out.push('"');
        while let Some(c) = self.chars.next() {
            match c {
                '\\' => self.escape(),
                _ if c == quote => break,
                '"' => self.out.push_str("\\\""),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                _ if u32::from(c) < 0x20 => self.code(u32::from(c)),
                _ => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    /// What follows a backslash inside a text.
    fn escape(&mut self) {
        match self.chars.next() {
            Some('u') => self.unicode(),
            Some('\'') => self.out.push('\''),
            Some(c @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't')) => self.out.extend(['\\', c]),
            Some('\n') => self.out.push_str("\\n"),
            Some(c) => self.out.extend(['\\', '\\', c]),
            None => self.out.push_str("\\\\"),
        }
    }

    /// The rest of `\u`: a character, the half of one, or no code at all.
    fn unicode(&mut self) {
        let Some(code) = hex4(&self.chars.clone().take(4).collect::<String>()) else {
            self.out.push_str("\\\\u");
            return;
        };
        self.skip(4);
        let low = self.chars.clone().take(6).collect::<String>().strip_prefix("\\u").and_then(hex4);
        match (code, low) {
            (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) => {
                self.skip(6);
                self.code(code);
                self.code(low);
            }
            (0xD800..=0xDFFF, _) => self.out.push_str(REPLACEMENT),
            _ => self.code(code),
        }
    }

    /// Writes a character by its code.
    fn code(&mut self, code: u32) {
        let digit = |place: u32| char::from_digit((code >> (4 * place)) & 15, 16);
        self.out.push_str("\\u");
        self.out.extend((0..4).rev().filter_map(digit));
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.chars.next();
        }
    }
}

fn hex4(digits: &str) -> Option<u32> {
    let whole = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    whole.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests;
