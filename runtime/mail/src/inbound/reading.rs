//! What every wire format is read into.

use provost_domain::ids::Digest;
use serde_json::{Map, Value};

/// Why a delivery cannot be worked on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadDelivery {
    /// It is not JSON.
    #[error("{0}")]
    Syntax(String),
    /// It is JSON of another form.
    #[error("{0}")]
    Form(String),
    /// A session cannot be opened with what it says.
    #[error("{0}")]
    Fields(String),
}

impl BadDelivery {
    /// From the reader's error; `form` names the form that was expected.
    pub(super) fn of(error: &serde_json::Error, form: &str) -> Self {
        let detail = format!("it does not have the form of {form}: {error}");
        if error.is_data() { Self::Form(detail) } else { Self::Syntax(detail) }
    }
}

/// What a delivery says of one alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AlertChange {
    /// What it measures is wrong now.
    Firing,
    /// What it measures is right again.
    Resolved,
    /// Every alert of its group that was reported before is over.
    AllResolved,
}

/// One alert as a format reads it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ReadAlert {
    /// The same whenever the same alert is reported again.
    pub(super) mark: String,
    pub(super) change: AlertChange,
    /// What a mapping reads, by name; `None` for an end that says nothing else.
    pub(super) payload: Option<Map<String, Value>>,
    /// What a session is sent about it.
    pub(super) brief: Value,
}

/// What it means that an alert is reported once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repetition {
    /// It still fires. After its end the report is an old delivery that comes late.
    StillFires,
    /// It still fires. After its end it fires anew.
    FiresAnew,
    /// The same event was sent twice, which says nothing.
    SameEvent,
}

/// A body that was read, nothing of it checked yet.
#[derive(Debug)]
pub(super) struct FormatReading {
    /// The group it belongs to, as its sender says; `None` for a form without groups, whose group is the case itself.
    pub(super) group: Option<Digest>,
    /// What a mapping reads besides each alert's own payload, by name.
    pub(super) common: Map<String, Value>,
    /// Its alerts in order, or why one cannot be read.
    pub(super) alerts: Vec<Result<ReadAlert, String>>,
    pub(super) repetition: Repetition,
    /// The name the sender has for its group; empty for a format without names.
    pub(super) key: String,
}
