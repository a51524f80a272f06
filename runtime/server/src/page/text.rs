//! Text from models, tools and alerts on its way to the page: escaped, with nothing invisible in it.

use std::fmt;
use std::time::Duration;

use askama::filters::Escaper;
use provost_domain::time::Timestamp;
use serde_json::Value;

/// Escapes markup and shows control characters and direction marks. The templates' only escaper.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: fmt::Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        for c in string.chars() {
            match c {
                '&' => dest.write_str("&amp;")?,
                '<' => dest.write_str("&lt;")?,
                '>' => dest.write_str("&gt;")?,
                '"' => dest.write_str("&quot;")?,
                '\'' => dest.write_str("&#39;")?,
                '\n' | '\t' => dest.write_char(c)?,
                c if hides(c) => show(&mut dest, c)?,
                c => dest.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Whether a character shows nothing itself and changes how others are seen or understood.
fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{feff}')
        || matches!(c, '\u{2060}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}')
}

fn show(dest: &mut impl fmt::Write, c: char) -> fmt::Result {
    let picture = match u32::from(c) {
        code @ 0..0x20 => char::from_u32(0x2400 + code),
        0x7f => Some('\u{2421}'),
        _ => None,
    };
    match picture {
        Some(picture) => dest.write_char(picture),
        None => write!(dest, "⟨U+{:04X}⟩", u32::from(c)),
    }
}

/// JSON over several lines in which nothing hides: reading it back gives the same value.
pub(crate) fn pretty(value: &Value) -> String {
    exact(&serde_json::to_string_pretty(value).unwrap_or_default())
}

/// JSON on one line, cut after so many characters.
pub(crate) fn preview(value: &Value, characters: usize) -> String {
    cut(&exact(&value.to_string()), characters)
}

/// The beginning of a text.
pub(crate) fn cut(text: &str, characters: usize) -> String {
    let Some((at, _)) = text.char_indices().nth(characters) else { return text.to_owned() };
    format!("{}…", text.get(..at).unwrap_or_default())
}

fn exact(json: &str) -> String {
    let shown = |c: char| if hides(c) && c != '\n' { escaped(c) } else { c.to_string() };
    json.chars().map(shown).collect()
}

fn escaped(c: char) -> String {
    let units: Vec<String> = c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    units.concat()
}

/// A JSON value for people: a string as its text, everything else as JSON.
pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| pretty(value), str::to_owned)
}

/// The time of day, UTC, to the millisecond.
pub(crate) fn clock(at: Timestamp) -> String {
    at.to_string().get(11..23).unwrap_or_default().to_owned()
}

/// Date and minute, UTC.
pub(crate) fn minute(at: Timestamp) -> String {
    at.to_string().get(..16).unwrap_or_default().replace('T', " ")
}

/// A span in its largest unit.
pub(crate) fn span(span: Duration) -> String {
    match span.as_secs() {
        0 => format!("{} ms", span.as_millis()),
        seconds @ 1..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds @ 3600..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// How long ago.
pub(crate) fn ago(now: Timestamp, at: Timestamp) -> String {
    let since = now.since(at);
    if since < Duration::from_secs(5) { "just now".to_owned() } else { format!("{} ago", span(since)) }
}

/// How long until.
pub(crate) fn until(now: Timestamp, at: Timestamp) -> String {
    if at <= now { "now".to_owned() } else { format!("in {}", span(at.since(now))) }
}

/// A number with thin spaces between its thousands.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let mut written = String::new();
        Visible.write_escaped_str(&mut written, text).unwrap();
        assert_eq!(written, expect);
    }

    #[test]
    fn markup_is_escaped_and_nothing_hides() {
        check("<b a='1' c=\"2\">&", "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;");
        check("a\tb\nc", "a\tb\nc");
        check("\u{1b}[31m\r\u{7f}\u{0}", "␛[31m␍␡␀");
        check("safe\u{202e}gpj.exe \u{feff}\u{85}", "safe⟨U+202E⟩gpj.exe ⟨U+FEFF⟩⟨U+0085⟩");
    }

    #[test]
    fn shown_json_reads_back_as_the_same_value() {
        let value = json!({"a": "x\u{202e}y\u{7f}\n\u{e0041}<b>", "b": [1, null]});
        let shown = pretty(&value);
        assert!(!shown.chars().any(|c| hides(c) && c != '\n'), "{shown}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
    }

    #[test]
    fn spans_and_numbers_are_short() {
        let at = Timestamp::from_micros(0);
        assert_eq!(ago(at.plus(Duration::from_secs(200)), at), "3 min ago");
        assert_eq!(until(at, at.plus(Duration::from_mins(90))), "in 1 h");
        assert_eq!(number(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(cut("äöü", 2), "äö…");
    }
}
