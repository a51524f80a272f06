//! Intents: the only place that records one. Each needs a [`Clearance`], and only the gate, or a person's answer to what the
//! gate asked, gives one: for an agent's call, for a measurement, and for the effect of anybody's claim.

use std::sync::Arc;

use serde_json::{Value, json};

use super::draft::Draft;
use crate::call::CallState;
use crate::claims::{ClaimKey, ClaimKind};
use crate::confidence::Confidence;
use crate::event::{GateFired, ToolIntended};
use crate::gate::{ENVIRONMENT, GateAction, GateCall, GateDecision, GateReason, should_gate};
use crate::ids::{ApprovalId, CallId, ToolName};
use crate::inject::{self, Injection, Prepared};
use crate::names::CaseNames;
use crate::projection::TakeClaim;
use crate::refusal::ToolRefusal;
use crate::session::PendingApproval;
use crate::time::Timestamp;
use crate::tool::ToolSpec;

/// The right to make one call with these arguments. Nothing outside this file can build one.
#[derive(Debug)]
#[must_use = "a call that is cleared is to be recorded"]
pub(super) struct Clearance {
    args: Arc<Value>,
    injected: Vec<String>,
    overridden: Vec<inject::Overridden>,
    dropped: Vec<String>,
    /// The approval that is consumed with the intent.
    approval: Option<ApprovalId>,
    /// When a person was asked for it.
    asked_at: Option<Timestamp>,
}

impl Clearance {
    /// The arguments it is for.
    pub(super) fn args(&self) -> &Value {
        &self.args
    }
}

/// Who has a backend tool called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallOrigin {
    /// An agent, through its own call or as a measurement.
    Agent,
    /// An agent's claim, whose effect the call is.
    AgentClaim,
    /// A person's claim, whose effect the call is.
    PersonClaim,
}

/// What the gate says to a call.
#[derive(Debug)]
#[must_use = "a call that nobody carries on with is lost"]
pub(super) enum GateAnswer {
    /// It may run.
    Cleared(Clearance),
    /// A person must be asked first.
    Asks(Prepared, GateDecision),
    /// It must not run.
    Denied(GateReason),
}

/// The session-derived arguments of this session's calls.
pub(super) fn injected(draft: &Draft<'_>) -> Injection {
    let session = &draft.session;
    inject::values(&draft.facts.pack.inject, session.id(), session.handle(), session.fields())
}

/// Puts a call before the gate, and records what the gate does unless it just lets the call run.
pub(super) fn gate(
    draft: &mut Draft<'_>,
    spec: &ToolSpec,
    call: &CallId,
    prepared: Prepared,
    caller: CallOrigin,
) -> GateAnswer {
    let decision = decision(draft, spec, &prepared.args, caller);
    if decision.action != GateAction::Auto {
        draft.push(GateFired { call: Some(call.clone()), action: decision.action, reason: decision.reason });
    }
    match decision.action {
        GateAction::Deny => GateAnswer::Denied(decision.reason),
        GateAction::Approve => GateAnswer::Asks(prepared, decision),
        GateAction::Auto | GateAction::Notify => {
            let Prepared { args, injected, overridden, dropped } = prepared;
            GateAnswer::Cleared(Clearance {
                args: args.into(),
                injected,
                overridden,
                dropped,
                approval: None,
                asked_at: None,
            })
        }
    }
}

/// The gate's answer for a backend call. The environment is the call's own (after injection), else the session's.
pub(super) fn decision(draft: &Draft<'_>, spec: &ToolSpec, args: &Value, caller: CallOrigin) -> GateDecision {
    let own = args.get(ENVIRONMENT).and_then(Value::as_str);
    let values = injected(draft);
    let environment = own.or_else(|| values.get(ENVIRONMENT)?.as_ref()?.as_str());
    let call = GateCall { tool: &spec.name, stake: spec.stake(), changes_world: spec.changes_world(), environment };
    // A person who acts under their own name is not held to how sure an agent was.
    let confidence = match caller {
        CallOrigin::Agent | CallOrigin::AgentClaim => draft.session.confidence(),
        CallOrigin::PersonClaim => Some(Confidence::FULL),
    };
    let mut decision = {
        let names = gate_names(draft, (&spec.name, Some(spec)), args).with("confidence", json!(confidence));
        should_gate(&call, confidence, &draft.facts.pack.gates, &|when| names.judge(when))
    };
    match (caller, decision.action) {
        (CallOrigin::AgentClaim | CallOrigin::PersonClaim, GateAction::Approve) => decision.reason = GateReason::Effect,
        (CallOrigin::Agent, _)
        | (
            CallOrigin::AgentClaim | CallOrigin::PersonClaim,
            GateAction::Auto | GateAction::Notify | GateAction::Deny,
        ) => {}
    }
    decision
}

/// What the conditions of gate rules read about a call.
pub(super) fn gate_names<'a>(
    draft: &'a Draft<'_>,
    (tool, spec): (&ToolName, Option<&ToolSpec>),
    args: &Value,
) -> CaseNames<'a> {
    CaseNames::of_call(&draft.session, draft.now, (tool, spec), args)
}

/// What a call with these arguments claims.
pub(super) fn claims(draft: &Draft<'_>, spec: &ToolSpec, args: &Value) -> Option<ClaimKey> {
    spec.claims(draft.facts.pack.target.as_ref(), args, draft.session.fields())
}

/// The refusal of a call whose target another call of this session acts on.
pub(super) fn busy(draft: &Draft<'_>, spec: &ToolSpec, args: &Value) -> ToolRefusal {
    let target = claims(draft, spec, args).unwrap_or_else(|| ClaimKey::of("", ""));
    let since = draft.session.held_on(&target).map_or(draft.facts.now, |(_, held)| held.since);
    ToolRefusal::TargetBusy { target, holder: draft.session.id(), since }
}

/// The clearance of a call that a person let run.
pub(super) fn approved(draft: &Draft<'_>, given: &PendingApproval) -> Option<Clearance> {
    let asked = &given.asked;
    let CallState::Approved(args) = &draft.session.call(&asked.call)?.state else { return None };
    Some(Clearance {
        args: Arc::clone(args),
        injected: asked.injected.clone(),
        overridden: asked.overridden.clone(),
        dropped: asked.dropped.clone(),
        approval: Some(asked.approval.clone()),
        asked_at: Some(given.at),
    })
}

/// Records that a call will be made; only after this is durable is it made.
pub(super) fn record(draft: &mut Draft<'_>, spec: &ToolSpec, call: CallId, cleared: Clearance) {
    let Clearance { args, injected, overridden, dropped, approval, asked_at } = cleared;
    let (tool, effect) = (spec.name.clone(), spec.effect);
    let target = claims(draft, spec, &args);
    if let Some(key) = target.clone() {
        let (call, tool, repeat) = (call.clone(), tool.clone(), spec.claim.repeat);
        draft.take(TakeClaim { key, kind: ClaimKind::Act, call, tool, repeat, asked_at });
    }
    draft.push(ToolIntended { call, tool, args, effect, injected, overridden, dropped, approval, target });
}
