//! What a model's reply proposes, call by call: schema, roster, gate; then an intent, a question to a person, or a no.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::draft::{Draft, runtime};
use super::intent::{self, CallOrigin, GateAnswer};
use super::target::{self, CallStanding};
use crate::call::{Call, CallOwner, CallState};
use crate::decode::decoded;
use crate::envelope::{EnvelopeSource, FINISH_TOOL};
use crate::event::{
    ApprovalRequested, ApprovalStale, ConfidenceEmitted, FieldsPatched, FindingRecorded, StaleReason, ToolRefused,
};
use crate::gate::{GateAction, GateReason};
use crate::ids::{AgentName, ApprovalId, AssignmentId, CallId, Digest, ToolName};
use crate::inject::{self, Prepared};
use crate::model::Arguments;
use crate::pack::{AgentSpec, FINDINGS_MAX, FindingsTool, PatchTool};
use crate::principal::Principal;
use crate::refusal::ToolRefusal;
use crate::schema::ArgSchema;
use crate::session::{OpenClaim, PendingApproval};
use crate::tool::ToolSpec;

/// Takes every call of the reply just recorded as far as it goes without the world.
pub(super) fn propose_all(draft: &mut Draft<'_>, assignment: AssignmentId) {
    let Some(work) = draft.session.works().get(&assignment) else { return };
    let Some(agent) = draft.facts.pack.agents.get(&work.agent) else { return };
    let calls: Vec<Call> = draft.session.calls_of(work).cloned().collect();
    let mut claimed = false;
    for call in calls {
        let name = agent.tools.iter().find(|name| name.is_wired_as(&call.wire));
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
    } else if let Some(tool) = pack.findings_tools.get(name) {
        let finding = fits(&tool.schema, &decoded(tool.schema.raw(), args))?;
        draft.citations().check(&tool.schema, &finding)?;
        may_record(draft, &agent.name, (name, tool), &finding)?;
        record_finding(draft, call, name, finding);
        Ok(())
    } else if let Some(tool) = pack.patch_tools.get(name) {
        let patch = patch(draft, tool, args)?;
        draft.push(FieldsPatched { call: call.id.clone(), patch });
        Ok(())
    } else if let Some(spec) = draft.facts.catalog.get(name).filter(|spec| authority.allows(spec.effect)) {
        if !inject::has_all(draft.session.fields(), inject::needs(pack, &spec.schema).into_iter()) {
            return Err(unknown_tool(agent));
        }
        propose_backend(draft, spec, call, args)
    } else {
        Err(unknown_tool(agent))
    }
}

/// Whether the session has room for a finding, and its agent has not recorded the same one before.
fn may_record(
    draft: &Draft<'_>,
    agent: &AgentName,
    (name, tool): (&ToolName, &FindingsTool),
    finding: &Value,
) -> Result<(), ToolRefusal> {
    let findings = draft.session.findings();
    if findings.values().map(Vec::len).sum::<usize>() >= FINDINGS_MAX {
        return Err(ToolRefusal::TooManyFindings { max: FINDINGS_MAX, tool: None });
    }
    if let Some(max) = tool.max
        && findings.get(name).map_or(0, Vec::len) >= max
    {
        return Err(ToolRefusal::TooManyFindings { max, tool: Some(name.wire()) });
    }
    if draft.session.findings_by(agent, name).any(|earlier| tool.are_same(earlier, finding)) {
        return Err(ToolRefusal::FindingRepeated { by: tool.unique.clone() });
    }
    Ok(())
}

