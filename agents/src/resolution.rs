//! Takes one safe step against the cause, and closes the case. Acts, each act behind the gate.

use std::sync::LazyLock;

use provost_domain::role::{Authority, RoleSpec};
use provost_domain::work::{Work, WorkForm};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::report::{ReportForm, Role};

/// What a step against the cause hands back. A turn that ends in an accepted terminal claim owes none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResolutionReport {
    /// The step.
    pub step: String,
    /// What came of it.
    pub outcome: StepOutcome,
    /// What is left to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// It was done.
    Done,
    /// It was tried and failed.
    Failed,
    /// It was not tried.
    NotTried,
}

static FORM: LazyLock<ReportForm> = LazyLock::new(ReportForm::of::<ResolutionReport>);

/// See the module.
#[derive(Debug)]
pub(crate) struct Resolution;

impl Role for Resolution {
    fn spec(&self) -> RoleSpec {
        RoleSpec { name: "resolution".into(), authority: Authority::Closes, work: WorkForm::Asking }
    }

    fn briefing(&self) -> &'static str {
        include_str!("resolution.md")
    }

    fn report(&self) -> Option<&'static ReportForm> {
        Some(&FORM)
    }

    /// A step cannot be `done` in a turn that made no call: saying so is not doing it.
    fn check(&self, report: &Value, work: &Work) -> Vec<String> {
        let done = report.get("outcome").and_then(Value::as_str) == Some("done");
        if done && work.tool_calls == 0 {
            return vec!["`outcome` is `done`, and no tool was called; call it, or say `not_tried`".to_owned()];
        }
        Vec::new()
    }
}
