//! At most one outcome per intent and none without; no call made again that may have happened; an approval used at most
//! once, for the very call it was given for.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{
    ApprovalDecision, CallProbed, CallReissued, Event, EventBody, ProbeFinding, ToolIntended, ToolReturned,
};
use crate::ids::{ApprovalId, CallId, Digest, Seq};
use crate::model::OpaqueItem;
use crate::tool::{Blob, EffectClass, Happened};

/// The calls of one session so far: ids only.
#[derive(Debug, Default)]
pub(super) struct Calls {
    intended: BTreeMap<CallId, EffectClass>,
    /// Calls of which their tool said that they did not happen, not made again since.
    denied: BTreeSet<CallId>,
    returned: BTreeSet<CallId>,
    asked: BTreeMap<ApprovalId, (CallId, Digest)>,
    used: BTreeSet<ApprovalId>,
}

/// The large values an event names: a result, or the opaque items of a reply.
pub(super) fn contents(body: &EventBody) -> Vec<Digest> {
    match body {
        EventBody::ToolReturned(returned) => match returned.outcome.blob() {
            Some(Blob::Stored { sha256, .. }) => vec![*sha256],
            Some(Blob::Inline(_)) | None => Vec::new(),
        },
        EventBody::ModelReplied(replied) => replied.reply.opaque.iter().filter_map(OpaqueItem::stored).collect(),
        _ => Vec::new(),
    }
}

impl Calls {
    /// What does not hold of the next event.
    pub(super) fn take(&mut self, event: &Event) -> impl Iterator<Item = String> + use<> {
        let mut problems = Vec::new();
        if let EventBody::ApprovalRequested(asked) = &event.body {
            self.asked.insert(asked.approval.clone(), (asked.call.clone(), asked.args_hash));
        }
        if let EventBody::ApprovalDecided(decided) = &event.body
            && let ApprovalDecision::Edited { args_hash, .. } = decided.decision
            && let Some((_, hash)) = self.asked.get_mut(&decided.approval)
        {
            *hash = args_hash;
        }
        if let EventBody::ToolIntended(intent) = &event.body {
            self.intended(intent, event.seq, &mut problems);
        }
        if let EventBody::ToolReturned(ToolReturned { call, .. }) = &event.body
            && (!self.returned.insert(call.clone()) || !self.intended.contains_key(call))
        {
            problems.push(format!("event {} is an outcome of call {call} without its own intent", event.seq));
        }
        if let EventBody::CallProbed(CallProbed { call, finding: ProbeFinding::DidNotHappen }) = &event.body {
            self.denied.insert(call.clone());
        }
        if let EventBody::ToolDeferred(deferred) = &event.body
            && deferred.failure.happened == Happened::No
        {
            self.denied.insert(deferred.call.clone());
        }
        if let EventBody::CallReissued(CallReissued { call }) = &event.body
            && !self.may_repeat(call)
        {
            problems.push(format!("event {} makes call {call} again, which may have happened", event.seq));
        }
        problems.into_iter()
    }

    /// Only a call that may be repeated is made again: by its class, or once for each time its tool denied it or it surely
    /// failed without effect.
    fn may_repeat(&mut self, call: &CallId) -> bool {
        match self.intended.get(call) {
            Some(EffectClass::Read | EffectClass::Idempotent) => true,
            Some(EffectClass::Probe | EffectClass::Unsafe) => self.denied.remove(call),
            None => false,
        }
    }

    fn intended(&mut self, intent: &ToolIntended, seq: Seq, problems: &mut Vec<String>) {
        let ToolIntended { call, args, effect, approval, .. } = intent;
        if self.intended.insert(call.clone(), *effect).is_some() {
            problems.push(format!("event {seq} intends call {call} a second time"));
        }
        let Some(approval) = approval else { return };
        if !self.used.insert(approval.clone()) {
            problems.push(format!("event {seq} consumes approval {approval} a second time"));
        }
        if self.asked.get(approval) != Some(&(call.clone(), Digest::of_json(args))) {
            problems.push(format!("event {seq} consumes approval {approval}, which was given for something else"));
        }
    }
}
