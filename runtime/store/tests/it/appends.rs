//! The store's one write: gapless, chained, written once, all or nothing.

use provost_domain::ids::{Digest, Fence, Seq};
use provost_domain::port::{Append, ApprovalChange, Snapshot, StoreError};
use provost_domain::status::Status;
use provost_domain::tool::Content;

use crate::approvals::asked;
use crate::support::{Driven, Subject, ack, assert_chained, at, cmd, hash, id, new, stop};

on_every_store!(
    appends_come_back_as_written_and_chain,
    records_are_read_from_any_event,
    an_append_moves_the_row,
    an_append_without_a_record_leaves_the_head,
    a_wrong_head_is_stale,
    a_wrong_chain_is_stale,
    the_same_append_twice_is_written_once,
    an_append_already_written_is_known_after_a_takeover,
    a_used_cmd_id_with_other_events_is_not_done,
    every_part_is_written_with_its_append_or_not_at_all,
    contents_are_stored_once_and_verified,
    an_ended_session_has_no_owner,
    an_append_that_contradicts_itself_is_refused,
    an_unknown_session_takes_no_append,
);

async fn appends_come_back_as_written_and_chain(subject: Subject) {
    let mut driven = subject.session(1).await;
    let written = [driven.grow(3).await, driven.grow(1).await, driven.grow(2).await];
    let subject = subject.reopened().await;
    let records = subject.store.reads.sessions.records(id(1), Seq(0), 100).await.unwrap();
    assert_chained(&records, Seq(6));
    assert_eq!(records, written.map(|append| append.record.unwrap()));
    assert_eq!(records[0].open(Seq(0), Digest::default()).unwrap().len(), 3);
}

async fn records_are_read_from_any_event(subject: Subject) {
    let mut driven = subject.session(1).await;
    for _ in 0..4 {
        driven.grow(3).await;
    }
    let firsts = async |after, limit| -> Vec<u64> {
        let records = subject.store.reads.sessions.records(id(1), Seq(after), limit).await.unwrap();
        records.iter().map(|record| record.header.first_seq.0).collect()
    };
    assert_eq!(firsts(0, 2).await, [1, 4]);
    assert_eq!(firsts(2, 2).await, [1, 4], "the append that holds event 3");
    assert_eq!(firsts(3, 9).await, [4, 7, 10]);
    assert_eq!(firsts(11, 9).await, [10]);
    assert_eq!(firsts(12, 9).await, [0; 0]);
    assert!(matches!(subject.store.reads.sessions.records(id(2), Seq(0), 1).await, Err(StoreError::Missing { .. })));
}

async fn an_append_moves_the_row(subject: Subject) {
    let mut driven = subject.session(1).await;
    let append = Append { status: Status::AwaitingInput, at: at(77), ..driven.next(5) };
    assert_eq!(driven.write(append).await.unwrap().head_seq, Seq(5));
    let row = subject.store.reads.sessions.session(id(1)).await.unwrap();
    assert_eq!((row.head_seq, row.head_hash, row.status.as_str()), (Seq(5), driven.prev, "awaiting_input"));
    assert_eq!((row.progress_at, row.ended, row.owner), (at(77), false, Some(driven.owner)));
}

async fn an_append_without_a_record_leaves_the_head(subject: Subject) {
    let mut driven = subject.session(1).await;
    driven.grow(2).await;
    let before = subject.store.reads.sessions.session(id(1)).await.unwrap();
    let bare = Append { at: at(99), ..driven.bare() };
    assert_eq!(driven.write(bare).await.unwrap().head_seq, Seq(2));
    assert_eq!(subject.store.reads.sessions.session(id(1)).await.unwrap(), before);
}

async fn a_wrong_head_is_stale(subject: Subject) {
    let mut driven = subject.session(1).await;
    let behind = driven.clone();
    driven.grow(2).await;
    let mut ahead = Driven { head: Seq(3), ..driven.clone() };
    let mut other = Driven { fence: driven.fence, ..behind };
    let mut late = other.next(1);
    late.record.as_mut().unwrap().header.cmd_id = cmd("other");
    assert_eq!(other.write(late).await, Err(StoreError::Stale));
    let early = ahead.next(1);
    assert_eq!(ahead.write(early).await, Err(StoreError::Stale));
    let bare = ahead.bare();
    assert_eq!(ahead.write(bare).await, Err(StoreError::Stale));
    assert_eq!(driven.records().await.len(), 1);
}

async fn a_wrong_chain_is_stale(subject: Subject) {
    let mut driven = subject.session(1).await;
    driven.grow(2).await;
    let mut elsewhere = Driven { prev: Digest::of(b"elsewhere"), ..driven.clone() };
    let unchained = elsewhere.next(1);
    assert_eq!(elsewhere.write(unchained).await, Err(StoreError::Stale));
    assert_eq!(driven.records().await.len(), 1);
}

async fn the_same_append_twice_is_written_once(subject: Subject) {
    let mut driven = subject.session(1).await;
    let first = driven.grow(2).await;
    let second = driven.grow(3).await;
    assert_eq!(subject.store.log.append(second).await.unwrap().head_seq, Seq(5), "an ambiguous commit asked again");
    assert_eq!(subject.store.log.append(first).await.unwrap().head_seq, Seq(2));
    assert_eq!(driven.records().await.len(), 2);
}

async fn an_append_already_written_is_known_after_a_takeover(subject: Subject) {
    let mut driven = subject.session(1).await;
    let written = driven.grow(2).await;
    Driven::take(&subject.store, 1, "other").await;
    assert_eq!(subject.store.log.append(written).await.unwrap().head_seq, Seq(2));
    let unwritten = driven.next(1);
    assert_eq!(driven.write(unwritten).await, Err(StoreError::Fenced));
}

