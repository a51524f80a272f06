//! Terminal claims: what must hold before one counts.

use serde_json::{Map, Value, json};

use super::transition::StatusChanged;
use crate::citation::Citations;
use crate::fields;
use crate::names::CaseNames;
use crate::pack::{Pack, TerminalTool};
use crate::principal::Principal;
use crate::refusal::ToolRefusal;
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
    pub(crate) pack: &'a Pack,
    pub(crate) citations: Citations<'a>,
    pub(crate) now: Timestamp,
}

/// What a claim that holds comes to.
#[derive(Debug, PartialEq)]
pub(crate) struct ClaimEnd<'a> {
    /// The outcome it leads to.
    outcome: &'a str,
    /// The fields it sets.
    pub(crate) set: Map<String, Value>,
}

/// Checks all that can be checked before the claim's effect: schema, roster, evidence, siblings, requirements, what it sets.
pub(crate) fn check<'t>(
    claim: &Claim<'_>,
    Basis { session, pack, citations, now }: Basis<'_>,
    tool: &'t TerminalTool,
) -> Result<ClaimEnd<'t>, ToolRefusal> {
    let problems = tool.schema.problems(claim.args);
    if !problems.is_empty() {
        return Err(ToolRefusal::InvalidArguments { problems });
    }
    let refusals = pack.rosters.check(&tool.rosters, claim.args);
    if !refusals.is_empty() {
        return Err(ToolRefusal::OutOfRoster { refusals });
    }
    let outcome = tool.outcome.of(claim.args).ok_or_else(|| ToolRefusal::InvalidArguments {
        problems: vec!["no outcome follows from these arguments".to_owned()],
    })?;
    citations.check(&tool.schema, claim.args)?;
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
    if let Some(unmet) = conditions.find(|condition| !names.judge(&condition.that).is_true()) {
        return Err(ToolRefusal::ConditionUnmet { otherwise: unmet.otherwise.clone() });
    }
    let set = values_to_set(tool, &names)?;
    let problems = fields::problems_of_change(pack, session.fields(), &set);
    if !problems.is_empty() {
        return Err(ToolRefusal::InvalidArguments { problems });
    }
    Ok(ClaimEnd { outcome, set })
}

/// The fields that the tool sets. One whose value cannot be told refuses the claim.
fn values_to_set(tool: &TerminalTool, names: &CaseNames<'_>) -> Result<Map<String, Value>, ToolRefusal> {
    let value = |(field, expression): (&String, _)| match names.value(expression) {
        Ok(value) => Ok((field.clone(), value)),
        Err(why) => {
            let otherwise = format!("this claim sets the field `{field}`, and its value is not known ({})", why.why);
            Err(ToolRefusal::ConditionUnmet { otherwise })
        }
    };
    tool.set.iter().map(value).collect()
}

/// Verifies a claim and builds the transition it leads to: the only way to a pack's outcome. With it, the fields it sets.
pub(crate) fn verify(
    claim: &Claim<'_>,
    basis: Basis<'_>,
    tool: &TerminalTool,
) -> Result<(StatusChanged, Map<String, Value>), ToolRefusal> {
    let session = basis.session;
    let end = check(claim, basis, tool)?;
    let changed = StatusChanged::verified(session.status(), end.outcome, reason_of(claim.args), claim.by.clone());
    Ok((changed, end.set))
}

fn reason_of(args: &Value) -> String {
    ["summary", "reason", "rationale"]
        .iter()
        .find_map(|key| args.get(key).and_then(Value::as_str))
        .unwrap_or("terminal claim verified")
        .to_owned()
}
