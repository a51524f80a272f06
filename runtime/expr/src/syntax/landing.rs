//! Where holes land.

use crate::error::Slip;
use crate::template::TemplatePiece;
use crate::types::Type;

/// Where a hole lands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Landing {
    Plain,
    Markdown,
    /// Outside of quotes: only a number or a duration.
    Figure,
    /// Inside these quotes.
    Quotes(char),
    /// Inside these quotes, which hold a regular expression; whether a repetition follows.
    QuotedPattern(char, bool),
    /// In a regular expression; whether a repetition follows.
    Pattern(bool),
    /// Percent-encoded, in a path or a query.
    Percent,
    /// A bound parameter.
    Parameter,
    JsonText,
    JsonValue,
    Argument,
}

/// A mistake of a hole's place, before its own place is known.
pub(super) type Landings = Result<Vec<Landing>, Slip>;

impl Landing {
    /// What is wanted instead, if a value of this type never fits.
    pub(super) fn refuses(self, own: &Type) -> Option<&'static str> {
        let is_large = matches!(own, Type::List(_) | Type::Object(_) | Type::Map(_));
        match self {
            Self::Plain | Self::Markdown | Self::Parameter | Self::JsonValue => None,
            Self::Figure if is_large || *own == Type::Bool => {
                Some("a number or a duration is needed outside of quotes")
            }
            Self::Figure => None,
            Self::Quotes(_)
            | Self::QuotedPattern(..)
            | Self::Pattern(_)
            | Self::Percent
            | Self::JsonText
            | Self::Argument => is_large.then_some("take one text or number of it"),
        }
    }
}

/// The character before and after each piece, where a neighbour is a text; a hole beside a hole has `None` there.
pub(super) fn neighbours(pieces: &[TemplatePiece], index: usize) -> (Neighbour, Neighbour) {
    let before = match index.checked_sub(1).and_then(|before| pieces.get(before)) {
        None => Neighbour::Nothing,
        Some(TemplatePiece::Text(text, _)) => text.chars().next_back().map_or(Neighbour::Nothing, Neighbour::Sign),
        Some(TemplatePiece::Hole(_)) => Neighbour::Hole,
    };
    let after = match pieces.get(index + 1) {
        None => Neighbour::Nothing,
        Some(TemplatePiece::Text(text, _)) => text.chars().next().map_or(Neighbour::Nothing, Neighbour::Sign),
        Some(TemplatePiece::Hole(_)) => Neighbour::Hole,
    };
    (before, after)
}

/// What stands beside a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Neighbour {
    Nothing,
    Sign(char),
    Hole,
}

impl Neighbour {
    /// Whether it would run together with a word or a number.
    pub(super) fn joins_words(self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Sign(sign) => sign.is_alphanumeric() || matches!(sign, '_' | ':' | '.' | '$' | '@'),
            Self::Hole => true,
        }
    }
}
