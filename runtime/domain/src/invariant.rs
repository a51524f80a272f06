//! What must hold of every session's log, checked from the outside.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Event, EventBody, ProbeFinding};
use crate::ids::{CallId, Digest, Fence, Seq};
use crate::log::AppendRecord;
use crate::session::Session;
use crate::tool::EffectClass;

/// Everything that does not hold of a log whose row says `head` and `hash`; empty when all does.
pub fn check(records: &[AppendRecord], head: Seq, hash: Digest) -> Vec<String> {
    let mut problems = Vec::new();
    let mut at = (Seq(0), Digest::default(), Fence(0));
    let mut events = Vec::new();
    for record in records {
        match record.open(at.0, at.1) {
            Ok(opened) => events.extend(opened),
            Err(error) => {
                problems.push(error.to_string());
                return problems;
            }
        }
        if record.header.fence < at.2 {
            problems.push(format!("the fence decreases at event {}", record.header.first_seq));
        }
        at = (record.header.last_seq, record.hash, record.header.fence);
    }
    if (at.0, at.1) != (head, hash) {
        problems.push(format!("the log ends at event {}, the session's row says {head}: records are missing", at.0));
    }
    if let Err(error) = Session::fold(&events) {
        problems.push(error.to_string());
    }
    problems.extend(calls(&events));
    problems.extend(repeats(&events));
    problems
}

/// Only a call that may be repeated is made again: by its class, or because its tool said that it did not happen.
fn repeats(events: &[Event]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut classes: BTreeMap<&CallId, EffectClass> = BTreeMap::new();
    let mut denied: BTreeSet<&CallId> = BTreeSet::new();
    for event in events {
        if let EventBody::ToolIntended(intent) = &event.body {
            classes.insert(&intent.call, intent.effect);
        }
        if let EventBody::CallProbed(probed) = &event.body
            && probed.finding == ProbeFinding::DidNotHappen
        {
            denied.insert(&probed.call);
        }
        if let EventBody::CallReissued(again) = &event.body {
            let allowed = match classes.get(&again.call) {
                Some(EffectClass::Read | EffectClass::Idempotent) => true,
                Some(EffectClass::Probe) => denied.remove(&again.call),
                Some(EffectClass::Unsafe) | None => false,
            };
            if !allowed {
                problems.push(format!("event {} makes call {} again, which may have happened", event.seq, again.call));
            }
        }
    }
    problems
}

/// At most one outcome per intent and none without; an approval consumed at most once.
fn calls(events: &[Event]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut intended: BTreeSet<&CallId> = BTreeSet::new();
    let mut outcomes: BTreeMap<&CallId, u32> = BTreeMap::new();
    let mut consumed = BTreeSet::new();
    for event in events {
        if let EventBody::ToolIntended(intent) = &event.body {
            if !intended.insert(&intent.call) {
                problems.push(format!("event {} intends call {} a second time", event.seq, intent.call));
            }
            if let Some(approval) = intent.approval.as_ref().filter(|approval| !consumed.insert((*approval).clone())) {
                problems.push(format!("event {} consumes approval {approval} a second time", event.seq));
            }
        }
        if let EventBody::ToolReturned(returned) = &event.body {
            let count = outcomes.entry(&returned.call).or_default();
            *count += 1;
            if *count > 1 || !intended.contains(&returned.call) {
                problems.push(format!(
                    "event {} is an outcome of call {} without its own intent",
                    event.seq, returned.call
                ));
            }
        }
    }
    problems
}
