//! Looks for the cause, with evidence. Reads only.

use std::sync::LazyLock;

use provost_domain::role::{Authority, RoleSpec};
use provost_domain::work::{Work, WorkForm};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::report::{ReportForm, Role};

/// What a search for the cause hands back. One of the three must say something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InvestigatorReport {
    /// The causes weighed, the likeliest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hypotheses: Option<Vec<Hypothesis>>,
    /// What somebody would have to find out first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// Everything was looked at and nothing speaks for a cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nothing_found: Option<bool>,
}

/// One possible cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hypothesis {
    /// The cause, in one sentence.
    pub cause: String,
    /// The component it lies in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// What kind of cause it is: release, config, load, dependency, unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause_class: Option<String>,
    /// How sure you are, 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub confidence: f64,
    /// The tool results that speak for it.
    #[serde(rename = "for")]
    pub supports: Vec<String>,
    /// The tool results that speak against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Vec<String>>,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

static FORM: LazyLock<ReportForm> = LazyLock::new(ReportForm::of::<InvestigatorReport>);

/// See the module.
#[derive(Debug)]
pub(crate) struct Investigator;

impl Role for Investigator {
    fn spec(&self) -> RoleSpec {
        RoleSpec { name: "investigator".into(), authority: Authority::Reads, work: WorkForm::Asking }
    }

    fn briefing(&self) -> &'static str {
        include_str!("investigator.md")
    }

    fn report(&self) -> Option<&'static ReportForm> {
        Some(&FORM)
    }

    /// A report must say what was found, what is missing, or that nothing was found; a recorded finding says it too. What
    /// speaks for a cause does not speak against it.
    fn check(&self, report: &Value, work: &Work) -> Vec<String> {
        let hypotheses = report.get("hypotheses").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let torn = hypotheses.iter().enumerate().flat_map(|(n, hypothesis)| torn(n, hypothesis));
        let mut problems: Vec<String> = torn.collect();
        let missing = report.get("missing").and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
        let nothing = report.get("nothing_found").and_then(Value::as_bool) == Some(true);
        if hypotheses.is_empty() && !missing && !nothing && work.findings == 0 {
            let demand = "it says nothing: give `hypotheses`, or what is `missing`, or `nothing_found: true`";
            problems.push(demand.to_owned());
        }
        problems
    }
}

/// The results that a hypothesis names on both sides.
fn torn(n: usize, hypothesis: &Value) -> Vec<String> {
    let named = |side: &str| hypothesis.get(side).and_then(Value::as_array).map_or(&[][..], Vec::as_slice).to_vec();
    let against = named("against");
    let both = named("for").into_iter().filter(|evidence| against.contains(evidence));
    both.map(|evidence| format!("report/hypotheses/{n}: {evidence} stands under `for` and `against`; keep one"))
        .collect()
}