/// Records a finding; a confidence that it states is the agent's from here on.
fn record_finding(draft: &mut Draft<'_>, call: &Call, tool: &ToolName, finding: Arc<Value>) {
    draft.push(FindingRecorded { call: call.id.clone(), tool: tool.clone(), finding });
    if let CallOwner::Work(assignment) = call.owner
        && let Some((stated_by, confidence)) =
            draft.session.works().get(&assignment).and_then(|work| work.stated.clone())
        && stated_by == call.id
    {
        draft.push(ConfidenceEmitted { assignment, confidence, source: EnvelopeSource::FindingArguments });
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
    let mut args = decoded(tool.schema.raw(), args);
    for (field, value) in &mut args {
        let alias = value.as_str().map(str::to_lowercase).and_then(|word| tool.aliases.get(field)?.get(&word));
        if let Some(canonical) = alias {
            *value = canonical.clone().into();
        }
    }
    let patch = fits(&tool.schema, &args)?;
    let mut fields = draft.session.fields().as_object().cloned().unwrap_or_default();
    fields.extend(args);
    // What a session lacks already is not this patch's fault.
    let before = draft.facts.pack.fields.problems(draft.session.fields());
    let mut problems = draft.facts.pack.fields.problems(&Value::Object(fields));
    problems.retain(|problem| !before.contains(problem));
    if problems.is_empty() { Ok(patch) } else { Err(ToolRefusal::InvalidArguments { problems }) }
}

fn propose_backend(
    draft: &mut Draft<'_>,
    spec: &ToolSpec,
    call: &Call,
    args: &Map<String, Value>,
) -> Result<(), ToolRefusal> {
    let prepared = inject::prepare(&spec.schema, &decoded(spec.schema.raw(), args), &intent::injected(draft));
    check(draft, spec, &prepared.args)?;
    if taken(draft, call) >= draft.facts.pack.limits.tool_calls_per_turn {
        return Err(ToolRefusal::LimitReached);
    }
    let asks = match intent::decision(draft, spec, &prepared.args, CallOrigin::Agent).action {
        GateAction::Auto | GateAction::Notify => false,
        GateAction::Approve | GateAction::Deny => true,
    };
    match target::standing(draft, spec, &call.id, &prepared.args, None) {
        // It stays proposed until the call before it has its outcome. A person may be asked meanwhile.
        CallStanding::Waits if !asks => return Ok(()),
        CallStanding::Refused(refusal) => return Err(refusal),
        CallStanding::Waits | CallStanding::Free | CallStanding::Stale(_) => {}
    }
    match intent::gate(draft, spec, &call.id, prepared, CallOrigin::Agent) {
        GateAnswer::Cleared(cleared) => intent::record(draft, spec, call.id.clone(), cleared),
        GateAnswer::Asks(prepared, decision) => ask_person(draft, &call.id, &spec.name, prepared, decision.reason),
        GateAnswer::Denied(reason) => return Err(ToolRefusal::Denied { reason }),
    }
    Ok(())
}

/// Calls of works, or an open claim's effect, that wait for another call of this session to be done with their target.
pub(super) fn waiting(draft: &Draft<'_>) -> BTreeSet<CallId> {
    let backend = |call: &&Call| match &call.state {
        CallState::Proposed => proposed_spec(draft, call).is_some(),
        CallState::Approved(_) => approved_spec(draft, call).is_some(),
        CallState::Waiting(_)
        | CallState::Intended(_)
        | CallState::Probing(_)
        | CallState::Unknown(_)
        | CallState::Settled(_) => false,
    };
    draft.session.open_calls().filter(backend).map(|call| call.id.clone()).collect()
}

/// The first of these calls whose target is free of other calls of this session. While a claim is open only its effect goes on.
pub(super) fn ready(draft: &Draft<'_>, waiting: &BTreeSet<CallId>) -> Option<CallId> {
    if waiting.is_empty() {
        return None;
    }
    let claimed = draft.session.claim().is_some();
    let is_ready = |call: &&Call| {
        if !waiting.contains(&call.id) || claimed != (call.owner == CallOwner::Claim) {
            return false;
        }
        let (spec, args) = match &call.state {
            CallState::Approved(args) => (approved_spec(draft, call), Arc::clone(args)),
            CallState::Proposed => {
                let spec = proposed_spec(draft, call);
                let prepared = spec.and_then(|spec| match &*call.args {
                    Arguments::Json(args) => {
                        Some(inject::prepare(&spec.schema, args.as_object()?, &intent::injected(draft)))
                    }
                    Arguments::Broken(_) => None,
                });
                (spec, Arc::new(prepared.map(|prepared| prepared.args).unwrap_or_default()))
            }
            CallState::Waiting(_)
            | CallState::Intended(_)
            | CallState::Probing(_)
            | CallState::Unknown(_)
            | CallState::Settled(_) => return false,
        };
        spec.is_some_and(|spec| match target::standing(draft, spec, &call.id, &args, draft.session.unused(&call.id)) {
            CallStanding::Waits => false,
            CallStanding::Free | CallStanding::Stale(_) | CallStanding::Refused(_) => true,
        })
    };
    draft.session.open_calls().find(is_ready).map(|call| call.id.clone())
}

fn proposed_spec<'a>(draft: &Draft<'a>, call: &Call) -> Option<&'a Arc<ToolSpec>> {
    let CallOwner::Work(assignment) = call.owner else { return None };
    let agent = draft.facts.pack.agents.get(&draft.session.works().get(&assignment)?.agent)?;
    let name = agent.tools.iter().find(|name| name.is_wired_as(&call.wire))?;
    draft.facts.catalog.get(name)
}

