//! What an agent measures: one read tool with comparisons, or several measures with expressions over them.

use std::collections::BTreeMap;
use std::time::Duration;

use provost_expr::{Expression, TemplateTree};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::condition::Condition;
use crate::ids::ToolName;

/// The argument by which a read tool is told which time is meant, RFC 3339.
pub const TIME_ARGUMENT: &str = "time";

/// What an agent measures.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum WatchPlan {
    /// One tool, polled until its result meets comparisons.
    Single(WatchSpec),
    /// Several measures, judged together.
    Several(SeveralWatch),
}

/// What an agent measures: a read tool, polled until its result meets a condition several times in a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WatchSpec {
    /// The tool that is called; it only reads.
    pub tool: ToolName,
    /// Its arguments; `{{ fields.NAME }}` as a whole value is replaced by the session's field.
    pub args: Value,
    /// All must hold on the result's content.
    pub until: Vec<Condition>,
    /// Pause between two polls, in milliseconds at the wire.
    #[serde(with = "crate::time::millis")]
    pub every: Duration,
    /// How many polls in a row must hold.
    pub consecutive: u32,
}

/// Several measures that are taken together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeveralWatch {
    /// What is measured, by name.
    pub measures: BTreeMap<String, MeasureSpec>,
    /// Holds once the trouble is over. What cannot be told is not met.
    pub recovered: Expression,
    /// Holds once it got worse, which ends the watch at once.
    pub worse: Option<Expression>,
    /// How long after its start the first measurement is taken, in milliseconds at the wire.
    #[serde(with = "crate::time::millis")]
    pub settle: Duration,
    /// Pause between two polls, in milliseconds at the wire.
    #[serde(with = "crate::time::millis")]
    pub every: Duration,
    /// How many polls in a row must have recovered.
    pub consecutive: u32,
}

/// What one number of a watch is read from, and as of when.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeasureSpec {
    /// The tool that is called; it only reads.
    pub tool: ToolName,
    /// Its arguments; texts may have holes that read `fields`.
    pub args: TemplateTree,
    /// The number in its result, read from `result`, `args` and `fields`.
    pub value: Expression,
    /// Whether it is also read as it was when the last change was decided on.
    pub before: bool,
    /// Whether it is also read as it was before the trouble began.
    pub baseline: Option<Baseline>,
}

/// How a measure was before the trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Baseline {
    /// How long before the trouble began, in milliseconds at the wire.
    #[serde(with = "crate::time::millis")]
    pub ago: Duration,
    /// Whether conditions that read a baseline which nobody knows are left out, rather than not told.
    pub ignore_absent: bool,
}

impl WatchPlan {
    /// Pause between two polls.
    pub fn every(&self) -> Duration {
        match self {
            Self::Single(spec) => spec.every,
            Self::Several(spec) => spec.every,
        }
    }

    /// How long after its start the first measurement is taken.
    pub fn settle(&self) -> Duration {
        match self {
            Self::Single(_) => Duration::ZERO,
            Self::Several(spec) => spec.settle,
        }
    }

    /// How many polls in a row must hold.
    pub fn consecutive(&self) -> u32 {
        match self {
            Self::Single(spec) => spec.consecutive,
            Self::Several(spec) => spec.consecutive,
        }
    }

    /// The tools that it measures with.
    pub fn tools(&self) -> Vec<&ToolName> {
        match self {
            Self::Single(spec) => vec![&spec.tool],
            Self::Several(spec) => spec.measures.values().map(|measure| &measure.tool).collect(),
        }
    }
}
