//! The contract between tags: `<response>…</response>`, `<confidence>0.85</confidence>`.

use super::form::{EnvelopeProblem, bad_confidence};
use super::markdown::Sections;
use super::number;

/// Reads a text with a tag for its response and one for its confidence; nothing where it has none of the two.
pub(super) fn read(text: &str) -> Option<Result<Sections, EnvelopeProblem>> {
    let content = only(text, "Response")?;
    let confidence = only(text, "Confidence")?;
    Some(sections(text, content, confidence))
}

fn sections(
    text: &str,
    content: Result<&str, EnvelopeProblem>,
    confidence: Result<&str, EnvelopeProblem>,
) -> Result<Sections, EnvelopeProblem> {
    let confidence = confidence?;
    let (own, reason) = number::read(confidence).ok_or_else(|| bad_confidence(confidence))?;
    let rationale = only(text, "Rationale").transpose()?.unwrap_or(reason).to_owned();
    let signal = only(text, "Signal").transpose()?.map(str::to_owned);
    Ok(Sections { content: content?.to_owned(), confidence: own, rationale, signal })
}

/// The inside of the one tag of this name.
fn only<'a>(text: &'a str, name: &'static str) -> Option<Result<&'a str, EnvelopeProblem>> {
    let lower = text.to_ascii_lowercase();
    let (open, close) = (format!("<{}>", name.to_ascii_lowercase()), format!("</{}>", name.to_ascii_lowercase()));
    let start = lower.find(&open)? + open.len();
    let len = lower.get(start..)?.find(&close)?;
    let again = lower.get(start + len..)?.contains(&open);
    let inside = text.get(start..start + len)?.trim();
    Some(if again { Err(EnvelopeProblem::Repeated { heading: name }) } else { Ok(inside) })
}
