//! What the tools `notify:NAME` declare, whether they send within the call or store what they are to send.

use std::time::Duration;

use provost_domain::ids::ToolName;
use provost_domain::tool::{EffectClass, Risk, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::error::ToolsError;
use crate::spec::Declaration;

/// A little more than all attempts within a call may take, so that the tool's own answer comes first.
const TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the schema checks them and the receiver reads them")]
struct NotifyArgs {
    /// Whom.
    #[schemars(extend("x-roster" = "teams"))]
    team: String,
    /// Why.
    reason: String,
    /// What happened, in one line.
    summary: Option<String>,
    /// How bad it is.
    severity: Option<Severity>,
    /// The session it is about.
    session_id: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

/// The declaration of the tool of this name.
pub(super) fn declared(name: &ToolName) -> Result<ToolSpec, ToolsError> {
    let spec = Declaration {
        name: name.as_str(),
        description: "Notifies a team outside.",
        effect: EffectClass::Idempotent,
        risk: Risk::Low,
        timeout: TIMEOUT,
    }
    .spec::<NotifyArgs>()?;
    Ok(ToolSpec { tells_people: true, ..spec })
}
