//! Status transitions. Only the runtime's own transitions and a verified claim can build one; nothing outside this module can.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{Principal, Seq, SessionId};
use crate::pack::TerminalTool;
use crate::refusal::ToolRefusal;
use crate::roster::Rosters;
use crate::session::Session;
use crate::status::Status;

/// The status moved. Its fields are private and it has no public constructor and no `Deserialize`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatusChanged {
    from: Status,
    to: Status,
    reason: String,
    by: Principal,
}

/// The form a stored transition is read from; only a verified chain leads here.
#[derive(Deserialize)]
pub(crate) struct StatusChangedForm {
    from: Status,
    to: Status,
    reason: String,
    by: Principal,
}

impl From<StatusChangedForm> for StatusChanged {
    fn from(form: StatusChangedForm) -> Self {
        Self { from: form.from, to: form.to, reason: form.reason, by: form.by }
    }
}

impl StatusChanged {
    /// Where it was.
    pub fn from_status(&self) -> &Status {
        &self.from
    }

    /// Where it is.
    pub fn to_status(&self) -> &Status {
        &self.to
    }

    /// Why.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Who moved it.
    pub fn by(&self) -> &Principal {
        &self.by
    }

    /// A transition of the runtime's own: never to an outcome.
    pub(crate) fn framework(from: &Status, to: FrameworkStatus, reason: String, by: Principal) -> Self {
        Self { from: from.clone(), to: to.status(), reason, by }
    }
}

/// The statuses the runtime sets by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameworkStatus {
    InProgress,
    AwaitingInput,
    NeedsReview,
    Error,
    Stopped,
}

impl FrameworkStatus {
    pub(crate) fn status(self) -> Status {
        match self {
            Self::InProgress => Status::InProgress,
            Self::AwaitingInput => Status::AwaitingInput,
            Self::NeedsReview => Status::NeedsReview,
            Self::Error => Status::Error,
            Self::Stopped => Status::Stopped,
        }
    }
}

/// A terminal tool call before it was verified.
#[derive(Debug, Clone)]
pub(crate) struct Claim<'a> {
    /// Who claims.
    pub(crate) by: &'a Principal,
    /// Its arguments.
    pub(crate) args: &'a Value,
    /// Calls of the same message that failed or were refused.
    pub(crate) failed_siblings: Vec<String>,
    /// A person claims under their own name: what agents must have reported first does not bind them.
    pub(crate) person: bool,
}

/// Checks all that can be checked before the claim's effect: schema, roster, evidence, requirements, siblings.
pub(crate) fn check(
    claim: &Claim<'_>,
    session: &Session,
    tool: &TerminalTool,
    rosters: &Rosters,
) -> Result<(), ToolRefusal> {
    let problems = tool.schema.problems(claim.args);
    if !problems.is_empty() {
        return Err(ToolRefusal::InvalidArguments { problems });
    }
    let refusals = rosters.check(&tool.rosters, claim.args);
    if !refusals.is_empty() {
        return Err(ToolRefusal::OutOfRoster { refusals });
    }
    let unknown = unknown_evidence(session, claim.args);
    if !unknown.is_empty() {
        return Err(ToolRefusal::UnknownEvidence { unknown });
    }
    if !claim.failed_siblings.is_empty() {
        return Err(ToolRefusal::SiblingsFailed { calls: claim.failed_siblings.clone() });
    }
    for (agent, wants) in tool.requires.iter().filter(|_| !claim.person) {
        let has = session.report_since_change(agent);
        if has != Some(wants.as_str()) {
            return Err(ToolRefusal::Unmet { agent: agent.clone(), wants: wants.clone(), has: has.map(str::to_owned) });
        }
    }
    Ok(())
}

/// Verifies a claim and builds the transition it leads to: the only way to a pack's outcome.
pub(crate) fn verify(
    claim: &Claim<'_>,
    session: &Session,
    tool: &TerminalTool,
    rosters: &Rosters,
) -> Result<StatusChanged, ToolRefusal> {
    check(claim, session, tool, rosters)?;
    Ok(StatusChanged {
        from: session.status().clone(),
        to: Status::Outcome(tool.outcome.clone()),
        reason: reason_of(claim.args),
        by: claim.by.clone(),
    })
}

fn reason_of(args: &Value) -> String {
    ["summary", "reason", "rationale"]
        .iter()
        .find_map(|key| args.get(key).and_then(Value::as_str))
        .unwrap_or("terminal claim verified")
        .to_owned()
}

/// The evidence ids that name no tool result of this session.
fn unknown_evidence(session: &Session, args: &Value) -> Vec<String> {
    let cited = args.get("evidence").and_then(Value::as_array).into_iter().flatten();
    cited
        .filter(|id| !id.as_str().and_then(Evidence::parse).is_some_and(|e| session.holds_evidence(e)))
        .map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned))
        .collect()
}

/// An evidence id: `session/seq` of a tool result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The session.
    pub session: SessionId,
    /// The position of the `ToolReturned` event.
    pub seq: Seq,
}

impl Evidence {
    /// Reads `session/seq`.
    pub fn parse(text: &str) -> Option<Self> {
        let (session, seq) = text.split_once('/')?;
        Some(Self { session: session.parse().ok()?, seq: Seq(seq.parse().ok()?) })
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.session, self.seq)
    }
}
