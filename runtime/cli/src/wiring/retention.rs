//! The section `retention`: how long things are kept.

use std::time::Duration;

use provost_server::REQUESTS_KEPT;
use serde_json::Value;

use provost_domain::port::Prunable;
use provost_engine::RetentionSettings;
use provost_form::{ErrorLog, FromYaml, NodeKind, Period, YamlNode, table};

/// Longest age: more is a mistake for "for good", which is `off`.
const AGE_MAX: Duration = Duration::from_hours(100 * 366 * 24);
/// Shortest age: what came in may still be asked about.
const AGE_MIN: Duration = Duration::from_mins(1);

/// How old something may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Age(
    /// `None`: it is kept for good.
    pub(crate) Option<Duration>,
);

const fn days(days: u64) -> Age {
    Age(Some(Duration::from_hours(days * 24)))
}

impl FromYaml for Age {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        const HINT: &str = "write it with its unit: 12h, 30d, 2y; or `off` to keep it for good";
        let text = match &node.kind {
            NodeKind::Scalar(Value::Bool(false)) => "off",
            NodeKind::Scalar(Value::String(text)) | NodeKind::Supplied(text) => text,
            NodeKind::Scalar(_) | NodeKind::List(_) | NodeKind::Table(_) => {
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

table! {
    /// How long things are kept once they are finished.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct RetentionConfig {
        /// Sessions that have ended, since their last event; then they are erased.
        pub(super) sessions: Age = Age(None),
        /// Deliveries that were worked on, since they came.
        pub(super) deliveries: Age = days(90),
        /// Messages that were sent or have failed, since they were stored.
        pub(super) outbox: Age = days(90),
        /// The pause between two looks.
        pub(super) every: Period = Period(Duration::from_hours(24)),
    }
}

/// How long things are kept. Kept answers go by an age of their own.
pub(crate) fn retention(config: RetentionConfig) -> RetentionSettings {
    let RetentionConfig { sessions, deliveries, outbox, every: Period(every) } = config;
    let requests = Age(Some(REQUESTS_KEPT));
    let rows = [(Prunable::Deliveries, deliveries), (Prunable::Outbox, outbox), (Prunable::Requests, requests)];
    let rows = rows.into_iter().filter_map(|(what, age)| Some((what, age.0?))).collect();
    RetentionSettings { sessions: sessions.0, rows, every }
}
