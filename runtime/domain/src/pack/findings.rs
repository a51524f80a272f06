//! Findings tools: what agents record, and how much of it.

use serde_json::Value;

use crate::schema::ArgSchema;

/// Findings of one session: all of them are kept, so there is a bound.
pub const FINDINGS_MAX: usize = 500;

/// A tool that records a finding and sets no status.
#[derive(Debug, Clone)]
pub struct FindingsTool {
    /// What it does, in the pack's words for the model.
    pub about: Option<String>,
    /// Schema of a finding; unknown keys are refused.
    pub schema: ArgSchema,
    /// The arguments that tell one finding from another: an agent records the same one only once. Empty where it may repeat itself.
    pub unique: Vec<String>,
    /// Most findings that one session keeps of this tool; `None` where only the session's own limit counts.
    pub max: Option<usize>,
}

impl FindingsTool {
    /// One that takes any number of findings of this schema.
    pub fn of(schema: ArgSchema) -> Self {
        Self { about: None, schema, unique: Vec::new(), max: None }
    }

    /// Whether two findings are the same one. An argument that both lack is the same in both.
    pub fn are_same(&self, one: &Value, other: &Value) -> bool {
        !self.unique.is_empty() && self.unique.iter().all(|argument| one.get(argument) == other.get(argument))
    }
}
