//! The Markdown contract: the headings Response, Confidence, Rationale and Signal, each marked as a heading (`## Signal`)
//! or in bold (`**Signal**`), with the value after a colon or dash, or on the lines below. A heading counts once, and never
//! inside a block of code: what a model quotes from a log must not speak for the model.

use super::form::{Envelope, EnvelopeProblem, bad_confidence};
use crate::confidence::Confidence;

/// The contract's headings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heading {
    Response,
    Confidence,
    Rationale,
    Signal,
}

impl Heading {
    const fn name(self) -> &'static str {
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

/// Reads a reply. Its texts are not bounded yet.
pub(super) fn read(text: &str) -> Result<Envelope, EnvelopeProblem> {
    let sections = sections(text);
    let content = only(&sections, Heading::Response)?.ok_or(EnvelopeProblem::NoEnvelope)?.to_owned();
    let confidence = only(&sections, Heading::Confidence)?.map(first_line).filter(|line| !line.is_empty());
    let confidence = number(confidence.ok_or(EnvelopeProblem::MissingConfidence)?)?;
    let rationale = only(&sections, Heading::Rationale)?.unwrap_or_default().to_owned();
    let signal = only(&sections, Heading::Signal)?.map(|body| first_line(body).to_owned());
    Ok(Envelope { content, confidence, rationale, signal, report: None })
}

fn sections(text: &str) -> Vec<(Heading, String)> {
    let mut sections: Vec<(Heading, String)> = Vec::new();
    let mut open: Option<Fence> = None;
    for line in text.lines() {
        let fence = Fence::of(line);
        let found = if open.is_none() && fence.is_none() { heading(line) } else { None };
        if let Some((heading, rest)) = found {
            sections.push((heading, rest.to_owned()));
        } else if let Some((_, body)) = sections.last_mut() {
            body.push('\n');
            body.push_str(line);
        }
        open = match open {
            None => fence,
            Some(opened) => Some(opened).filter(|opened| !fence.is_some_and(|fence| fence.closes(opened))),
        };
    }
    sections
}

/// A line that opens or closes a block of code.
#[derive(Debug, Clone, Copy)]
struct Fence {
    mark: char,
    len: usize,
    bare: bool,
}

impl Fence {
    fn of(line: &str) -> Option<Self> {
        let line = line.trim_start();
        let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = line.trim_start_matches(mark);
        let len = line.len() - info.len();
        (len >= 3 && !(mark == '`' && info.contains(mark))).then(|| Self { mark, len, bare: info.trim().is_empty() })
    }

    const fn closes(self, opened: &Self) -> bool {
        self.bare && self.mark == opened.mark && self.len >= opened.len
    }
}

/// The one section under a heading.
fn only(sections: &[(Heading, String)], wanted: Heading) -> Result<Option<&str>, EnvelopeProblem> {
    let mut found = sections.iter().filter(|(heading, _)| *heading == wanted).map(|(_, body)| body.trim());
    let first = found.next();
    if found.next().is_some() { Err(EnvelopeProblem::Repeated { heading: wanted.name() }) } else { Ok(first) }
}

fn first_line(body: &str) -> &str {
    body.lines().next().unwrap_or_default().trim()
}

/// A heading line and its first text: `## Response`, `**Confidence** — 0.8`, `### Signal: done`.
fn heading(line: &str) -> Option<(Heading, &str)> {
    let line = line.trim_start();
    let text = line.trim_start_matches('#');
    let hashed = text.len() < line.len();
    let text = text.trim_start();
    let mark = ["**", "__"].into_iter().find(|mark| text.starts_with(mark));
    if !hashed && mark.is_none() {
        return None;
    }
    let text = mark.and_then(|mark| text.strip_prefix(mark)).unwrap_or(text);
    let (word, rest) = text.split_at_checked(text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len()))?;
    let heading = Heading::of(word)?;
    let value = match mark {
        None => value(rest)?,
        Some(mark) => match rest.strip_prefix(mark) {
            Some(rest) => value(rest)?,
            None => value(rest).and_then(|v| v.strip_prefix(mark).or_else(|| v.trim_end().strip_suffix(mark)))?,
        },
    };
    Some((heading, value.trim_start()))
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

/// A hyphen or a minus sign.
const fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '\u{2011}' | '\u{2212}' | '\u{FE63}' | '\u{FF0D}')
}

/// Any Unicode dash (the category Pd within the basic plane) or minus sign.
const fn is_dash(c: char) -> bool {
    is_hyphen(c)
        || matches!(
            c,
            '\u{2012}'..='\u{2015}' | '\u{2E17}' | '\u{2E1A}' | '\u{2E3A}' | '\u{2E3B}' | '\u{2E40}' | '\u{2E5D}'
        )
        || matches!(c, '\u{058A}' | '\u{05BE}' | '\u{1400}' | '\u{1806}' | '\u{301C}' | '\u{3030}' | '\u{30A0}')
        || matches!(c, '\u{FE31}' | '\u{FE32}' | '\u{FE58}')
}

/// `0.85`, `85 %` or `85%`, also in bold or as code.
fn number(text: &str) -> Result<Confidence, EnvelopeProblem> {
    let bare = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | '`'));
    let (digits, scale) = match bare.strip_suffix('%') {
        Some(percent) => (percent.trim_end(), 100.0),
        None => (bare, 1.0),
    };
    let value = digits.parse::<f64>().ok().map(|value| value / scale);
    value.and_then(|value| Confidence::new(value).ok()).ok_or_else(|| bad_confidence(text))
}
