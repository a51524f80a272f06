//! Terminal claims: checked once all other calls of the message have settled, their effect performed, verified, and only
//! then the status changes.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::draft::Draft;
use super::refuse::{ended, while_a_claim_is_open};
use super::{call, finish, intent, stop};
use crate::call::{Call, CallOwner, CallState};
use crate::decode::decoded;
use crate::envelope::{self, EnvelopeSource, FINISH_TOOL};
use crate::event::{ClaimRaised, ClaimRefused, FieldsPatched, GateFired};
use crate::gate::{ENVIRONMENT, GateAction, GateCall, should_gate};
use crate::ids::{CallId, ToolName};
use crate::inject::Prepared;
use crate::model::Arguments;
use crate::pack::TerminalTool;
use crate::principal::Principal;
use crate::refusal::{Refusal, ToolRefusal};
use crate::session::OpenClaim;
use crate::terminal::{self, Basis, Claim};
use crate::tool::Risk;
use crate::work::Work;

/// An agent's claim, once the other calls of its message have settled.
pub(super) fn by_agent(draft: &mut Draft<'_>, id: &CallId) {
    let Some((by, name, args, approved)) = proposed(draft, id) else { return };
    let open = OpenClaim { call: id.clone(), by, tool: name, args };
    if let Err(refusal) = raise(draft, &open, approved) {
        refuse(draft, open, refusal);
    }
}

fn proposed(draft: &Draft<'_>, id: &CallId) -> Option<(Principal, ToolName, Arc<Value>, bool)> {
    let call = draft.session.call(id)?;
    let work = work_of(draft, call)?;
    let agent = draft.facts.pack.agents.get(&work.agent)?;
    let name = agent.tools.iter().find(|name| name.is_wired_as(&call.wire))?.clone();
    let (args, approved) = match (&call.state, &*call.args) {
        (CallState::Approved(args), _) => (Arc::clone(args), true),
        (_, Arguments::Json(Value::Object(args))) => {
            let schema = draft.facts.pack.terminal_tools.get(&name).map(|tool| tool.schema.raw());
            let read = schema.map_or_else(|| args.clone(), |schema| decoded(schema, args));
            (Arc::new(Value::Object(read)), false)
        }
        (_, Arguments::Json(args)) => (Arc::new(args.clone()), false),
        (_, Arguments::Broken(_)) => return None,
    };
    Some((Principal::Agent(work.agent.clone()), name, args, approved))
}

/// Check, gate, effect or conclusion.
fn raise(draft: &mut Draft<'_>, open: &OpenClaim, approved: bool) -> Result<(), ToolRefusal> {
    let Some(tool) = draft.facts.pack.terminal_tools.get(&open.tool) else {
        return Err(ToolRefusal::UnknownTool { offered: Vec::new() });
    };
    let siblings = failed_siblings(draft, open);
    let claim = Claim { by: &open.by, args: &open.args, failed_siblings: siblings, person: open.by.is_person() };
    terminal::check(&claim, basis(draft), tool)?;
    if !approved && ask_first(draft, open)? {
        return Ok(());
    }
    match &tool.effect {
        None => conclude(draft, open, tool),
        Some(effect) => {
            let raised = ClaimRaised {
                call: open.call.clone(),
                by: open.by.clone(),
                tool: open.tool.clone(),
                args: Arc::clone(&open.args),
            };
            draft.push(raised);
            call::propose_effect(draft, effect, open)
        }
    }
}

/// What claims are checked against.
fn basis<'a>(draft: &'a Draft<'_>) -> Basis<'a> {
    Basis { session: &draft.session, pack: draft.facts.pack, citations: draft.citations(), now: draft.now }
}

/// Puts an agent's claim before the gate; a person's own claim needs no second person. True when it now waits.
fn ask_first(draft: &mut Draft<'_>, open: &OpenClaim) -> Result<bool, ToolRefusal> {
    if open.by.is_person() {
        return Ok(false);
    }
    let environment = draft.session.fields().get(ENVIRONMENT).and_then(Value::as_str).map(str::to_owned);
    let gated = GateCall {
        tool: &open.tool,
        stake: Risk::Low.into(),
        changes_world: false,
        environment: environment.as_deref(),
    };
    let decision = {
        let names = intent::gate_names(draft, (&open.tool, None), &open.args);
        should_gate(&gated, draft.session.confidence(), &draft.facts.pack.gates, &|when| names.judge(when))
    };
    match decision.action {
        GateAction::Auto | GateAction::Notify => Ok(false),
        GateAction::Deny => Err(ToolRefusal::Denied { reason: decision.reason }),
        GateAction::Approve => {
            let fired = GateFired { call: Some(open.call.clone()), action: decision.action, reason: decision.reason };
            draft.push(fired);
            let args = (*open.args).clone();
            let prepared = Prepared { args, injected: Vec::new(), overridden: Vec::new(), dropped: Vec::new() };
            call::ask_person(draft, &open.call, &open.tool, prepared, decision.reason);
            Ok(true)
        }
    }
}

/// The work whose reply holds a call.
fn work_of<'a>(draft: &'a Draft<'_>, call: &Call) -> Option<&'a Work> {
    match call.owner {
        CallOwner::Work(assignment) => draft.session.works().get(&assignment),
        CallOwner::Claim => None,
    }
}

/// The work of the agent that claims; a person's claim belongs to none.
fn claiming<'a>(draft: &'a Draft<'_>, open: &OpenClaim) -> Option<&'a Work> {
    draft.session.call(&open.call).and_then(|call| work_of(draft, call))
}

