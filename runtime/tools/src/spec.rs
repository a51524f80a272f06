//! A tool's declaration, from the Rust type of its arguments.

use std::time::Duration;

use provost_domain::claims::ClaimRule;
use provost_domain::failure::FailureKind;
use provost_domain::ids::ToolName;
use provost_domain::schema::ArgSchema;
use provost_domain::tool::{EffectClass, Happened, Risk, ToolCall, ToolFailure, ToolOutcome, ToolSpec};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

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
        })
    }
}

/// The typed arguments of a call whose schema was checked before.
pub(crate) fn args<Args: DeserializeOwned>(call: &ToolCall) -> Result<Args, ToolOutcome> {
    Args::deserialize(&*call.args).map_err(|error| failed(Happened::No, FailureKind::Permanent, error.to_string()))
}

/// A failed outcome.
pub(crate) fn failed(happened: Happened, kind: FailureKind, detail: impl Into<String>) -> ToolOutcome {
    let detail = crate::redact::redact(&detail.into());
    ToolOutcome::Failed { failure: ToolFailure { kind, happened, detail, exit: None, signal: None, timeout_ms: None } }
}
