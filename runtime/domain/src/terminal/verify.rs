//! Terminal claims: what must hold before one counts.

use serde_json::{Value, json};

use super::transition::StatusChanged;
use crate::citation::{CitationFlaw, Citations};
use crate::names::CaseNames;
use crate::pack::TerminalTool;
use crate::principal::Principal;
use crate::refusal::ToolRefusal;
use crate::roster::Rosters;
use crate::session::Session;
use crate::time::Timestamp;

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

/// What a claim is checked against.
#[derive(Debug)]
pub(crate) struct Basis<'a> {
    pub(crate) session: &'a Session,
    pub(crate) citations: Citations<'a>,
    pub(crate) now: Timestamp,
}

/// Checks all that can be checked before the claim's effect: schema, roster, evidence, requirements, siblings.
pub(crate) fn check(
    claim: &Claim<'_>,
    Basis { session, citations, now }: Basis<'_>,
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
    evidence(citations, claim.args)?;
    if !claim.failed_siblings.is_empty() {
        return Err(ToolRefusal::SiblingsFailed { calls: claim.failed_siblings.clone() });
    }
    for (agent, wants) in tool.requires.iter().filter(|_| !claim.person) {
        let has = session.report_since_change(agent);
        if has != Some(wants.as_str()) {
            return Err(ToolRefusal::Unmet { agent: agent.clone(), wants: wants.clone(), has: has.map(str::to_owned) });
        }
    }
    let agent = if let Principal::Agent(agent) = claim.by { Some(agent) } else { None };
    let names = CaseNames::new(session, now).with("args", claim.args.clone()).with("agent", json!(agent));
    let mut conditions = tool.conditions.iter().filter(|_| !claim.person);
    let unmet = conditions.find(|condition| !names.judge(&condition.that).is_true());
    unmet.map_or(Ok(()), |condition| Err(ToolRefusal::ConditionUnmet { otherwise: condition.otherwise.clone() }))
}

/// Verifies a claim and builds the transition it leads to: the only way to a pack's outcome.
pub(crate) fn verify(
    claim: &Claim<'_>,
    basis: Basis<'_>,
    tool: &TerminalTool,
    rosters: &Rosters,
) -> Result<StatusChanged, ToolRefusal> {
    let session = basis.session;
    check(claim, basis, tool, rosters)?;
    Ok(StatusChanged::verified(session.status(), &tool.outcome, reason_of(claim.args), claim.by.clone()))
}

fn reason_of(args: &Value) -> String {
    ["summary", "reason", "rationale"]
        .iter()
        .find_map(|key| args.get(key).and_then(Value::as_str))
        .unwrap_or("terminal claim verified")
        .to_owned()
}

/// Every id that is cited must be evidence.
fn evidence(citations: Citations<'_>, args: &Value) -> Result<(), ToolRefusal> {
    let (mut unknown, mut cited) = (Vec::new(), Vec::new());
    for id in args.get("evidence").and_then(Value::as_array).into_iter().flatten() {
        let text = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        match citations.flaw(&text) {
            None => {}
            Some(CitationFlaw::Unknown) => unknown.push(text),
            Some(CitationFlaw::NotTaken(kind)) => cited.push(format!("{text} is {kind}")),
        }
    }
    if !unknown.is_empty() {
        return Err(ToolRefusal::UnknownEvidence { unknown });
    }
    if cited.is_empty() { Ok(()) } else { Err(ToolRefusal::NoEvidence { cited }) }
}