/// The calls beside a claim that did not work. A person's claim has none: what an agent tried does not bind them.
fn failed_siblings(draft: &Draft<'_>, open: &OpenClaim) -> Vec<String> {
    let calls = claiming(draft, open).into_iter().flat_map(|work| draft.session.calls_of(work));
    calls
        .filter(|call| call.id != open.call && call.settled().is_some_and(|settled| !settled.worked))
        .map(|call| call.wire.clone())
        .collect()
}

/// A claim whose effect has its result: verified, or refused with how the effect failed.
pub(super) fn conclude_settled(draft: &mut Draft<'_>) {
    let Some(open) = draft.session.claim().cloned() else { return };
    let Some(effect) = draft.session.effect().cloned() else { return };
    let Some(settled) = effect.settled() else { return };
    let result = match draft.facts.pack.terminal_tools.get(&open.tool) {
        Some(tool) if settled.worked => conclude(draft, &open, tool),
        Some(_) => {
            let detail = settled.result.to_string().chars().take(500).collect();
            Err(ToolRefusal::EffectFailed { tool: effect.wire.clone(), detail })
        }
        None => Err(ToolRefusal::UnknownTool { offered: Vec::new() }),
    };
    if let Err(refusal) = result {
        refuse(draft, open, refusal);
    }
}

fn refuse(draft: &mut Draft<'_>, open: OpenClaim, refusal: ToolRefusal) {
    draft.push(ClaimRefused { call: open.call, by: open.by, tool: open.tool, refusal });
}

/// Verifies and moves the status: the last step of every way to an outcome.
fn conclude(draft: &mut Draft<'_>, open: &OpenClaim, tool: &TerminalTool) -> Result<(), ToolRefusal> {
    let siblings = failed_siblings(draft, open);
    let claim = Claim { by: &open.by, args: &open.args, failed_siblings: siblings, person: open.by.is_person() };
    let (transition, set) = terminal::verify(&claim, basis(draft), tool)?;
    if !set.is_empty() {
        draft.push(FieldsPatched { call: open.call.clone(), patch: Arc::new(Value::Object(set)) });
    }
    if open.by.is_person() {
        stop::abandon(draft, &open.by, "a person closed the session while this call was being made");
    } else {
        report_of_claim(draft, open);
    }
    // Nothing above moves the status, so the transition still starts where it was verified.
    draft.push(transition);
    Ok(())
}

/// The agent's report from the claim's own arguments, which beat a finding's and the envelope's.
fn report_of_claim(draft: &mut Draft<'_>, open: &OpenClaim) {
    let Some(work) = claiming(draft, open) else { return };
    let assignment = work.assignment;
    let beside =
        draft.session.calls_of(work).find(|call| call.wire == FINISH_TOOL).and_then(|call| match &*call.args {
            Arguments::Json(args) => envelope::from_args(args, &[]).ok(),
            Arguments::Broken(_) => None,
        });
    match envelope::from_terminal(&open.args) {
        Some(own) => {
            if let Some(beside) = &beside {
                finish::mismatch(draft, &open.call, own.confidence, beside.confidence);
            }
            finish::close(draft, assignment, own, EnvelopeSource::TerminalArguments);
        }
        None => {
            if let Some(beside) = beside {
                finish::finish(draft, assignment, beside, EnvelopeSource::FinishTool);
            }
        }
    }
}

/// A person's claim under their own name, from any status that is not final.
pub(super) fn by_person(
    draft: &mut Draft<'_>,
    by: &Principal,
    tool: &ToolName,
    args: &Map<String, Value>,
) -> Result<(), Refusal> {
    if draft.session.status().is_final() {
        return Err(ended(draft.session.status()));
    }
    let args = Value::Object(args.clone());
    if !draft.facts.pack.terminal_tools.contains_key(tool) {
        let known = draft.facts.pack.terminal_tools.keys().map(ToString::to_string).collect();
        return Err(Refusal::UnknownTerminalTool { tool: tool.to_string(), known });
    }
    while_a_claim_is_open(&draft.session, "claim")?;
    check_arguments(draft, tool, &args).map_err(|refusal| Refusal::CallRefused { refusal })?;
    let call = CallId::new(format!("person.{}", draft.head()));
    let open = OpenClaim { call, by: by.clone(), tool: tool.clone(), args: Arc::new(args) };
    reopen(draft, by);
    raise(draft, &open, true).map_err(|refusal| Refusal::CallRefused { refusal })
}

/// An ended session whose claim has an effect must be in progress while the effect is owed.
fn reopen(draft: &mut Draft<'_>, by: &Principal) {
    if draft.session.status().is_end() {
        draft.set_status(terminal::FrameworkStatus::InProgress, "a person claims an outcome", by);
    }
}

/// Schema and rosters of a terminal tool's arguments.
pub(super) fn check_arguments(draft: &Draft<'_>, tool: &ToolName, args: &Value) -> Result<(), ToolRefusal> {
    let pack = draft.facts.pack;
    let Some(spec) = pack.terminal_tools.get(tool) else {
        return Err(ToolRefusal::UnknownTool { offered: pack.terminal_tools.keys().map(ToolName::wire).collect() });
    };
    let problems = spec.schema.problems(args);
    if !problems.is_empty() {
        return Err(ToolRefusal::InvalidArguments { problems });
    }
    let refusals = pack.rosters.check(&spec.rosters, args);
    if refusals.is_empty() { Ok(()) } else { Err(ToolRefusal::OutOfRoster { refusals }) }
}
