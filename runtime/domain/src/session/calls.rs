//! The fold of a call's life: intended, returned, refused, in doubt, settled.

use std::sync::Arc;

use serde_json::{Value, json};

use super::header::{DECIDED_MAX, PendingApproval, RESULTS_MAX, Session};
use super::works::push_bounded;
use crate::call::{Call, CallOwner, CallState, DeferredCall, Intent};
use crate::claims::HeldClaim;
use crate::event::{
    ApprovalDecided, ApprovalDecision, ApprovalRequested, ApprovalStale, Event, OutcomeSettled, Settlement,
    ToolDeferred, ToolIntended, ToolReturned,
};
use crate::evidence::{Evidence, ResultKind};
use crate::ids::{ApprovalId, AssignmentId, CallId, Fence, Seq, ToolName};
use crate::model::Arguments;
use crate::outage::Deferral;
use crate::refusal::ToolRefusal;
use crate::tool::{Blob, EffectClass, Happened, RecordedOutcome};
use crate::work::WorkKind;

impl Session {
    pub(super) fn tool_intended(&mut self, intended: &ToolIntended, event: &Event) -> Result<(), String> {
        let (tool, args, fence) = (intended.tool.clone(), Arc::clone(&intended.args), event.fence);
        self.unused.remove(&intended.call);
        if let Some(key) = intended.target.clone() {
            self.held.insert(intended.call.clone(), HeldClaim { key, tool: tool.clone(), since: event.at });
        }
        let edited = self.editors.contains_key(&intended.call);
        let altered = edited || !intended.overridden.is_empty() || !intended.dropped.is_empty();
        let intent =
            Intent { tool, args, effect: intended.effect, fence, probes: 0, lost: false, altered, deferred: None };
        self.set_state(&intended.call, &intended.tool, &intended.args, CallState::Intended(intent))?;
        // What tells people, as the effect of a claim does, changes nothing that is measured.
        let own_effect = self.calls.get(&intended.call).is_some_and(|call| call.owner == CallOwner::Claim);
        if intended.effect != EffectClass::Read && !own_effect {
            self.acted_at = Some(event.at);
        }
        if let Some(assignment) = self.work_of(&intended.call) {
            self.work_mut(assignment)?.tool_calls += 1;
        }
        Ok(())
    }

    /// Moves a call to a state. One that no reply proposed begins with it.
    fn set_state(&mut self, id: &CallId, tool: &ToolName, args: &Arc<Value>, state: CallState) -> Result<(), String> {
        if let Ok(call) = self.call_mut(id) {
            call.state = state;
            return Ok(());
        }
        let owner = self.owner_of(id)?;
        let args = Arc::new(Arguments::Json((**args).clone()));
        let call = Call { id: id.clone(), owner, wire: tool.wire(), args, state };
        match owner {
            CallOwner::Work(assignment) => {
                // A poll replaces the one before it; the calls of one poll stand beside each other.
                let calls = self.take_calls(assignment)?;
                for earlier in calls.into_iter().filter(|call| call.settled().is_none()) {
                    self.add_call(assignment, earlier)?;
                }
                self.add_call(assignment, call)?;
            }
            CallOwner::Claim => drop(self.calls.insert(call.id.clone(), call)),
        }
        Ok(())
    }

    /// A call that waits for a person: one of a reply, or the effect of the open claim.
    pub(super) fn approval_requested(&mut self, asked: &ApprovalRequested, event: &Event) -> Result<(), String> {
        self.set_state(&asked.call, &asked.tool, &asked.args, CallState::Waiting(asked.approval.clone()))?;
        let pending = PendingApproval { asked: asked.clone(), at: event.at, approved_by: Vec::new() };
        self.approvals.insert(asked.approval.clone(), pending);
        Ok(())
    }

