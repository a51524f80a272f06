//! First look: is the trouble real, how bad is it, where does it hurt. Reads only.

use std::sync::LazyLock;

use provost_domain::role::{Authority, RoleSpec};
use provost_domain::work::{Work, WorkForm};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::report::{ReportForm, Role};

/// What a first look hands back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TriageReport {
    /// Whether the trouble is there now.
    pub real: bool,
    /// What it touches: services, users, a part of the traffic.
    pub scope: String,
    /// How bad it is, in the words of the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// The tool results this stands on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Vec<String>>,
}

static FORM: LazyLock<ReportForm> = LazyLock::new(ReportForm::of::<TriageReport>);

/// See the module.
#[derive(Debug)]
pub(crate) struct Triage;

impl Role for Triage {
    fn spec(&self) -> RoleSpec {
        RoleSpec { name: "triage".into(), authority: Authority::Reads, work: WorkForm::Asking }
    }

    fn briefing(&self) -> &'static str {
        include_str!("triage.md")
    }

    fn report(&self) -> Option<&'static ReportForm> {
        Some(&FORM)
    }

    /// A scope in no words says nothing.
    fn check(&self, report: &Value, _work: &Work) -> Vec<String> {
        let scope = report.get("scope").and_then(Value::as_str).unwrap_or_default();
        if scope.trim().is_empty() {
            vec!["`scope` is blank; say what the trouble touches".to_owned()]
        } else {
            Vec::new()
        }
    }
}