fn approved_spec<'a>(draft: &Draft<'a>, call: &Call) -> Option<&'a Arc<ToolSpec>> {
    draft.facts.catalog.get(&draft.session.unused(&call.id)?.asked.tool)
}

/// Goes on with a call that waited for its target.
pub(super) fn go_on(draft: &mut Draft<'_>, id: &CallId) {
    let Some(call) = draft.session.call(id).cloned() else { return };
    let result = match (&call.state, &*call.args) {
        (CallState::Approved(_), _) => return intend_approved(draft, id),
        (_, Arguments::Json(Value::Object(args))) => match proposed_spec(draft, &call).cloned() {
            Some(spec) => propose_backend(draft, &spec, &call, args),
            None => return,
        },
        (_, Arguments::Json(_) | Arguments::Broken(_)) => return,
    };
    if let Err(refusal) = result {
        draft.push(ToolRefused { call: call.id, tool: call.wire, refusal });
    }
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

/// Schema and rosters of a backend tool's final arguments.
pub(super) fn check(draft: &Draft<'_>, spec: &ToolSpec, args: &Value) -> Result<(), ToolRefusal> {
    let problems = spec.schema.problems(args);
    if !problems.is_empty() {
        return Err(ToolRefusal::InvalidArguments { problems });
    }
    let refusals = draft.facts.pack.rosters.check(&spec.rosters, args);
    if refusals.is_empty() { Ok(()) } else { Err(ToolRefusal::OutOfRoster { refusals }) }
}

/// Asks a person: a durable, expiring, one-time capability bound to exactly these arguments.
pub(super) fn ask_person(
    draft: &mut Draft<'_>,
    call: &CallId,
    tool: &ToolName,
    prepared: Prepared,
    reason: GateReason,
) {
    ask(draft, (call, tool), prepared, reason, None);
}

fn ask(
    draft: &mut Draft<'_>,
    (call, tool): (&CallId, &ToolName),
    prepared: Prepared,
    reason: GateReason,
    replaces: Option<ApprovalId>,
) {
    let policy = &draft.facts.pack.gates;
    let asked = ApprovalRequested {
        approval: replaces.as_ref().map_or_else(|| ApprovalId::of(draft.session.id(), call), ApprovalId::anew),
        call: call.clone(),
        tool: tool.clone(),
        args_hash: Digest::of_json(&prepared.args),
        args: prepared.args.into(),
        injected: prepared.injected,
        overridden: prepared.overridden,
        dropped: prepared.dropped,
        policy_digest: policy.digest,
        reason,
        min: policy.approval.min,
        not_requester: policy.approval.not_requester,
        expires_at: draft.facts.now.plus(policy.approval.expires),
        replaces,
    };
    draft.push(asked);
}

/// The intent of an approved call: in the same append as the answer, unless another call of this session acts on its target.
pub(super) fn intend_approved(draft: &mut Draft<'_>, call: &CallId) {
    let Some(given) = draft.session.unused(call).cloned() else { return };
    let Some(cleared) = intent::approved(draft, &given) else { return };
    let Some(spec) = draft.facts.catalog.get(&given.asked.tool) else { return };
    match target::standing(draft, spec, call, cleared.args(), Some(&given)) {
        CallStanding::Free => intent::record(draft, spec, call.clone(), cleared),
        CallStanding::Waits => {}
        CallStanding::Stale(why) => ask_anew(draft, &runtime(), &given, why),
        CallStanding::Refused(refusal) => {
            draft.push(ToolRefused { call: call.clone(), tool: spec.name.wire(), refusal });
        }
    }
}

/// Asks again, with what the session supplies now: what was asked before is not what is there.
pub(super) fn ask_anew(draft: &mut Draft<'_>, by: &Principal, given: &PendingApproval, why: StaleReason) {
    let ApprovalRequested { approval, call, tool, args, injected, overridden, dropped, reason, .. } =
        given.asked.clone();
    draft.push(ApprovalStale { approval: approval.clone(), call: call.clone(), by: by.clone(), why });
    let mut args = (*args).clone();
    let present = intent::injected(draft);
    if let Some(args) = args.as_object_mut() {
        for name in &injected {
            match present.get(name) {
                Some(Some(value)) => drop(args.insert(name.clone(), value.clone())),
                Some(None) | None => drop(args.remove(name)),
            }
        }
    }
    let checked = draft.facts.catalog.get(&tool).map_or(Ok(()), |spec| check(draft, spec, &args));
    match checked {
        Ok(()) => ask(draft, (&call, &tool), Prepared { args, injected, overridden, dropped }, reason, Some(approval)),
        Err(refusal) => draft.push(ToolRefused { call, tool: tool.wire(), refusal }),
    }
}

/// Carries on with a terminal claim's effect, with the claim's arguments as far as the tool declares them: it is intended,
/// or a person is asked for it, like any other call.
pub(super) fn propose_effect(draft: &mut Draft<'_>, tool: &ToolName, open: &OpenClaim) -> Result<(), ToolRefusal> {
    let Some(spec) = draft.facts.catalog.get(tool) else {
        return Err(ToolRefusal::EffectFailed {
            tool: tool.to_string(),
            detail: "no such tool is configured".to_owned(),
        });
    };
    let args = open.args.as_object().cloned().unwrap_or_default();
    let prepared = inject::prepare(&spec.schema, &args, &intent::injected(draft));
    check(draft, spec, &prepared.args)?;
    let caller = if open.by.is_person() { CallOrigin::PersonClaim } else { CallOrigin::AgentClaim };
    let effect = open.call.effect();
    match target::standing(draft, spec, &effect, &prepared.args, None) {
        CallStanding::Free | CallStanding::Stale(_) => {}
        CallStanding::Refused(refusal) => return Err(refusal),
        CallStanding::Waits => return Err(intent::busy(draft, spec, &prepared.args)),
    }
    match intent::gate(draft, spec, &effect, prepared, caller) {
        GateAnswer::Cleared(cleared) => intent::record(draft, spec, effect, cleared),
        GateAnswer::Asks(prepared, decision) => ask_person(draft, &effect, &spec.name, prepared, decision.reason),
        GateAnswer::Denied(reason) => return Err(ToolRefusal::Denied { reason }),
    }
    Ok(())
}