    /// Who waits for a call that no reply proposed: the open claim for its effect, or a measurement for its poll.
    fn owner_of(&self, id: &CallId) -> Result<CallOwner, String> {
        if self.claim.as_ref().is_some_and(|claim| *id == claim.call.effect()) {
            return Ok(CallOwner::Claim);
        }
        let polls = |assignment: &AssignmentId| {
            self.works.get(assignment).is_some_and(|work| match work.kind {
                WorkKind::Watching(_) => true,
                WorkKind::Asking(_) => false,
            })
        };
        id.assignment().filter(polls).map(CallOwner::Work).ok_or_else(|| format!("call {id}"))
    }

    /// The work a call counts for: the one that waits for it, or whose claim it is the effect of.
    pub(super) fn work_of(&self, id: &CallId) -> Option<AssignmentId> {
        match self.calls.get(id)?.owner {
            CallOwner::Work(assignment) => Some(assignment),
            CallOwner::Claim => match self.calls.get(&self.claim.as_ref()?.call)?.owner {
                CallOwner::Work(assignment) => Some(assignment),
                CallOwner::Claim => None,
            },
        }
    }

    pub(super) fn call_mut(&mut self, id: &CallId) -> Result<&mut Call, String> {
        self.calls.get_mut(id).ok_or_else(|| format!("call {id}"))
    }

    pub(super) fn tool_returned(&mut self, returned: &ToolReturned, seq: Seq) -> Result<(), String> {
        let evidence = Evidence { session: self.id, seq };
        let in_doubt = self.no_more_unknown(&returned.call);
        self.held.remove(&returned.call);
        let (worked, mut result) = shown(&returned.outcome, evidence);
        let ended = self.status.is_end();
        let effect = match self.call_mut(&returned.call) {
            Ok(call) => {
                let effect = match &call.state {
                    CallState::Intended(intent) | CallState::Probing(intent) | CallState::Unknown(intent) => {
                        if intent.altered
                            && let Some(result) = result.as_object_mut()
                        {
                            result.insert("ran_with".to_owned(), (*intent.args).clone());
                        }
                        intent.effect
                    }
                    CallState::Proposed | CallState::Waiting(_) | CallState::Approved(_) | CallState::Settled(_) => {
                        return Err(format!("an outcome of call {}, which is not being made", returned.call));
                    }
                };
                call.settle(worked, result);
                effect
            }
            // A result that arrives after its turn was abandoned: recorded, changes nothing else.
            Err(_) if ended || in_doubt => return Ok(()),
            Err(what) => return Err(what),
        };
        let did_nothing = match &returned.outcome {
            RecordedOutcome::Failed { failure } => failure.happened == Happened::No,
            RecordedOutcome::Ok { .. }
            | RecordedOutcome::Empty { .. }
            | RecordedOutcome::Truncated { .. }
            | RecordedOutcome::Partial { .. } => false,
        };
        let own_effect = self.calls.get(&returned.call).is_some_and(|call| call.owner == CallOwner::Claim);
        if effect != EffectClass::Read && !did_nothing && !own_effect {
            self.changed_at = seq;
        }
        push_bounded(&mut self.results, (seq, ResultKind::of(&returned.outcome)), RESULTS_MAX);
        if let Some(assignment) = self.work_of(&returned.call) {
            self.work_mut(assignment)?.evidence_found(seq);
        }
        Ok(())
    }

    pub(super) fn tool_deferred(&mut self, deferred: &ToolDeferred, event: &Event) -> Result<(), String> {
        let ToolDeferred { call, failure, attempt, waiting_since, next_at, budget_ends_at } = deferred;
        let made = self.call_mut(call)?;
        let intent = made.intent().ok_or_else(|| format!("call {call}, which is not being made"))?;
        let deferral = Deferral {
            attempt: *attempt,
            waiting_since: *waiting_since,
            deferred_at: event.at,
            fence: event.fence,
            next_at: *next_at,
            budget_ends_at: *budget_ends_at,
            why: Deferral::words(&failure.detail),
        };
        let lost = intent.lost || (failure.happened == Happened::Maybe && intent.effect != EffectClass::Read);
        let deferred = Some(Box::new(DeferredCall { deferral, failure: failure.clone(), pauses: true }));
        made.state = CallState::Intended(Intent { lost, deferred, ..intent.clone() });
        Ok(())
    }

