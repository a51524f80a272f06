//! Measures whether a fix worked, until a deadline. The runtime polls and writes the report; no model is asked.

use provost_domain::role::{Authority, RoleSpec};
use provost_domain::work::{Work, WorkForm};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::report::{ReportForm, Role};

/// What a measurement hands back, as the runtime writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatcherReport {
    /// What was measured.
    pub verdict: Verdict,
    /// The tool it was measured with.
    pub tool: String,
    /// How many readings there were.
    pub polls: u32,
    /// How many of the last ones in a row met the condition.
    pub in_a_row: u32,
    /// How many in a row were asked for.
    pub asked_for: u32,
}

/// What a measurement came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The condition held as often in a row as asked for.
    Recovered,
    /// It did not hold.
    NotRecovered,
    /// The last reading could not be taken.
    Unknown,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Watcher;

impl Role for Watcher {
    fn spec(&self) -> RoleSpec {
        RoleSpec { name: "watcher".into(), authority: Authority::Reads, work: WorkForm::Watching }
    }

    fn briefing(&self) -> &'static str {
        include_str!("watcher.md")
    }

    fn report(&self) -> Option<&'static ReportForm> {
        None
    }

    fn check(&self, _report: &Value, _work: &Work) -> Vec<String> {
        Vec::new()
    }
}
