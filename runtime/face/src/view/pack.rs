//! Packs and tools.

use provost_domain::pack::Pack;
use provost_domain::tool::ToolSpec;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A loaded pack.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PackView {
    /// Sessions are opened by it.
    pub name: String,
    /// As its author counts.
    pub version: u32,
    /// Its digest, hex.
    pub digest: String,
    /// The agents it describes, by name.
    pub agents: Vec<String>,
    /// The tools that close its sessions.
    pub terminal_tools: Vec<String>,
    /// JSON Schema of a session's fields.
    #[schema(value_type = Object)]
    pub fields: Value,
}

impl From<&Pack> for PackView {
    fn from(pack: &Pack) -> Self {
        Self {
            name: pack.name.to_string(),
            version: pack.version,
            digest: pack.digest.hex(),
            agents: pack.agents.keys().map(ToString::to_string).collect(),
            terminal_tools: pack.terminal_tools.keys().map(ToString::to_string).collect(),
            fields: pack.fields.raw().clone(),
        }
    }
}

/// A backend tool that agents may call.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ToolView {
    /// As packs name it.
    pub name: String,
    /// What it does.
    pub description: String,
    /// What a repetition means: `read`, `idempotent`, `probe` or `unsafe`.
    pub effect: String,
    /// How risky it is.
    pub risk: String,
    /// JSON Schema of its arguments.
    #[schema(value_type = Object)]
    pub arguments: Value,
}

impl From<&ToolSpec> for ToolView {
    fn from(spec: &ToolSpec) -> Self {
        let word = |value: Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            name: spec.name.to_string(),
            description: spec.description.clone(),
            effect: word(json!(spec.effect)),
            risk: word(json!(spec.risk)),
            arguments: spec.schema.raw().clone(),
        }
    }
}
