//! A server as its tools are built: its name, its secrets, and what the configuration says of each tool.

use std::collections::BTreeMap;
use std::time::Duration;

use provost_domain::ids::ToolName;
use provost_domain::schema::ArgSchema;
use provost_domain::tool::{EffectClass, Risk, ToolSpec};
use provost_form::SecretPlace;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use secrecy::SecretString;
use serde_json::Value;

use super::limits::ToolLimits;
use crate::error::ToolsError;
use crate::kind::ToolParts;
use crate::spec::OUTPUT_LIMIT;

/// A secret with the place it was read from.
pub(super) type FoundSecret = (SecretPlace, SecretString);

/// A server, as its tools are built.
pub(crate) struct OpenServer<'a> {
    pub(super) name: &'a str,
    pub(super) parts: &'a ToolParts,
    /// Nothing where it is only asked what its tools are.
    pub(super) secrets: Option<&'a [FoundSecret]>,
    pub(super) limits: &'a BTreeMap<String, ToolLimits>,
}

/// What a kind says of one of its tools; the configuration may say otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ToolWords<'a> {
    /// Its name without the server's.
    pub(crate) tool: &'a str,
    pub(crate) about: &'a str,
    pub(crate) effect: EffectClass,
    pub(crate) risk: Risk,
    pub(crate) timeout: Duration,
}

impl<'a> ToolWords<'a> {
    /// A tool that only reads.
    pub(crate) const fn read(tool: &'a str, about: &'a str) -> Self {
        Self { tool, about, effect: EffectClass::Read, risk: Risk::Low, timeout: Duration::from_secs(15) }
    }
}

impl<'a> OpenServer<'a> {
    /// The key of its section.
    pub(crate) fn name(&self) -> &'a str {
        self.name
    }

    pub(crate) fn parts(&self) -> &'a ToolParts {
        self.parts
    }

    /// Whether it was opened to be called.
    pub(crate) fn has_secrets(&self) -> bool {
        self.secrets.is_some()
    }

    /// The secret from this place; nothing where the server is not to be called.
    pub(crate) fn secret(&self, place: &SecretPlace) -> Option<&'a SecretString> {
        self.secrets?.iter().find(|(own, _)| own == place).map(|(_, secret)| secret)
    }

    /// What is wrong with its section.
    pub(crate) fn wrong(&self, detail: impl Into<String>) -> ToolsError {
        ToolsError::Server { server: self.name.to_owned(), detail: detail.into() }
    }

    /// The full name of one of its tools.
    pub(crate) fn tool_name(&self, tool: &str) -> ToolName {
        ToolName::new(format!("{}:{tool}", self.name))
    }

    /// The declaration of a tool with arguments and results of these types.
    pub(crate) fn spec<Args: JsonSchema, Found: JsonSchema>(
        &self,
        words: ToolWords<'_>,
    ) -> Result<ToolSpec, ToolsError> {
        self.spec_of(words, schemars::schema_for!(Args).to_value(), Some(schema_of::<Found>()))
    }

    /// The declaration of a tool with these schemas.
    pub(crate) fn spec_of(
        &self,
        words: ToolWords<'_>,
        args: Value,
        output: Option<Value>,
    ) -> Result<ToolSpec, ToolsError> {
        let name = self.tool_name(words.tool);
        let schema = ArgSchema::new(args).map_err(|source| ToolsError::Schema { tool: name.to_string(), source })?;
        let standard = ToolLimits::default();
        let limits = self.limits.get(words.tool).unwrap_or(&standard);
        Ok(ToolSpec {
            name,
            description: limits.about.clone().unwrap_or_else(|| words.about.to_owned()),
            rosters: schema.roster_bindings(),
            schema,
            effect: limits.effect.as_ref().map_or(words.effect, |effect| effect.value),
            risk: limits.risk.unwrap_or(words.risk),
            risk_floor: limits.risk,
            timeout: limits.timeout.unwrap_or(words.timeout),
            output_limit: limits.output.unwrap_or(OUTPUT_LIMIT),
            tells_people: false,
            claim: limits.claim(),
            output: output.map(Into::into),
        })
    }
}

/// The schema of a type, without references.
fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.for_serialize().into_generator().into_root_schema_for::<T>().to_value()
}
