use super::check;
use crate::event::{EventBody, SessionErased, SignalReceived};
use crate::ids::{CmdId, Digest, Fence, Seq, SessionId};
use crate::log::{AppendRecord, Unsealed};
use crate::principal::Principal;
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
    .unwrap()
}

fn said(after: Option<&AppendRecord>) -> AppendRecord {
    sealed(SignalReceived { source: "a".to_owned(), payload: serde_json::json!("secret").into() }.into(), after)
}

fn erased(record: AppendRecord) -> AppendRecord {
    AppendRecord { payload: None, salt: None, ..record }
}

fn tombstone(events: u64, after: &AppendRecord) -> AppendRecord {
    let (by, reason) = (Principal::user("a"), "asked for".to_owned());
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
