//! A tool's declaration, from the Rust type of its arguments.

use std::time::Duration;

use provost_domain::claims::ClaimRule;
use provost_domain::failure::FailureKind;
use provost_domain::ids::ToolName;
use provost_domain::schema::ArgSchema;
use provost_domain::tool::{EffectClass, Happened, Risk, ToolCall, ToolFailure, ToolOutcome, ToolSpec};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::ToolsError;

/// Most bytes of one result.
pub(crate) const OUTPUT_LIMIT: usize = 32 * 1024;

/// What differs between declarations.
pub(crate) struct Declaration<'a> {
    pub(crate) name: &'a str,
    pub(crate) description: &'a str,
    pub(crate) effect: EffectClass,
    pub(crate) risk: Risk,
    pub(crate) timeout: Duration,
}

impl Declaration<'_> {
    /// The spec with the schema of `Args`.
    pub(crate) fn spec<Args: JsonSchema>(&self) -> Result<ToolSpec, ToolsError> {
        let schema = ArgSchema::new(schemars::schema_for!(Args).to_value())
            .map_err(|source| ToolsError::Schema { tool: self.name.to_owned(), source })?;
        let rosters = schema.roster_bindings();
        Ok(ToolSpec {
            name: ToolName::new(self.name),
            description: self.description.to_owned(),
            schema,
            effect: self.effect,
            risk: self.risk,
            timeout: self.timeout,
            output_limit: OUTPUT_LIMIT,
            rosters,
            tells_people: false,
            claim: ClaimRule::default(),
            risk_floor: None,
            output: None,
        })
    }
}

/// The typed arguments of a call whose schema was checked before. A schema takes `60.0` for an integer, and so it is one.
pub(crate) fn args<Args: DeserializeOwned>(call: &ToolCall) -> Result<Args, ToolOutcome> {
    let read = Args::deserialize(&*call.args).or_else(|_| Args::deserialize(whole_numbers(&call.args)));
    read.map_err(|error| failed(Happened::No, FailureKind::Permanent, error.to_string()))
}

/// Largest whole number that a double holds exactly.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// The value with every whole number written as an integer.
fn whole_numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => match number.as_f64() {
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and within what both hold exactly")]
            Some(whole) if whole.fract() == 0.0 && whole.abs() <= EXACT_MAX => Value::from(whole as i64),
            Some(_) | None => value.clone(),
        },
        Value::Array(list) => list.iter().map(whole_numbers).collect(),
        Value::Object(object) => object.iter().map(|(name, value)| (name.clone(), whole_numbers(value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// A failed outcome.
pub(crate) fn failed(happened: Happened, kind: FailureKind, detail: impl Into<String>) -> ToolOutcome {
    let detail = crate::redact::redact(&detail.into());
    ToolOutcome::Failed { failure: ToolFailure { kind, happened, detail, exit: None, signal: None, timeout_ms: None } }
}
