//! Hours of a day, in a time zone.

use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, ToSpan as _};

use crate::time::Timestamp;

/// Hours of some days. One that ends before it begins goes over midnight and belongs to the day it began on.
#[derive(Debug, Clone, PartialEq)]
pub struct DayHours {
    from: Time,
    to: Time,
    days: Vec<Weekday>,
    zone: TimeZone,
}

/// Why hours cannot be a window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWindow {
    /// A time is not one.
    #[error("`{text}` is not a time of day; write it as 22:00")]
    Time {
        /// The text that is refused.
        text: String,
    },
    /// A day is not one.
    #[error("`{text}` is not a day; write mon, tue, wed, thu, fri, sat or sun")]
    Day {
        /// The text that is refused.
        text: String,
    },
}

impl DayHours {
    /// From one time of day to another, each as `22:00`, on days as `mon`; no days mean all of them.
    ///
    /// # Errors
    /// A text does not name a time, or a day.
    pub fn new(from: &str, to: &str, days: &[String], zone: TimeZone) -> Result<Self, BadWindow> {
        let days = days.iter().map(|text| day(text).ok_or_else(|| BadWindow::Day { text: text.clone() }));
        let time = |text: &str| time(text).ok_or_else(|| BadWindow::Time { text: text.to_owned() });
        Ok(Self { from: time(from)?, to: time(to)?, days: days.collect::<Result<_, _>>()?, zone })
    }

    /// Whether an instant is in it.
    pub fn contains(&self, at: Timestamp) -> bool {
        let Some(here) = self.civil(at) else { return false };
        let on = |day: Weekday| self.days.is_empty() || self.days.contains(&day);
        let (time, today) = (here.time(), here.date().weekday());
        if self.from < self.to {
            return on(today) && (self.from..self.to).contains(&time);
        }
        on(today) && time >= self.from || on(today.previous()) && time < self.to
    }

    /// The first instant after this one at which it may begin or end.
    pub fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        let here = self.civil(after)?;
        let days = (0..=1_i64).filter_map(|days| here.date().checked_add(days.days()).ok());
        let edges = days.flat_map(|date| [date.to_datetime(self.from), date.to_datetime(self.to)]);
        edges.filter_map(|edge| self.instant(edge)).filter(|edge| *edge > after).min()
    }

    fn civil(&self, at: Timestamp) -> Option<DateTime> {
        Instant::from_microsecond(at.micros()).ok().map(|at| self.zone.to_datetime(at))
    }

    fn instant(&self, at: DateTime) -> Option<Timestamp> {
        self.zone.to_timestamp(at).ok().map(|at| Timestamp::from_micros(at.as_microsecond()))
    }
}

fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| (text.len() == 2).then(|| text.parse::<i8>().ok()).flatten();
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

fn day(text: &str) -> Option<Weekday> {
    Some(match text {
        "mon" => Weekday::Monday,
        "tue" => Weekday::Tuesday,
        "wed" => Weekday::Wednesday,
        "thu" => Weekday::Thursday,
        "fri" => Weekday::Friday,
        "sat" => Weekday::Saturday,
        "sun" => Weekday::Sunday,
        _ => return None,
    })
}
