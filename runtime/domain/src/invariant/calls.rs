//! At most one outcome per intent and none without; an approval used at most once, for the very call it was given for.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{ApprovalDecision, Event, EventBody, ToolIntended, ToolReturned};
use crate::ids::{ApprovalId, CallId, Digest, Seq};
use crate::tool::Blob;

/// The calls of one session so far: ids only.
#[derive(Debug, Default)]
pub(super) struct Calls {
    intended: BTreeSet<CallId>,
    returned: BTreeSet<CallId>,
    asked: BTreeMap<ApprovalId, (CallId, Digest)>,
    used: BTreeSet<ApprovalId>,
}

/// The large result an event names.
pub(super) fn content(body: &EventBody) -> Option<Digest> {
    let EventBody::ToolReturned(returned) = body else { return None };
    match returned.outcome.blob()? {
        Blob::Stored { sha256, .. } => Some(*sha256),
        Blob::Inline(_) => None,
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
            && (!self.returned.insert(call.clone()) || !self.intended.contains(call))
        {
            problems.push(format!("event {} is an outcome of call {call} without its own intent", event.seq));
        }
        problems.into_iter()
    }

    fn intended(&mut self, intent: &ToolIntended, seq: Seq, problems: &mut Vec<String>) {
        let ToolIntended { call, args, approval, .. } = intent;
        if !self.intended.insert(call.clone()) {
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
