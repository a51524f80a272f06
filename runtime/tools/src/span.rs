//! Times in arguments: how far back a tool looks, such as `15m`, and moments.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

/// A length of time with its unit: `90s`, `15m`, `2h`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeSpan(pub(crate) Duration);

/// What the schema says, and the reading below holds.
const PATTERN: &str = "^[1-9][0-9]{0,5}[smhd]$";

impl TimeSpan {
    fn parse(text: &str) -> Option<Self> {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        let plain = number.len() <= 6 && !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = number.parse().ok().filter(|_| plain)?;
        Some(Self(Duration::from_secs(number * seconds)))
    }
}

impl JsonSchema for TimeSpan {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TimeSpan".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": PATTERN})
    }
}

impl<'de> Deserialize<'de> for TimeSpan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a length of time; write one such as `15m`"))
    }
}

/// A moment, written in RFC 3339 or in Unix seconds; here in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TimePoint(pub(crate) f64);

impl TimePoint {
    fn parse(text: &str) -> Option<Self> {
        let seconds = text.parse().ok().filter(|seconds: &f64| seconds.is_finite());
        seconds.or_else(|| Some(text.parse::<jiff::Timestamp>().ok()?.as_duration().as_secs_f64())).map(Self)
    }
}

impl JsonSchema for TimePoint {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TimePoint".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": 1, "maxLength": 40})
    }
}

impl<'de> Deserialize<'de> for TimePoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = "not a time; write RFC 3339 such as `2026-01-31T12:00:00Z`, or Unix seconds";
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(wrong))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_span_has_a_unit() {
        let seconds = |text: &str| TimeSpan::parse(text).map(|span| span.0.as_secs());
        assert_eq!(["90s", "15m", "2h", "7d"].map(seconds), [Some(90), Some(900), Some(7200), Some(604_800)]);
    }

    #[test]
    fn a_moment_is_written_in_two_ways() {
        let seconds = |text: &str| TimePoint::parse(text).map(|point| point.0);
        assert_eq!(seconds("1700000000.5"), Some(1_700_000_000.5));
        assert_eq!(seconds("2023-11-14T22:13:20.25Z"), Some(1_700_000_000.25));
        assert_eq!(seconds("2023-11-15T00:13:20+02:00"), Some(1_700_000_000.0));
        assert_eq!(["NaN", "inf", "now", "2023-11-14", ""].map(seconds), [None; 5]);
    }

    proptest! {
        #[test]
        fn what_the_schema_takes_is_read_and_nothing_else(text in "[0-9smhdwé +-]{0,9}") {
            prop_assert_eq!(regex::Regex::new(PATTERN).unwrap().is_match(&text), TimeSpan::parse(&text).is_some());
        }
    }
}
