//! Values in regular expressions stand for themselves.

use super::landing::{Landing, Landings, Neighbour, neighbours};
use crate::error::Slip;
use crate::template::{Hole, TemplatePiece};

pub(super) fn landings(pieces: &[TemplatePiece]) -> Landings {
    let (mut landings, mut pattern) = (Vec::new(), PatternReader::default());
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            TemplatePiece::Text(text, _) => text.chars().for_each(|sign| pattern.read(sign)),
            TemplatePiece::Hole(hole) => {
                pattern.check(hole)?;
                landings.push(Landing::Pattern(repeats(neighbours(pieces, index).1)));
            }
        }
    }
    Ok(landings)
}

/// Whether a repetition follows, which would repeat only the last character of a value.
pub(super) fn repeats(after: Neighbour) -> bool {
    matches!(after, Neighbour::Sign('*' | '+' | '?' | '{'))
}

/// A pattern that fits exactly this text.
pub(super) fn literal(text: &str, repeated: bool) -> Result<String, String> {
    if text.is_empty() {
        return Err("is empty, and an empty pattern fits everywhere".to_owned());
    }
    let escaped = regex::escape(text);
    Ok(if repeated { format!("(?:{escaped})") } else { escaped })
}

/// Where in a regular expression one stands.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
enum PatternPlace {
    /// Where a plain text may stand.
    #[default]
    Open,
    /// Behind a backslash, in what the other says.
    Backslash(Box<PatternPlace>),
    Class,
    Repetition,
    /// Behind `(`, which may begin the head of a group.
    GroupStart,
    /// Between `(?` and its end, with what stands there so far.
    GroupHead(String),
}

/// Reads a regular expression as far as it is needed to say where a hole lands.
#[derive(Debug, Default)]
pub(super) struct PatternReader {
    place: PatternPlace,
    /// Something that changes how all that follows is read.
    odd: Option<&'static str>,
}

impl PatternReader {
    pub(super) fn read(&mut self, sign: char) {
        self.place = match (std::mem::take(&mut self.place), sign) {
            (PatternPlace::Backslash(outer), sign) => {
                if sign == 'Q' {
                    self.odd = Some("a hole stands behind `\\Q`");
                }
                *outer
            }
            (PatternPlace::GroupStart, '\\') => PatternPlace::Backslash(Box::default()),
            (outer, '\\') => PatternPlace::Backslash(Box::new(outer)),
            (PatternPlace::Class, ']') | (PatternPlace::Repetition, '}') => PatternPlace::Open,
            (PatternPlace::GroupStart, '?') => PatternPlace::GroupHead(String::new()),
            (PatternPlace::GroupHead(head), ':' | ')' | '>') => {
                if head.contains('x') && !head.contains('<') {
                    self.odd = Some("a hole stands behind the flag `x`, which ignores blanks");
                }
                PatternPlace::Open
            }
            (PatternPlace::GroupHead(head), sign) => PatternPlace::GroupHead(head + sign.encode_utf8(&mut [0; 4])),
            (same @ (PatternPlace::Class | PatternPlace::Repetition), _) => same,
            (PatternPlace::Open | PatternPlace::GroupStart, '[') => PatternPlace::Class,
            (PatternPlace::Open | PatternPlace::GroupStart, '{') => PatternPlace::Repetition,
            (PatternPlace::Open | PatternPlace::GroupStart, '(') => PatternPlace::GroupStart,
            (PatternPlace::Open | PatternPlace::GroupStart, _) => PatternPlace::Open,
        };
    }

    /// Refuses a hole whose value could not stand for itself here.
    pub(super) fn check(&self, hole: &Hole) -> Result<(), Slip> {
        let place = match &self.place {
            // Directly behind `(` a value is harmless, for it is escaped.
            PatternPlace::Open | PatternPlace::GroupStart => None,
            PatternPlace::Backslash(_) => Some("a hole stands behind a backslash"),
            PatternPlace::Class => Some("a hole stands in a character class"),
            PatternPlace::Repetition => Some("a hole stands in a repetition"),
            PatternPlace::GroupHead(_) => Some("a hole stands in the head of a group"),
        };
        let hint = "put the hole where a plain text may stand";
        self.odd.or(place).map_or(Ok(()), |flaw| Err(Slip::new(hole.at, flaw, hint)))
    }
}
