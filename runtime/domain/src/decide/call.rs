//! What a model's reply proposes, call by call: schema, roster, gate; then an intent, a question to a person, or a no.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::draft::Draft;
use crate::call::{Call, CallOwner, CallState};
use crate::envelope::FINISH_TOOL;
use crate::event::{ApprovalRequested, FieldsPatched, FindingRecorded, GateFired, ToolIntended, ToolRefused};
use crate::gate::{GateAction, GateCall, GateDecision, should_gate};
use crate::ids::{ApprovalId, AssignmentId, CallId, Digest, ToolName};
use crate::inject::{self, Prepared};
use crate::model::Arguments;
use crate::pack::{AgentSpec, PatchTool};
use crate::refusal::ToolRefusal;
use crate::schema::ArgSchema;
use crate::tool::{EffectClass, ToolSpec};

/// Takes every call of the reply just recorded as far as it goes without the world.
pub(super) fn propose_all(draft: &mut Draft<'_>, assignment: AssignmentId) {
    let Some(work) = draft.session.works().get(&assignment) else { return };
    let Some(agent) = draft.facts.pack.agents.get(&work.agent) else { return };
    let calls: Vec<Call> = draft.session.calls_of(work).cloned().collect();
    let mut claimed = false;
    for call in calls {
        let name = agent.tools.iter().find(|name| name.wire() == call.wire);
        let terminal = name.is_some_and(|name| draft.facts.pack.terminal_tools.contains_key(name));
        let result =
            if terminal && claimed { Err(ToolRefusal::SecondClaim) } else { propose(draft, agent, name, &call) };
        claimed |= terminal;
        if let Err(refusal) = result {
            draft.push(ToolRefused { call: call.id, tool: call.wire, refusal });
        }
    }
}

fn propose(draft: &mut Draft<'_>, agent: &AgentSpec, name: Option<&ToolName>, call: &Call) -> Result<(), ToolRefusal> {
    let pack = draft.facts.pack;
    let args = match &*call.args {
        Arguments::Json(Value::Object(args)) => args,
        Arguments::Json(_) => return Err(ToolRefusal::BrokenArguments { detail: "not an object".to_owned() }),
        Arguments::Broken(text) => return Err(ToolRefusal::BrokenArguments { detail: text.clone() }),
    };
    let Some(name) = name else {
        // The turn's end is looked at when everything else has settled, as is a terminal claim.
        return if call.wire == FINISH_TOOL { Ok(()) } else { Err(unknown_tool(agent)) };
    };
    let authority = agent.role.authority;
    if pack.terminal_tools.contains_key(name) {
        if authority.closes() { Ok(()) } else { Err(unknown_tool(agent)) }
    } else if let Some(schema) = pack.findings_tools.get(name) {
        let finding = fits(schema, args)?;
        draft.push(FindingRecorded { call: call.id.clone(), tool: name.clone(), finding });
        Ok(())
    } else if let Some(tool) = pack.patch_tools.get(name) {
        let patch = patch(draft, tool, args)?;
        draft.push(FieldsPatched { call: call.id.clone(), patch });
        Ok(())
    } else if let Some(spec) = draft.facts.catalog.get(name).filter(|spec| authority.allows(spec.effect)) {
        propose_backend(draft, spec, call, args)
    } else {
        Err(unknown_tool(agent))
    }
}

fn unknown_tool(agent: &AgentSpec) -> ToolRefusal {
    let own = agent.tools.iter().map(ToolName::wire);
    ToolRefusal::UnknownTool { offered: own.chain([FINISH_TOOL.to_owned()]).collect() }
}

fn fits(schema: &ArgSchema, args: &Map<String, Value>) -> Result<Arc<Value>, ToolRefusal> {
    let value = Value::Object(args.clone());
    let problems = schema.problems(&value);
    if problems.is_empty() { Ok(Arc::new(value)) } else { Err(ToolRefusal::InvalidArguments { problems }) }
}

/// A patch with its aliases resolved, strict by its own schema, and leaving the fields valid.
fn patch(draft: &Draft<'_>, tool: &PatchTool, args: &Map<String, Value>) -> Result<Arc<Value>, ToolRefusal> {
    let mut args = args.clone();
    for (field, value) in &mut args {
        let alias = value.as_str().map(str::to_lowercase).and_then(|word| tool.aliases.get(field)?.get(&word));
        if let Some(canonical) = alias {
            *value = canonical.clone().into();
        }
    }
    let patch = fits(&tool.schema, &args)?;
    let mut fields = draft.session.fields().as_object().cloned().unwrap_or_default();
    fields.extend(args);
    fits(&draft.facts.pack.fields, &fields)?;
    Ok(patch)
}

fn propose_backend(
    draft: &mut Draft<'_>,
    spec: &ToolSpec,
    call: &Call,
    args: &Map<String, Value>,
) -> Result<(), ToolRefusal> {
    let values = injected(draft);
    let prepared = inject::prepare(&spec.schema, args, &values);
    check(draft, spec, &prepared.args)?;
    if taken(draft, call) >= draft.facts.pack.limits.tool_calls_per_turn {
        return Err(ToolRefusal::LimitReached);
    }
    let decision = gate(draft, spec, &prepared.args);
    if decision.action != GateAction::Auto {
        draft.push(GateFired { call: Some(call.id.clone()), action: decision.action, reason: decision.reason });
    }
    match decision.action {
        GateAction::Deny => return Err(ToolRefusal::Denied { reason: decision.reason }),
        GateAction::Approve => ask_person(draft, &call.id, &spec.name, prepared, decision),
        GateAction::Auto | GateAction::Notify => intend(draft, spec, call.id.clone(), prepared),
    }
    Ok(())
}

