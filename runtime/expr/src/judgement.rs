//! The three results of a condition.

use std::fmt;

/// What a condition comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// It holds for the data it was given.
    True,
    /// It does not hold.
    False,
    /// The data does not say. What that means depends on the place: a gate closes, a route does not match.
    CannotTell(CannotTell),
}

impl Judgement {
    /// Whether it certainly holds.
    pub const fn is_true(&self) -> bool {
        match self {
            Self::True => true,
            Self::False | Self::CannotTell(_) => false,
        }
    }

    /// Whether it certainly does not hold.
    pub const fn is_false(&self) -> bool {
        match self {
            Self::False => true,
            Self::True | Self::CannotTell(_) => false,
        }
    }
}

/// Why an evaluation has no result: a value is absent, of another kind than needed, or too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct CannotTell {
    /// The reason, in words for a person.
    pub why: String,
    /// Bytes of the expression before the part that has no value.
    pub offset: usize,
}

impl CannotTell {
    /// One of no place: what an expression would be asked about is not there yet.
    pub fn nowhere(why: &str) -> Self {
        Self::new(0, why)
    }

    pub(crate) fn new(offset: usize, why: impl Into<String>) -> Self {
        Self { why: why.into(), offset }
    }
}

impl fmt::Display for CannotTell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot tell: {}", self.why)
    }
}
