//! Answers to approvals: each approval is a durable one-time capability, consumed together with the call's intent.

use serde_json::{Map, Value};

use super::draft::Draft;
use super::intent::{self, CallOrigin};
use super::refuse::{check_authority, ended};
use super::target::{self, CallStanding};
use super::{call, claim};
use crate::command::Answer;
use crate::command::Verb;
use crate::event::{ApprovalAnswered, ApprovalDecided, ApprovalDecision, ApprovalExpired};
use crate::gate::GateAction;
use crate::ids::{ApprovalId, Digest, ToolName};
use crate::inject;
use crate::principal::Principal;
use crate::refusal::{Refusal, ToolRefusal};
use crate::session::PendingApproval;

/// Who answers, and why, if they say it.
type Respondent<'a> = (&'a Principal, Option<&'a str>);

pub(super) fn decide(
    draft: &mut Draft<'_>,
    (by, reason): Respondent<'_>,
    approval: &ApprovalId,
    answer: &Answer,
) -> Result<(), Refusal> {
    let who = (by, reason);
    // Whatever else may lead here one day: an approval is a person's.
    check_authority(by, Verb::Answer)?;
    let Some(pending) = draft.session.approvals().get(approval).cloned() else {
        return Err(if draft.session.was_decided(approval) {
            Refusal::ApprovalAlreadyDecided { approval: approval.clone() }
        } else if draft.session.status().is_end() {
            ended(draft.session.status())
        } else {
            Refusal::ApprovalUnknown { approval: approval.clone() }
        });
    };
    if draft.session.outage_since().is_none() && draft.facts.now >= pending.asked.expires_at {
        return Err(Refusal::ApprovalAlreadyDecided { approval: approval.clone() });
    }
    match answer {
        Answer::Approve => approve(draft, who, &pending, ApprovalDecision::Approved),
        Answer::Edit { args } => {
            let args = edited(draft, &pending, args)?;
            let args_hash = Digest::of_json(&args);
            approve(draft, who, &pending, ApprovalDecision::Edited { args: args.into(), args_hash })
        }
        Answer::Reject { reason } => {
            decided(draft, who, &pending, ApprovalDecision::Rejected { reason: reason.clone() });
            Ok(())
        }
        Answer::Respond { text } => {
            decided(draft, who, &pending, ApprovalDecision::Responded { text: text.clone() });
            Ok(())
        }
    }
}

fn decided(draft: &mut Draft<'_>, (by, reason): Respondent<'_>, pending: &PendingApproval, decision: ApprovalDecision) {
    let (approval, call) = (pending.asked.approval.clone(), pending.asked.call.clone());
    draft.push(ApprovalDecided { approval, call, by: by.clone(), decision, reason: reason.map(str::to_owned) });
}

fn approve(
    draft: &mut Draft<'_>,
    (by, reason): Respondent<'_>,
    pending: &PendingApproval,
    decision: ApprovalDecision,
) -> Result<(), Refusal> {
    if pending.asked.not_requester && draft.session.causes(&pending.asked.call).contains(by) {
        return Err(Refusal::ApproverIsRequester { by: by.clone() });
    }
    if pending.approved_by.contains(by) {
        return Err(Refusal::AlreadyApproved { by: by.clone() });
    }
    let enough = pending.approved_by.len() + 1 >= usize::try_from(pending.asked.min).unwrap_or(usize::MAX);
    // An edit changes what the earlier people said yes to, so it can only decide where one person is enough.
    let edits = match decision {
        ApprovalDecision::Edited { .. } => true,
        ApprovalDecision::Approved
        | ApprovalDecision::Rejected { .. }
        | ApprovalDecision::Responded { .. }
        | ApprovalDecision::Cancelled => false,
    };
    if edits && pending.asked.min > 1 {
        let problems = vec!["an approval that needs several people cannot be edited; reject it instead".to_owned()];
        return Err(Refusal::CallRefused { refusal: ToolRefusal::InvalidArguments { problems } });
    }
    if !enough {
        let (approval, reason) = (pending.asked.approval.clone(), reason.map(str::to_owned));
        draft.push(ApprovalAnswered { approval, by: by.clone(), reason });
        return Ok(());
    }
    if let Some(spec) = draft.facts.catalog.get(&pending.asked.tool) {
        let call = &pending.asked.call;
        let args = match &decision {
            ApprovalDecision::Edited { args, .. } => args,
            ApprovalDecision::Approved
            | ApprovalDecision::Rejected { .. }
            | ApprovalDecision::Responded { .. }
            | ApprovalDecision::Cancelled => &pending.asked.args,
        };
        match target::standing(draft, spec, call, args, Some(pending)) {
            CallStanding::Stale(why) => {
                call::ask_anew(draft, by, pending, why);
                return Ok(());
            }
            // It can be answered once that is settled.
            CallStanding::Refused(ToolRefusal::TargetBusy { target, holder, since }) => {
                return Err(Refusal::TargetBusy { target, holder, since });
            }
            CallStanding::Free | CallStanding::Waits | CallStanding::Refused(_) => {}
        }
        decided(draft, (by, reason), pending, decision);
        call::intend_approved(draft, call);
    } else {
        decided(draft, (by, reason), pending, decision);
    }
    Ok(())
}

/// The final arguments of an edit: the operator's in place of all of the model's, the injected ones kept, checked like a
/// model's, and put before the gate again (Deny refuses; Ask is satisfied by this very answer).
fn edited(draft: &Draft<'_>, pending: &PendingApproval, args: &Map<String, Value>) -> Result<Value, Refusal> {
    let asked = &pending.asked;
    let touched: Vec<String> = asked.injected.iter().filter(|name| args.contains_key(*name)).cloned().collect();
    if !touched.is_empty() {
        return Err(Refusal::NotEditable { arguments: touched });
    }
    let refused = |refusal| Refusal::CallRefused { refusal };
    let Some(spec) = draft.facts.catalog.get(&asked.tool) else {
        return edited_claim(draft, &asked.tool, args).map_err(refused);
    };
    let kept = asked.injected.iter().map(|name| (name.clone(), asked.args.get(name).cloned())).collect();
    let prepared = inject::prepare(&spec.schema, args, &kept);
    if !prepared.dropped.is_empty() {
        let problems = vec![format!("the tool does not declare: {}", prepared.dropped.join(", "))];
        return Err(refused(ToolRefusal::InvalidArguments { problems }));
    }
    call::check(draft, spec, &prepared.args).map_err(refused)?;
    let gate = intent::decision(draft, spec, &prepared.args, CallOrigin::Agent);
    if gate.action == GateAction::Deny {
        return Err(refused(ToolRefusal::Denied { reason: gate.reason }));
    }
    Ok(prepared.args)
}

fn edited_claim(draft: &Draft<'_>, tool: &ToolName, args: &Map<String, Value>) -> Result<Value, ToolRefusal> {
    let args = Value::Object(args.clone());
    claim::check_arguments(draft, tool, &args)?;
    Ok(args)
}

/// Expires what nobody answered in time: the calls do not run. While the session waits for a server that failed, nobody's
/// time is up.
pub(super) fn expire(draft: &mut Draft<'_>) {
    if draft.session.outage_since().is_some() {
        return;
    }
    let now = draft.facts.now;
    let due: Vec<_> = draft
        .session
        .approvals()
        .values()
        .filter(|pending| now >= pending.asked.expires_at)
        .map(|pending| (pending.asked.approval.clone(), pending.asked.call.clone()))
        .collect();
    for (approval, call) in due {
        draft.push(ApprovalExpired { approval, call });
    }
}