    pub(super) fn refused(&mut self, call: &CallId, refusal: &ToolRefusal) -> Result<(), String> {
        let status = match refusal {
            ToolRefusal::Rejected { .. } => "rejected",
            ToolRefusal::Expired => "expired",
            ToolRefusal::Cancelled => "cancelled",
            ToolRefusal::UnknownTool { .. }
            | ToolRefusal::BrokenArguments { .. }
            | ToolRefusal::InvalidArguments { .. }
            | ToolRefusal::OutOfRoster { .. }
            | ToolRefusal::Denied { .. }
            | ToolRefusal::LimitReached
            | ToolRefusal::SiblingsFailed { .. }
            | ToolRefusal::SecondClaim
            | ToolRefusal::UnknownEvidence { .. }
            | ToolRefusal::NoEvidence { .. }
            | ToolRefusal::TooManyFindings { .. }
            | ToolRefusal::FindingRepeated { .. }
            | ToolRefusal::Unmet { .. }
            | ToolRefusal::ConditionUnmet { .. }
            | ToolRefusal::EffectFailed { .. }
            | ToolRefusal::TargetBusy { .. }
            | ToolRefusal::RepeatLimit { .. } => "refused",
        };
        let mut result = json!({"status": status, "reason": refusal.word(), "detail": refusal.to_string()});
        if let (Some(result), Some(data)) = (result.as_object_mut(), refusal.data()) {
            result.extend(data);
        }
        self.unused.remove(call);
        self.call_mut(call)?.settle(false, result);
        Ok(())
    }

    pub(super) fn reissued(&mut self, call: &CallId, fence: Fence) -> Result<(), String> {
        let made = self.call_mut(call)?;
        match &made.state {
            // It paused: nothing of it was under way.
            CallState::Intended(intent) if intent.deferred.as_ref().is_some_and(|deferred| deferred.pauses) => {
                let mut intent = Intent { fence, ..intent.clone() };
                if let Some(deferred) = &mut intent.deferred {
                    deferred.pauses = false;
                }
                made.state = CallState::Intended(intent);
                Ok(())
            }
            // What changes nothing cannot have happened.
            CallState::Intended(intent) => {
                let lost = intent.effect != EffectClass::Read;
                made.state = CallState::Intended(Intent { fence, lost, ..intent.clone() });
                Ok(())
            }
            // Its tool said that it did not happen.
            CallState::Probing(intent) => {
                made.state = CallState::Intended(Intent { fence, ..intent.clone() });
                Ok(())
            }
            CallState::Proposed
            | CallState::Waiting(_)
            | CallState::Approved(_)
            | CallState::Unknown(_)
            | CallState::Settled(_) => Err(format!("call {call}, which is not being made")),
        }
    }

    pub(super) fn probe_requested(&mut self, call: &CallId) -> Result<(), String> {
        let made = self.call_mut(call)?;
        let intent = made.intent().ok_or_else(|| format!("call {call}, which is not being made"))?;
        made.state = CallState::Probing(Intent { probes: intent.probes + 1, ..intent.clone() });
        Ok(())
    }

    /// What was said changes nothing by itself: the next event of the same append does.
    pub(super) fn call_probed(&mut self, call: &CallId) -> Result<(), String> {
        let probing = self.call_mut(call)?.probing().is_some();
        if probing { Ok(()) } else { Err(format!("call {call}, which nobody asks about")) }
    }

    pub(super) fn forget_approval(&mut self, approval: &ApprovalId) -> Result<PendingApproval, String> {
        let pending = self.approvals.remove(approval).ok_or_else(|| approval.to_string())?;
        push_bounded(&mut self.decided, approval.clone(), DECIDED_MAX);
        Ok(pending)
    }

