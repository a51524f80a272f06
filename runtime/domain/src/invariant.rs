//! What must hold of every session's log, checked from the outside.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Event, EventBody};
use crate::ids::{CallId, Digest, Fence, Seq};
use crate::log::{AppendRecord, ChainError, Tombstone};
use crate::session::Session;

/// Everything that does not hold of a log whose row says `head` and `hash`; empty when all does.
pub fn check(records: &[AppendRecord], head: Seq, hash: Digest) -> Vec<String> {
    let mut problems = Vec::new();
    let mut at = (Seq(0), Digest::default(), Fence(0));
    let (mut events, mut erased) = (Vec::new(), 0_usize);
    for record in records {
        match record.open(at.0, at.1) {
            Ok(opened) => events.extend(opened),
            Err(ChainError::Erased { .. }) => erased += 1,
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
    if erased > 0 || events.iter().any(|event| matches!(event.body, EventBody::SessionErased(_))) {
        problems.extend(tombstone(records, erased));
        return problems;
    }
    if let Err(error) = Session::fold(&events) {
        problems.push(error.to_string());
    }
    problems.extend(calls(&events));
    problems
}

/// What was erased was erased as a whole, and the log's last record says so.
fn tombstone(records: &[AppendRecord], erased: usize) -> Option<String> {
    let last = records.last()?;
    if Tombstone::of(last).is_none() {
        return Some(format!("{erased} records were erased, and no tombstone ends the log: nobody accounts for it"));
    }
    let left = records.len() - 1 - erased;
    (left > 0).then(|| format!("the log ends in a tombstone, and {left} records before it still hold their payload"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{SessionErased, SignalReceived};
    use crate::ids::{CmdId, Principal, SessionId};
    use crate::log::Unsealed;
    use crate::time::Timestamp;

    fn sealed(body: EventBody, after: Option<&AppendRecord>) -> AppendRecord {
        AppendRecord::seal(Unsealed {
            session: SessionId::new(uuid::Uuid::from_u128(1)),
            after: after.map_or(Seq(0), |record| record.header.last_seq),
            fence: Fence(1),
            cmd_id: CmdId::new(body.kind()),
            at: Timestamp::default(),
            events: &[body],
            salt: [7; 16],
            prev: after.map_or(Digest::default(), |record| record.hash),
        })
    }

    fn said(after: Option<&AppendRecord>) -> AppendRecord {
        sealed(SignalReceived { source: "a".to_owned(), payload: serde_json::json!("secret").into() }.into(), after)
    }

    fn erased(record: AppendRecord) -> AppendRecord {
        AppendRecord { payload: None, salt: None, ..record }
    }

    fn tombstone(events: u64, after: &AppendRecord) -> AppendRecord {
        let (by, reason) = (Principal::new("user:a"), "asked for".to_owned());
        sealed(SessionErased { by, reason, events }.into(), Some(after))
    }

    #[track_caller]
    fn finds(records: &[AppendRecord], expect: &str) {
        let last = records.last().unwrap();
        let problems = check(records, last.header.last_seq, last.hash).join("; ");
        assert!(if expect.is_empty() { problems.is_empty() } else { problems.contains(expect) }, "{problems}");
    }

    #[test]
    fn an_erased_log_is_whole_with_its_tombstone_alone() {
        let first = said(None);
        let second = said(Some(&first));
        let (gone, last) = ([erased(first.clone()), erased(second.clone())], tombstone(2, &second));
        let log = |last: &AppendRecord| [gone[0].clone(), gone[1].clone(), last.clone()];
        finds(&log(&last), "");
        finds(&gone, "no tombstone ends the log");
        finds(&[gone[0].clone(), second.clone(), last.clone()], "1 records before it still hold");
        finds(&[first.clone(), gone[1].clone()], "no tombstone ends the log");
        finds(&log(&tombstone(1, &second)), "no tombstone ends the log");
        finds(&log(&erased(last.clone())), "no tombstone ends the log");
        let words = String::from_utf8(last.payload.clone().unwrap()).unwrap().replace("asked", "ASKED");
        finds(&log(&AppendRecord { payload: Some(words.into_bytes()), ..last.clone() }), "was changed");
        finds(&log(&AppendRecord { salt: None, ..last }), "was changed");
        // A payload without its salt proves nothing, whatever it says.
        let forged = AppendRecord { payload: Some(b"[]".to_vec()), salt: None, ..first };
        finds(&[forged, second], "was changed");
    }
}
