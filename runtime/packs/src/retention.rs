//! How long things are kept, as the configuration has it.

use std::time::Duration;

use serde_json::Value;

use crate::form::{Log, Read, table};
use crate::node::{Kind, Node};
use crate::scalar::Period;

/// Longest age: more is a mistake for "for good", which is `off`.
const AGE_MAX: Duration = Duration::from_hours(100 * 366 * 24);
/// Shortest age: what came in may still be asked about.
const AGE_MIN: Duration = Duration::from_mins(1);

/// How old something may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age(
    /// `None`: it is kept for good.
    pub Option<Duration>,
);

const fn days(days: u64) -> Age {
    Age(Some(Duration::from_hours(days * 24)))
}

impl Read for Age {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        const HINT: &str = "write it with its unit: 12h, 30d, 2y; or `off` to keep it for good";
        let text = match &node.kind {
            Kind::Scalar(Value::Bool(false)) => "off",
            Kind::Scalar(Value::String(text)) | Kind::Supplied(text) => text,
            Kind::Scalar(_) | Kind::List(_) | Kind::Table(_) => {
                log.expected("an age", node, HINT);
                return None;
            }
        };
        if text == "off" {
            return Some(Self(None));
        }
        match humantime::parse_duration(text) {
            Ok(age) if (AGE_MIN..=AGE_MAX).contains(&age) => Some(Self(Some(age))),
            Ok(_) => {
                log.report(node.place, "the age is below a minute or above a hundred years", HINT);
                None
            }
            Err(error) => {
                log.report(node.place, format!("not an age: {error}"), HINT);
                None
            }
        }
    }

    fn blank() -> Self {
        Self(None)
    }
}

/// How long things are kept once they are finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionConfig {
    /// Sessions that have ended, since their last event; then they are erased.
    pub sessions: Age,
    /// Deliveries that were worked on, since they came.
    pub deliveries: Age,
    /// Messages that were sent or have failed, since they were stored.
    pub outbox: Age,
    /// The pause between two looks.
    pub every: Duration,
}

table! {
    struct Raw {
        sessions: Age = Age(None),
        deliveries: Age = days(90),
        outbox: Age = days(90),
        every: Period = Period(Duration::from_hours(24)),
    }
}

impl From<Raw> for RetentionConfig {
    fn from(Raw { sessions, deliveries, outbox, every: Period(every) }: Raw) -> Self {
        Self { sessions, deliveries, outbox, every }
    }
}

impl Read for RetentionConfig {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        Raw::read(node, log).map(Self::from)
    }

    fn blank() -> Self {
        Raw::blank().into()
    }
}
