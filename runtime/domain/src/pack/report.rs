//! The typed report of an agent: the fields of its role, and those that its pack adds.

use serde_json::{Map, Value};

use super::AgentSpec;
use crate::citation::Citations;
use crate::port::Roles;
use crate::work::Work;

impl AgentSpec {
    /// The schema of its report; `None` where its role has none.
    pub fn report_schema(&self, roles: &dyn Roles) -> Option<Value> {
        let mut schema = roles.report_schema(&self.role.name)?.clone();
        let (Some(whole), Some(own)) = (schema.as_object_mut(), &self.report_fields) else { return Some(schema) };
        let fields = own.raw().get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        if let Value::Object(properties) = whole.entry("properties").or_insert_with(|| Map::new().into()) {
            properties.extend(fields);
        }
        let needed = own.raw().get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        if let Value::Array(required) = whole.entry("required").or_insert_with(|| Value::Array(Vec::new())) {
            required.extend(needed);
        }
        Some(schema)
    }

    /// What is wrong with a report, in words for the model; empty when it holds.
    pub(crate) fn report_problems(
        &self,
        roles: &dyn Roles,
        report: &Value,
        work: &Work,
        citations: &Citations<'_>,
    ) -> Vec<String> {
        let mut problems = roles.problems_of(report, work, citations);
        if let Some(own) = &self.report_fields {
            let placed = |problem: String| format!("report{}", problem.strip_prefix("arguments").unwrap_or(&problem));
            problems.extend(own.problems(report).into_iter().map(placed));
            problems.extend(own.evidence_in(report).into_iter().filter_map(|id| citations.told_flaw(id)));
        }
        problems
    }
}
