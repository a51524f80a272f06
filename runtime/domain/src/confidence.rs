//! How sure somebody is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How sure an agent is of what it says, or how sure it must be: a number from 0 to 1, checked wherever one is read.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Confidence(f64);

/// A number that cannot be a confidence.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("a confidence is a number from 0 to 1, not {0}")]
pub struct NotAConfidence(f64);

impl Confidence {
    /// Not at all sure.
    pub const ZERO: Self = Self(0.0);
    /// As sure as can be.
    pub const FULL: Self = Self(1.0);
    /// Five hundredths.
    pub(crate) const TWENTIETH: Self = Self(0.05);

    /// Wraps a number.
    ///
    /// # Errors
    /// It is not from 0 to 1, or is not a number.
    pub fn new(value: f64) -> Result<Self, NotAConfidence> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(NotAConfidence(value)) }
    }

    /// Whether it and another differ by more than a share, exactly: 0.85 and 0.9 differ by 0.05 and not by more, whatever the
    /// binary fractions say. Digits after the ninth do not count.
    pub fn differs(self, other: Self, by: Self) -> bool {
        let billionths = |confidence: Self| (confidence.0 * 1e9).round();
        (billionths(self) - billionths(other)).abs() > billionths(by)
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Eq for Confidence {}

impl TryFrom<f64> for Confidence {
    type Error = NotAConfidence;

    fn try_from(value: f64) -> Result<Self, NotAConfidence> {
        Self::new(value)
    }
}

impl From<Confidence> for f64 {
    fn from(confidence: Confidence) -> Self {
        confidence.0
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_taken_exactly() {
        let confidence = |value| Confidence::new(value).unwrap();
        for step in 0..=95 {
            let (low, high) = (f64::from(step) / 100.0, f64::from(step + 5) / 100.0);
            let (low, high, more) = (confidence(low), confidence(high), confidence((high + 1e-6).min(1.0)));
            let border = confidence(0.05);
            assert!(!low.differs(high, border) && !high.differs(low, border), "{low} and {high}");
            assert!(step == 95 || (low.differs(more, border) && more.differs(low, border)), "{low} and {more}");
        }
    }

    #[test]
    fn only_a_number_from_zero_to_one_is_a_confidence() {
        for value in [0.0, 0.000_1, 0.5, 1.0] {
            let confidence = Confidence::new(value).unwrap();
            let wire = serde_json::to_string(&value).unwrap();
            assert_eq!(serde_json::to_string(&confidence).unwrap(), wire);
            assert_eq!(serde_json::from_str::<Confidence>(&wire).unwrap(), confidence);
        }
        for value in [-0.001, 1.001, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(Confidence::new(value).is_err(), "{value}");
        }
        assert_eq!(serde_json::from_str::<Confidence>("1").unwrap(), Confidence::FULL);
        for text in ["1.5", "-1", "null", "\"0.5\"", "true"] {
            assert!(serde_json::from_str::<Confidence>(text).is_err(), "{text}");
        }
    }
}
