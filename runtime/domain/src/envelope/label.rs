//! The contract's headings, as models write them: with a number or a picture before them, another word behind them, in bold,
//! with the value on the same line.

use super::dash::{is_dash, is_hyphen};

/// The contract's headings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Heading {
    Response,
    Confidence,
    Rationale,
    Signal,
}

/// Words that may stand before a heading's own.
const BEFORE: [&str; 4] = ["final", "overall", "my", "the"];
/// Words that may stand behind it.
const BEHIND: [&str; 6] = ["score", "level", "rating", "value", "estimate", "section"];

impl Heading {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Response => "Response",
            Self::Confidence => "Confidence",
            Self::Rationale => "Rationale",
            Self::Signal => "Signal",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::Response, Self::Confidence, Self::Rationale, Self::Signal]
            .into_iter()
            .find(|heading| heading.name().eq_ignore_ascii_case(word))
    }
}

/// A heading line and its first text: `## Response`, `**Confidence** — 0.8`, `### 2. Signal: done`. A line that is a heading
/// by the line under it needs no mark.
pub(super) fn heading(line: &str, is_heading: bool) -> Option<(Heading, &str)> {
    let line = line.trim_start();
    let text = line.trim_start_matches('#');
    let hashed = is_heading || text.len() < line.len();
    let text = decoration(text);
    let mark = ["**", "__"].into_iter().find(|mark| text.starts_with(mark));
    if !hashed && mark.is_none() {
        return None;
    }
    let text = mark.and_then(|mark| text.strip_prefix(mark)).unwrap_or(text);
    let (heading, rest) = name(decoration(text))?;
    let value = match mark {
        None => value(rest)?,
        Some(mark) => match rest.strip_prefix(mark) {
            Some(rest) => value(rest)?,
            None => value(rest).and_then(|v| v.strip_prefix(mark).or_else(|| v.trim_end().strip_suffix(mark)))?,
        },
    };
    Some((heading, value.trim_start()))
}

/// `Confidence: 0.85`, without any mark.
pub(super) fn plain_label(line: &str) -> Option<(Heading, &str)> {
    let (heading, rest) = name(decoration(line))?;
    let rest = rest.trim_start();
    let after = rest.strip_prefix('=').or_else(|| value(rest).filter(|_| rest.starts_with(|c| !matches!(c, '#'))))?;
    (!rest.is_empty()).then(|| (heading, after.trim_start()))
}

/// Without the number, picture or sign before a heading's words.
fn decoration(text: &str) -> &str {
    let text = text.trim_start();
    let bare = text.trim_start_matches(|c: char| {
        let kept = c.is_alphabetic()
            || c.is_whitespace()
            || matches!(c, '*' | '_' | '`' | '<' | '>' | '|' | '[' | '{' | '"' | '\'');
        !kept || c == '\u{FE0F}'
    });
    let gap = bare.starts_with(char::is_whitespace) || text.len() == bare.len();
    // A dash or digit that touches the word belongs to it.
    if gap || !text.starts_with(|c: char| c.is_alphanumeric() || is_dash(c)) { bare.trim_start() } else { text }
}

/// The heading a text names, and what follows its words.
fn name(text: &str) -> Option<(Heading, &str)> {
    let (mut first, mut rest) = word(text)?;
    if BEFORE.iter().any(|own| own.eq_ignore_ascii_case(first)) {
        (first, rest) = word(rest.trim_start())?;
    }
    let heading = Heading::of(first)?;
    let spaced = rest.strip_prefix([' ', '\t']).map(str::trim_start);
    if let Some((next, after)) = spaced.and_then(word) {
        if heading == Heading::Confidence && next.eq_ignore_ascii_case("rationale") {
            return Some((Heading::Rationale, range(after)));
        }
        if BEHIND.iter().any(|own| own.eq_ignore_ascii_case(next)) {
            return Some((heading, range(after)));
        }
    }
    Some((heading, range(rest)))
}

fn word(text: &str) -> Option<(&str, &str)> {
    let split = text.split_at_checked(text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len()))?;
    (!split.0.is_empty()).then_some(split)
}

/// Without brackets behind a heading, for example `(0-1)`.
fn range(text: &str) -> &str {
    let Some(inside) = text.trim_start().strip_prefix(['(', '[']) else { return text };
    inside.split_once([')', ']']).map_or(text, |(_, rest)| rest)
}

/// What follows a heading's word: nothing (or the closing `#`), or a separator and then the value.
fn value(rest: &str) -> Option<&str> {
    let rest = rest.trim_start();
    let mut chars = rest.chars();
    match chars.next() {
        Some(':' | '\u{FF1A}') => Some(chars.as_str().trim_start()),
        Some(dash) if is_dash(dash) => {
            let value = chars.as_str().trim_start_matches(is_dash);
            // A hyphen joins words (`Response-time`) and signs numbers: it separates only before a gap.
            let gap = value.chars().next().is_none_or(|c| c.is_whitespace() || matches!(c, '*' | '_'));
            (gap || !is_hyphen(dash)).then(|| value.trim_start())
        }
        Some(_) | None => rest.trim_end().chars().all(|c| c == '#').then_some(""),
    }
}