async fn a_used_cmd_id_with_other_events_is_not_done(subject: Subject) {
    let mut driven = subject.session(1).await;
    let behind = driven.clone();
    driven.grow(2).await;
    assert_eq!(subject.store.log.append(behind.next(3)).await, Err(StoreError::Stale));
    assert_eq!(driven.records().await.len(), 1);
}

/// An append with every part.
fn full(driven: &Driven) -> Append {
    let mut append = driven.next(2);
    let bytes = b"large".to_vec();
    append.contents = vec![Content { digest: Digest::of(&bytes), bytes }];
    append.approvals = vec![ApprovalChange::Asked(Box::new(asked(driven.id, "apr_1")))];
    append.acks = vec![ack("k")];
    let seq = append.record.as_ref().unwrap().header.last_seq;
    append.snapshot = Some(Snapshot { seq, hash: hash(&append), header: b"header".to_vec() });
    append
}

async fn every_part_is_written_with_its_append_or_not_at_all(subject: Subject) {
    subject.store.log.create(new(1)).await.unwrap();
    subject.store.commands.submit(&cmd("k"), id(1), &stop()).await.unwrap();
    let old = Driven::take(&subject.store, 1, "old").await;
    let mut driven = Driven::take(&subject.store, 1, "me").await;
    let content = Digest::of(b"large");
    assert_eq!(subject.store.log.append(full(&old)).await, Err(StoreError::Fenced));
    let ahead = Driven { head: Seq(7), ..driven.clone() };
    assert_eq!(subject.store.log.append(full(&ahead)).await, Err(StoreError::Stale));
    assert_eq!(driven.records().await, vec![]);
    assert!(subject.store.reads.sessions.content(content).await.is_err());
    assert!(subject.store.reads.sessions.approval(&"apr_1".into()).await.is_err());
    assert_eq!(subject.store.commands.outcome(&cmd("k"), id(1)).await, Ok(None));

    let append = full(&driven);
    driven.write(append).await.unwrap();
    let subject = subject.reopened().await;
    assert_eq!(subject.store.reads.sessions.content(content).await.unwrap(), b"large");
    assert_eq!(subject.store.reads.sessions.approval(&"apr_1".into()).await.unwrap(), asked(id(1), "apr_1"));
    assert_eq!(subject.store.commands.outcome(&cmd("k"), id(1)).await, Ok(Some(ack("k").outcome)));
    let taken = subject.store.log.take_over(id(1), &driven.owner).await.unwrap();
    assert_eq!(taken.snapshot.unwrap().header, b"header");
    assert_eq!((taken.records, taken.inbox), (vec![], vec![]));
}

async fn contents_are_stored_once_and_verified(subject: Subject) {
    let content = Content { digest: Digest::of(b"large"), bytes: b"large".to_vec() };
    for n in 1..=2 {
        let mut driven = subject.session(n).await;
        let append = Append { contents: vec![content.clone(), content.clone()], ..driven.next(1) };
        driven.write(append).await.unwrap();
    }
    assert_eq!(subject.store.reads.sessions.content(content.digest).await.unwrap(), b"large");
    let mut driven = subject.session(3).await;
    let forged = Content { digest: Digest::of(b"other"), bytes: b"forged".to_vec() };
    let append = Append { contents: vec![forged], ..driven.next(1) };
    assert!(matches!(driven.write(append).await, Err(StoreError::Failed { .. })));
    let absent = subject.store.reads.sessions.content(Digest::of(b"other")).await.unwrap_err();
    assert_eq!(absent, StoreError::Missing { what: "content", id: Digest::of(b"other").hex() });
}

async fn an_ended_session_has_no_owner(subject: Subject) {
    let mut driven = subject.session(1).await;
    let end = Append { status: Status::Stopped, ended: true, release: true, ..driven.next(1) };
    driven.write(end).await.unwrap();
    let row = subject.store.reads.sessions.session(id(1)).await.unwrap();
    assert_eq!((row.owner, row.ended, row.status.as_str()), (None, true, "stopped"));
    let late = driven.next(1);
    assert_eq!(driven.write(late).await, Err(StoreError::Fenced));
    let mut again = Driven::take(&subject.store, 1, "me").await;
    again.grow(1).await;
    assert_chained(&again.records().await, Seq(2));
}

async fn an_append_that_contradicts_itself_is_refused(subject: Subject) {
    let driven = subject.session(1).await;
    let good = full(&driven);
    let mut others = vec![
        Append { fence: Fence(9), ..good.clone() },
        Append { session: id(2), ..good.clone() },
        Append { expected_seq: Seq(1), ..good.clone() },
        Append { record: None, ..good.clone() },
    ];
    let mut erased = good.clone();
    erased.record.as_mut().unwrap().payload = None;
    others.push(erased);
    let mut foreign = good;
    foreign.approvals = vec![ApprovalChange::Asked(Box::new(asked(id(2), "apr_2")))];
    others.push(foreign);
    for append in others {
        assert!(matches!(subject.store.log.append(append).await, Err(StoreError::Failed { .. })));
    }
    assert_eq!(subject.store.reads.sessions.session(id(1)).await.unwrap().head_seq, Seq(0));
}

async fn an_unknown_session_takes_no_append(subject: Subject) {
    let driven = subject.session(1).await;
    let unknown = Driven { id: id(9), ..driven };
    let error = subject.store.log.append(unknown.next(1)).await.unwrap_err();
    assert_eq!(error, StoreError::Missing { what: "session", id: id(9).to_string() });
}