/// How many calls of its work were made or wait for a person.
fn taken(draft: &Draft<'_>, call: &Call) -> u32 {
    let work = match call.owner {
        CallOwner::Work(assignment) => draft.session.works().get(&assignment),
        CallOwner::Claim => None,
    };
    work.map_or(0, |work| {
        let waits = |call: &&Call| match &call.state {
            CallState::Waiting(_) => true,
            CallState::Proposed
            | CallState::Approved(_)
            | CallState::Intended(_)
            | CallState::Probing(_)
            | CallState::Unknown(_)
            | CallState::Settled(_) => false,
        };
        let waiting = draft.session.calls_of(work).filter(waits).count();
        work.tool_calls.saturating_add(u32::try_from(waiting).unwrap_or(u32::MAX))
    })
}

fn injected(draft: &Draft<'_>) -> inject::Injection {
    let session = &draft.session;
    inject::values(&draft.facts.pack.inject, session.id(), session.handle(), session.fields())
}

/// Schema and rosters of a backend tool's final arguments.
pub(super) fn check(draft: &Draft<'_>, spec: &ToolSpec, args: &Value) -> Result<(), ToolRefusal> {
    let problems = spec.schema.problems(args);
    if !problems.is_empty() {
        return Err(ToolRefusal::InvalidArguments { problems });
    }
    let refusals = draft.facts.pack.rosters.check(&spec.rosters, args);
    if refusals.is_empty() { Ok(()) } else { Err(ToolRefusal::OutOfRoster { refusals }) }
}

/// The gate's answer for a backend call. The environment is the call's own (after injection), else the session's.
pub(super) fn gate(draft: &Draft<'_>, spec: &ToolSpec, args: &Value) -> GateDecision {
    let own = args.get("environment").and_then(Value::as_str);
    let values = injected(draft);
    let environment = own.or_else(|| values.get("environment")?.as_ref()?.as_str());
    let call =
        GateCall { tool: &spec.name, risk: spec.risk, changes_world: spec.effect != EffectClass::Read, environment };
    should_gate(&call, draft.session.confidence(), &draft.facts.pack.gates)
}

/// Asks a person: a durable, expiring, one-time capability bound to exactly these arguments.
pub(super) fn ask_person(
    draft: &mut Draft<'_>,
    call: &CallId,
    tool: &ToolName,
    prepared: Prepared,
    decision: GateDecision,
) {
    let policy = &draft.facts.pack.gates;
    let asked = ApprovalRequested {
        approval: ApprovalId::of(draft.session.id(), call),
        call: call.clone(),
        tool: tool.clone(),
        args_hash: Digest::of_json(&prepared.args),
        args: prepared.args.into(),
        injected: prepared.injected,
        overridden: prepared.overridden,
        dropped: prepared.dropped,
        policy_digest: policy.digest,
        reason: decision.reason,
        min: policy.approval.min,
        not_requester: policy.approval.not_requester,
        expires_at: draft.facts.now.plus(policy.approval.expires),
    };
    draft.push(asked);
}

/// Records that a call will be made; only after this is durable is it made.
pub(super) fn intend(draft: &mut Draft<'_>, spec: &ToolSpec, call: CallId, prepared: Prepared) {
    draft.push(ToolIntended {
        call,
        tool: spec.name.clone(),
        args: prepared.args.into(),
        effect: spec.effect,
        injected: prepared.injected,
        overridden: prepared.overridden,
        dropped: prepared.dropped,
        approval: None,
    });
}

/// The intent of an approved call, in the same append as the approval's consumption.
pub(super) fn intend_approved(draft: &mut Draft<'_>, asked: &ApprovalRequested) {
    let Some(CallState::Approved(args)) = draft.session.call(&asked.call).map(|call| call.state.clone()) else {
        return;
    };
    let Some(spec) = draft.facts.catalog.get(&asked.tool) else { return };
    draft.push(ToolIntended {
        call: asked.call.clone(),
        tool: asked.tool.clone(),
        args,
        effect: spec.effect,
        injected: asked.injected.clone(),
        overridden: asked.overridden.clone(),
        dropped: asked.dropped.clone(),
        approval: Some(asked.approval.clone()),
    });
}

/// Intends a terminal claim's effect, with the claim's arguments as far as the tool declares them.
pub(super) fn intend_effect(
    draft: &mut Draft<'_>,
    tool: &ToolName,
    id: &CallId,
    args: &Value,
) -> Result<(), ToolRefusal> {
    let Some(spec) = draft.facts.catalog.get(tool) else {
        return Err(ToolRefusal::EffectFailed {
            tool: tool.to_string(),
            detail: "no such tool is configured".to_owned(),
        });
    };
    let args = args.as_object().cloned().unwrap_or_default();
    let prepared = inject::prepare(&spec.schema, &args, &injected(draft));
    check(draft, spec, &prepared.args)?;
    intend(draft, spec, id.effect(), prepared);
    Ok(())
}
