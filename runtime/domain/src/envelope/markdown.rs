//! The Markdown contract: the headings Response, Confidence, Rationale and Signal, each marked as a heading (`## Signal`) or
//! in bold (`**Signal**`), with the value after a colon or dash, or on the lines below. Where a reply has none of these,
//! plain labels at the beginning of a line (`Signal: done`) count. A heading counts once, and never inside a block of code or
//! a quotation: what a model quotes from a log must not speak for the model.

use std::collections::BTreeMap;

use super::form::{EnvelopeProblem, bad_confidence};
use super::label::{Heading, heading, plain_label};
use super::lines::{LineKind, kinds};
use super::number;
use crate::confidence::Confidence;

/// What a reply says under the contract's headings. Its texts are not bounded yet.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sections {
    pub(super) content: String,
    pub(super) confidence: Confidence,
    pub(super) rationale: String,
    /// The body of the signal's section.
    pub(super) signal: Option<String>,
}

/// Where a heading stands.
struct HeadingLine<'a> {
    heading: Heading,
    line: usize,
    /// The value on the heading's own line.
    value: &'a str,
}

/// A section's value on its heading's line and the lines below it.
struct Section {
    value: String,
    below: String,
}

impl Section {
    fn whole(&self) -> String {
        format!("{}\n{}", self.value, self.below).trim().to_owned()
    }

    /// The first text, and everything behind it. List marks and quotation marks are taken off lines of their own.
    fn first(&self) -> (String, String) {
        if !self.value.trim().is_empty() {
            return (self.value.trim().to_owned(), self.below.trim().to_owned());
        }
        let below = self.below.trim();
        let (first, rest) = below.split_once('\n').unwrap_or((below, ""));
        (item(first.trim()).to_owned(), rest.trim().to_owned())
    }
}

/// The text of a list item.
fn item(line: &str) -> &str {
    let bullet = ["- ", "* ", "+ ", "• "].iter().find_map(|mark| line.strip_prefix(mark));
    let numbered = || {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
        (rest.len() < line.len()).then_some(rest)?.strip_prefix([')', '.'])?.strip_prefix(' ')
    };
    bullet.or_else(numbered).unwrap_or(line).trim_start()
}

/// Reads a reply.
pub(super) fn read(text: &str) -> Result<Sections, EnvelopeProblem> {
    let lines: Vec<&str> = text.lines().collect();
    let kinds = kinds(text, lines.len());
    let marks = marks(&lines, &kinds);
    let mut sections = sections(&lines, &kinds, &marks)?;
    let content = sections.remove(&Heading::Response).ok_or(EnvelopeProblem::NoEnvelope)?.whole();
    let confidence = sections.remove(&Heading::Confidence).ok_or(EnvelopeProblem::MissingConfidence)?;
    let (first, rest) = confidence.first();
    if first.is_empty() {
        return Err(EnvelopeProblem::MissingConfidence);
    }
    let (confidence, reason) = number::read(&first).ok_or_else(|| bad_confidence(&first))?;
    let rationale = match sections.remove(&Heading::Rationale) {
        Some(section) => section.whole(),
        None => format!("{reason}\n{}", rest.trim_matches('-')).trim().to_owned(),
    };
    let signal = sections.remove(&Heading::Signal).map(|section| section.whole());
    Ok(Sections { content, confidence, rationale, signal })
}

/// The headings that count. Plain labels count where no other heading of that name stands: all of them where the reply has
/// no other headings at all, else only where they begin the last paragraph before the next heading.
fn marks<'a>(lines: &[&'a str], kinds: &[LineKind]) -> Vec<HeadingLine<'a>> {
    let mut marks = Vec::new();
    let mut plain = Vec::new();
    for (line, (text, kind)) in lines.iter().zip(kinds).enumerate() {
        let marked = match kind {
            LineKind::Text | LineKind::Heading => heading(text, *kind == LineKind::Heading),
            LineKind::Item | LineKind::Quoted | LineKind::Underline => None,
        };
        if let Some((heading, value)) = marked {
            marks.push(HeadingLine { heading, line, value });
            continue;
        }
        let labelled = match kind {
            LineKind::Text => plain_label(text),
            LineKind::Item => {
                let text = item(text.trim_start());
                heading(text, false).or_else(|| plain_label(text))
            }
            LineKind::Heading | LineKind::Quoted | LineKind::Underline => None,
        };
        plain.extend(labelled.map(|(heading, value)| HeadingLine { heading, line, value }));
    }
    let has = |marks: &[HeadingLine<'_>], heading| marks.iter().any(|mark| mark.heading == heading);
    let only_plain = marks.is_empty() && has(&plain, Heading::Response);
    let starts: Vec<usize> = marks.iter().chain(&plain).map(|mark| mark.line).collect();
    let added: Vec<HeadingLine<'_>> = plain
        .into_iter()
        .filter(|mark| !has(&marks, mark.heading))
        .filter(|mark| only_plain || (mark.heading != Heading::Response && ends_its_part(mark.line, lines, &starts)))
        .collect();
    marks.extend(added);
    marks.sort_by_key(|mark| mark.line);
    marks
}

/// Whether a label begins a paragraph, or follows another label, and only its own paragraph stands before the next heading.
fn ends_its_part(line: usize, lines: &[&str], starts: &[usize]) -> bool {
    let blank = |at: usize| lines.get(at).is_none_or(|text| text.trim().is_empty());
    let begins = line.checked_sub(1).is_some_and(|before| blank(before) || starts.contains(&before));
    let next = starts.iter().copied().filter(|at| *at > line).min().unwrap_or(lines.len());
    let paragraph = (line..next).find(|at| blank(*at)).unwrap_or(next);
    begins && (paragraph..next).all(blank)
}

fn sections(
    lines: &[&str],
    kinds: &[LineKind],
    marks: &[HeadingLine<'_>],
) -> Result<BTreeMap<Heading, Section>, EnvelopeProblem> {
    let mut sections = BTreeMap::new();
    for (index, mark) in marks.iter().enumerate() {
        let end = marks.get(index + 1).map_or(lines.len(), |next| next.line);
        let mut from = mark.line + 1;
        if kinds.get(from) == Some(&LineKind::Underline) {
            from += 1;
        }
        let below = lines.get(from..end).unwrap_or_default().join("\n");
        let section = Section { value: mark.value.to_owned(), below };
        if sections.insert(mark.heading, section).is_some() {
            return Err(EnvelopeProblem::Repeated { heading: mark.heading.name() });
        }
    }
    Ok(sections)
}
