//! Holes in a statement of SQL are bound parameters.

use super::landing::{Landing, Landings, neighbours};
use crate::error::Slip;
use crate::template::TemplatePiece;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SqlPlace {
    Outside,
    Quotes(char),
    LineComment,
    BlockComment,
}

pub(super) fn landings(pieces: &[TemplatePiece]) -> Landings {
    let (mut landings, mut place, mut last) = (Vec::new(), SqlPlace::Outside, ' ');
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            TemplatePiece::Text(text, at) => {
                for (offset, sign) in text.char_indices() {
                    if place == SqlPlace::Outside && sign == '$' {
                        let hint = "the holes are the parameters; quotes with dollars are not read";
                        return Err(Slip::new(at + offset, "a `$` stands outside of quotes", hint));
                    }
                    place = place.after(last, sign);
                    last = sign;
                }
            }
            TemplatePiece::Hole(hole) => {
                let refused = |message: &str, hint: &str| Err(Slip::new(hole.at, message, hint));
                let (before, after) = neighbours(pieces, index);
                match place {
                    SqlPlace::Quotes(_) => {
                        return refused("a hole stands in quotes", "take the quotes away: it is bound");
                    }
                    SqlPlace::LineComment | SqlPlace::BlockComment => {
                        return refused("a hole stands in a comment", "take it out");
                    }
                    SqlPlace::Outside if before.joins_words() || after.joins_words() => {
                        return refused("a hole touches a word", "it stands for a whole value, never for a name");
                    }
                    SqlPlace::Outside => landings.push(Landing::Parameter),
                }
                last = ' ';
            }
        }
    }
    match place {
        SqlPlace::Outside | SqlPlace::LineComment => Ok(landings),
        SqlPlace::Quotes(_) | SqlPlace::BlockComment => {
            Err(Slip::new(0, "a quote or a comment is not closed", "close it"))
        }
    }
}

impl SqlPlace {
    /// The place behind a sign. A doubled quote closes and opens again, which comes to the same.
    fn after(self, last: char, sign: char) -> Self {
        match (self, last, sign) {
            (Self::Quotes(quote), _, sign) if sign == quote => Self::Outside,
            (Self::LineComment, _, '\n') | (Self::BlockComment, '*', '/') => Self::Outside,
            (Self::Outside, _, '\'' | '"' | '`') => Self::Quotes(sign),
            (Self::Outside, '-', '-') => Self::LineComment,
            (Self::Outside, '/', '*') => Self::BlockComment,
            (same, _, _) => same,
        }
    }
}
