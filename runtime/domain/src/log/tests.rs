use serde_json::{Value, json};

use super::*;
use crate::event::{OperatorSpoke, Upcast};
use crate::principal::Principal;

const PREV: Digest = Digest::from_bytes([7; 32]);
const SALT: [u8; 16] = [3; 16];

/// Version 0 had the words under `said`, version 1 under `text`.
const RENAMED: Upcast = Upcast {
    kind: "operator_spoke",
    from: 0,
    lift: |mut data| {
        let said = data.as_object_mut().and_then(|data| data.remove("said")).ok_or("no `said`")?;
        data["text"] = said;
        Ok(data)
    },
};
/// Version 1 had no full stop.
const STOPPED: Upcast = Upcast {
    kind: "operator_spoke",
    from: 1,
    lift: |mut data| {
        data["text"] = format!("{}.", data["text"].as_str().ok_or("no `text`")?).into();
        Ok(data)
    },
};

/// A record as a program of another version sealed it: these bytes, whatever this version would write.
fn sealed(events: &Value) -> AppendRecord {
    let payload = events.to_string().into_bytes();
    let header = RecordHeader {
        session: SessionId::new(uuid::Uuid::from_u128(1)),
        first_seq: Seq(5),
        last_seq: Seq(4 + events.as_array().unwrap().len() as u64),
        fence: Fence(2),
        cmd_id: CmdId::new("2.1"),
        at: Timestamp::from_micros(9),
        kinds: "operator_spoke".to_owned(),
    };
    let digest = Digest::of_parts(&[&SALT, &payload]);
    let hash = header.hash(PREV, digest);
    AppendRecord { header, payload: Some(payload), salt: Some(SALT), digest, prev: PREV, hash }
}

fn spoke(version: u16, key: &str) -> Value {
    json!([{"kind": "operator_spoke", "v": version, "data": {"by": "user:a", key: "go"}}])
}

#[track_caller]
fn check(events: &Value, steps: &'static [Upcast], expect: Result<&str, &str>) {
    let record = sealed(events);
    let opened = record.open_with(Seq(4), PREV, Upcasts(steps));
    match (opened, expect) {
        (Ok(opened), Ok(text)) => {
            let spoke = OperatorSpoke { by: Principal::user("a"), text: text.to_owned() };
            let (seq, at, fence) = (Seq(5), Timestamp::from_micros(9), Fence(2));
            assert_eq!(opened, [Event { seq, at, fence, body: spoke.into() }]);
        }
        (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
        (opened, expect) => panic!("{opened:?} instead of {expect:?}"),
    }
    // Neither the bytes nor their hashes were touched.
    assert_eq!(record, sealed(events));
    assert_eq!(record.verify(Seq(4), PREV), Ok(()));
}

#[test]
fn what_an_older_version_wrote_is_lifted_step_by_step() {
    check(&spoke(0, "said"), &[RENAMED], Ok("go"));
    check(&spoke(1, "text"), &[RENAMED], Ok("go"));
    check(&spoke(0, "said"), &[STOPPED, RENAMED], Ok("go."));
    check(&spoke(1, "text"), &[STOPPED, RENAMED], Ok("go."));
    check(&spoke(2, "text"), &[STOPPED, RENAMED], Ok("go"));
    check(&spoke(0, "text"), &[RENAMED], Err("`operator_spoke` is malformed: no `said`"));
}

#[test]
fn what_a_newer_version_wrote_is_said_to_be_newer() {
    let newer = "was written by a newer provost; upgrade this one";
    check(&spoke(2, "text"), &[RENAMED], Err(newer));
    check(&spoke(2, "text"), &[], Err(newer));
    check(&json!([{"kind": "moon_landed", "v": 1, "data": {}}]), &[], Err(newer));
    check(&json!([{"kind": "moon_landed", "v": 0, "data": {}}]), &[], Err(newer));
    check(&spoke(0, "said"), &[], Err("older than any release wrote"));
}

/// A lifted payload is no way around the hashes: they are over the bytes as they are stored.
#[test]
fn a_changed_old_record_is_tampered_with() {
    let mut record = sealed(&spoke(0, "said"));
    record.payload = Some(spoke(0, "sad").to_string().into_bytes());
    let error = record.open_with(Seq(4), PREV, Upcasts(&[RENAMED])).unwrap_err();
    assert_eq!(error, ChainError::Tampered { first: Seq(5), part: "payload" });
}

/// What is written carries the version that the last step leads to.
#[test]
fn every_event_is_written_in_its_present_version() {
    let spoke = EventBody::from(OperatorSpoke { by: Principal::user("a"), text: "go".to_owned() });
    let written: Value = serde_json::from_slice(&EventBody::encode_all(&[spoke]).unwrap()).unwrap();
    assert_eq!(written[0]["v"], Upcasts::KNOWN.present("operator_spoke"));
    assert_eq!(Upcasts(&[STOPPED, RENAMED]).present("operator_spoke"), 2);
}

/// Kept here for ever, as no log that ends in one can be exported.
#[test]
fn a_tombstone_is_read_and_written_as_it_always_was() {
    const WRITTEN: &str = r#"[{"kind":"session_erased","v":1,"data":{"by":"user:a","reason":"asked for","events":4}}]"#;
    let mut record = sealed(&spoke(1, "text"));
    let payload = WRITTEN.as_bytes().to_vec();
    record.digest = Digest::of_parts(&[&SALT, &payload]);
    record.hash = record.header.hash(PREV, record.digest);
    record.payload = Some(payload);
    let Tombstone { erased, at } = Tombstone::of(&record).unwrap();
    assert_eq!(
        (erased.by.to_string().as_str(), erased.reason.as_str(), erased.events, at),
        ("user:a", "asked for", 4, record.header.at)
    );
    assert_eq!(EventBody::encode_all(&[erased.into()]).unwrap(), WRITTEN.as_bytes());
}
