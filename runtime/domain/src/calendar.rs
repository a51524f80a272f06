//! Times that come again: a cron expression in a time zone. The zones are those of the database that is compiled in, so the same
//! expression means the same everywhere.
//!
//! Where a clock goes forward, a time of day that does not exist comes at the first moment after the gap. Where it goes back, a
//! fixed time of day comes once, the first time; a step like `*/15` counts through both hours.

use std::fmt;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;

use crate::time::Timestamp;

/// Longest expression: five parts, each with some lists.
const CRON_MAX: usize = 200;

/// Times that come again.
#[derive(Clone)]
pub struct Calendar {
    cron: Cron,
    zone: TimeZone,
    /// Both as they were written.
    text: (String, String),
}

/// What is written is not a calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// Not five parts that cron reads.
    #[error("`{text}` is not a cron expression: {detail}")]
    Cron {
        /// The expression that is refused.
        text: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A date that no year has.
    #[error("`{text}` never comes")]
    Never {
        /// The expression that is refused.
        text: String,
    },
    /// No zone of that name.
    #[error("the time zone `{zone}` is not known")]
    Zone {
        /// The name that is not known.
        zone: String,
    },
}

impl CalendarError {
    /// What to write instead.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Cron { .. } => "write minute, hour, day of month, month and day of week: `0 16 * * 5`",
            Self::Never { .. } => "name a date that exists",
            Self::Zone { .. } => "write a name of the IANA database, for example UTC or Europe/Berlin",
        }
    }
}

impl Calendar {
    /// Reads a cron expression of five parts, or one of `@hourly`, `@daily`, `@weekly`, `@monthly` and `@yearly`.
    ///
    /// # Errors
    /// It is not one, it never comes, or there is no zone of that name.
    pub fn parse(cron: &str, zone: &str) -> Result<Self, CalendarError> {
        let bad = |detail: String| CalendarError::Cron { text: cron.chars().take(CRON_MAX).collect(), detail };
        if cron.len() > CRON_MAX {
            return Err(bad(format!("it is longer than {CRON_MAX} bytes")));
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let parsed = parser.parse(cron).map_err(|error| bad(error.to_string()))?;
        let known = TimeZone::get(zone).map_err(|_unknown| CalendarError::Zone { zone: zone.to_owned() })?;
        let calendar = Self { cron: parsed, zone: known, text: (cron.to_owned(), zone.to_owned()) };
        if calendar.after(Timestamp::default()).is_none() {
            return Err(CalendarError::Never { text: cron.to_owned() });
        }
        Ok(calendar)
    }

    /// The first time after another one; `None` where the years end.
    pub fn after(&self, time: Timestamp) -> Option<Timestamp> {
        let next = self.cron.find_next_occurrence(&self.zoned(time)?, false).ok()?;
        Some(Timestamp::from_micros(next.timestamp().as_microsecond()))
    }

    /// The last time that is not after another one; `None` where the years begin.
    pub fn until(&self, time: Timestamp) -> Option<Timestamp> {
        let last = self.cron.find_previous_occurrence(&self.zoned(time)?, true).ok()?;
        Some(Timestamp::from_micros(last.timestamp().as_microsecond())).filter(|last| *last <= time)
    }

    fn zoned(&self, time: Timestamp) -> Option<jiff::Zoned> {
        let time = jiff::Timestamp::from_second(time.micros().div_euclid(1_000_000)).ok()?;
        Some(time.to_zoned(self.zone.clone()))
    }
}

impl PartialEq for Calendar {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Calendar {}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Calendar({self})")
    }
}

impl fmt::Display for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cron, zone) = &self.text;
        write!(f, "{cron} {zone}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        Timestamp::from_rfc3339(text).unwrap()
    }

    /// The times of a calendar that follow on one, and that each of them is the last one until itself and until the next.
    #[track_caller]
    fn check(cron: &str, zone: &str, from: &str, expect: &[&str]) {
        let calendar = Calendar::parse(cron, zone).unwrap();
        let mut at = time(from);
        for next in expect {
            let came = calendar.after(at).unwrap();
            assert_eq!(came, time(next), "{cron} {zone} after {at}: {came}");
            assert_eq!(calendar.until(came), Some(came), "{cron} until {came}");
            let before = Timestamp::from_micros(came.micros() - 1);
            assert!(calendar.until(before).unwrap() < came, "{cron} before {came}");
            at = came;
        }
    }

    #[test]
    fn a_time_of_day_is_one_of_its_zone() {
        check("0 16 * * 5", "UTC", "2026-12-01T00:00:00Z", &["2026-12-04T16:00:00Z", "2026-12-11T16:00:00Z"]);
        check("30 6 * * *", "Asia/Kolkata", "2026-12-01T00:59:59Z", &["2026-12-01T01:00:00Z", "2026-12-02T01:00:00Z"]);
        check("@hourly", "UTC", "2026-12-01T00:00:00Z", &["2026-12-01T01:00:00Z"]);
        check("0 9 * JAN MON", "Europe/Berlin", "2026-12-01T00:00:00Z", &["2027-01-04T08:00:00Z"]);
    }

    #[test]
    fn a_time_that_a_clock_skips_comes_once_and_one_that_it_repeats_comes_once() {
        // On 29 March 2026 Berlin goes from 02:00 to 03:00, on 25 October from 03:00 back to 02:00.
        check(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-03-28T00:00:00Z",
            &["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
        );
        check("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
        check(
            "*/30 * * * *",
            "Europe/Berlin",
            "2026-10-25T00:00:00Z",
            &["2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"],
        );
    }

    #[test]
    fn parts_of_a_second_do_not_move_it() {
        let calendar = Calendar::parse("0 0 * * *", "UTC").unwrap();
        let midnight = time("2026-12-02T00:00:00Z");
        for (micros, next) in [(-1, midnight), (0, time("2026-12-03T00:00:00Z")), (1, time("2026-12-03T00:00:00Z"))] {
            assert_eq!(calendar.after(Timestamp::from_micros(midnight.micros() + micros)), Some(next), "{micros}");
        }
    }

    #[test]
    fn what_is_no_calendar_is_refused_with_a_hint() {
        for (cron, zone, part) in [
            ("", "UTC", "cron expression"),
            ("* * * *", "UTC", "cron expression"),
            ("0 0 0 * * *", "UTC", "cron expression"),
            ("61 * * * *", "UTC", "cron expression"),
            ("0 0 30 2 *", "UTC", "never comes"),
            ("0 0 * * *", "Europe/Atlantis", "the time zone `Europe/Atlantis` is not known"),
        ] {
            let error = Calendar::parse(cron, zone).unwrap_err();
            assert!(error.to_string().contains(part) && !error.hint().is_empty(), "{cron}: {error}");
        }
        assert!(Calendar::parse(&"*".repeat(CRON_MAX + 1), "UTC").is_err());
        assert_eq!(Calendar::parse("0 0 * * *", "UTC"), Calendar::parse("0 0 * * *", "UTC"));
    }
}