    pub(super) fn approval_decided(&mut self, decided: &ApprovalDecided) -> Result<(), String> {
        let pending = self.forget_approval(&decided.approval)?;
        let refusal = match &decided.decision {
            ApprovalDecision::Approved => {
                self.call_mut(&decided.call)?.state = CallState::Approved(Arc::clone(&pending.asked.args));
                self.unused.insert(decided.call.clone(), pending);
                return Ok(());
            }
            ApprovalDecision::Edited { args, .. } => {
                self.editors.insert(decided.call.clone(), decided.by.clone());
                self.call_mut(&decided.call)?.state = CallState::Approved(Arc::clone(args));
                self.unused.insert(decided.call.clone(), pending);
                return Ok(());
            }
            ApprovalDecision::Responded { text } => {
                self.call_mut(&decided.call)?
                    .settle(false, json!({"status": "answered", "by": decided.by, "content": text}));
                return Ok(());
            }
            ApprovalDecision::Rejected { reason } => {
                ToolRefusal::Rejected { by: decided.by.clone(), reason: reason.clone() }
            }
            ApprovalDecision::Cancelled => ToolRefusal::Cancelled,
        };
        self.refused(&decided.call, &refusal)
    }

    /// What was asked, or allowed, counts no more; the next event of the same append says what becomes of the call.
    pub(super) fn approval_stale(&mut self, stale: &ApprovalStale) -> Result<(), String> {
        self.editors.remove(&stale.call);
        if self.unused.remove(&stale.call).is_none() {
            drop(self.forget_approval(&stale.approval)?);
        }
        self.call_mut(&stale.call)?.state = CallState::Proposed;
        Ok(())
    }

    /// Takes a call off the list of those in doubt. Whether it stood there.
    fn no_more_unknown(&mut self, id: &CallId) -> bool {
        self.repeated.remove(id);
        self.unknown.remove(id).is_some()
    }

    pub(super) fn outcome_unknown(&mut self, id: &CallId, cause: &str, seq: Seq) {
        if self.may_have_happened_before(id) {
            self.repeated.insert(id.clone());
        }
        self.unknown.insert(id.clone(), cause.to_owned());
        self.changed_at = seq;
        if let Ok(call) = self.call_mut(id)
            && let CallState::Intended(intent) | CallState::Probing(intent) = &call.state
        {
            call.state = CallState::Unknown(intent.clone());
        }
    }

    pub(super) fn outcome_settled(&mut self, settled: &OutcomeSettled, seq: Seq) -> Result<(), String> {
        if !self.no_more_unknown(&settled.call) {
            return Err(format!("call {} in doubt", settled.call));
        }
        self.held.remove(&settled.call);
        let (worked, status, note) = match &settled.settlement {
            Settlement::Happened { note } => (true, "ok", note),
            Settlement::DidNotHappen { note } => (false, "failed", note),
            Settlement::GiveUp { note } => (false, "unknown", note),
        };
        if worked {
            self.changed_at = seq;
        }
        if let Ok(call) = self.call_mut(&settled.call) {
            let by = &settled.by;
            let detail = format!("interrupted, and settled by {by}: {note}");
            call.settle(worked, json!({"status": status, "verified": false, "detail": detail}));
        }
        Ok(())
    }
}

/// A result as the model is shown it. Content stored by hash is named by `stored` and put in when the request is built.
fn shown(outcome: &RecordedOutcome, evidence: Evidence) -> (bool, Value) {
    let mut result = match outcome {
        RecordedOutcome::Ok { .. } => json!({"status": "ok"}),
        RecordedOutcome::Empty { note } => json!({"status": "empty", "detail": note}),
        RecordedOutcome::Truncated { total_bytes, .. } => json!({"status": "truncated", "total_bytes": total_bytes}),
        RecordedOutcome::Partial { why, .. } => json!({"status": "partial", "detail": why}),
        RecordedOutcome::Failed { failure } => json!({"status": "failed", "failure": failure}),
    };
    if let Some(object) = result.as_object_mut() {
        object.insert("evidence".to_owned(), evidence.to_string().into());
        match outcome.blob() {
            Some(Blob::Inline(content)) => drop(object.insert("content".to_owned(), (**content).clone())),
            Some(Blob::Stored { sha256, .. }) => drop(object.insert("stored".to_owned(), sha256.hex().into())),
            None => {}
        }
    }
    (outcome.worked(), result)
}
