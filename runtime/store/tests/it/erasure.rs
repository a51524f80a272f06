//! Erasing what a closed session said: all of it, nothing else, and the chain holds.

use std::sync::Arc;

use provost_domain::event::{EventBody, SessionErased, SignalReceived};
use provost_domain::ids::{ApprovalId, CmdId, Digest, Seq};
use provost_domain::invariant;
use provost_domain::log::{AppendRecord, Tombstone, Unsealed};
use provost_domain::port::{
    Append, ApprovalChange, ApprovalRow, CommandOutcome, Erase, Erased, InboxAck, Snapshot, StoreError,
};
use provost_domain::principal::Principal;
use provost_domain::status::Status;
use provost_domain::tool::Content;
use provost_store::Stores;
use serde_json::json;

use crate::approvals::asked;
use crate::support::{Driven, Subject, at, cmd, id, owner, stop};

on_every_store!(
    an_erased_session_keeps_its_chain_and_its_tombstone,
    nothing_is_done_with_an_erased_session,
    only_a_session_at_rest_after_its_end_is_erased,
    what_another_session_refers_to_stays,
    a_tombstone_that_does_not_fit_is_refused,
    the_longest_quiet_is_found_first,
);

/// The request that erases a session as its row stands.
pub(crate) async fn request(store: &Stores, n: u128) -> Erase {
    let row = store.reads.sessions.session(id(n)).await.unwrap();
    let erased = SessionErased { by: Principal::user("a"), reason: "asked for".to_owned(), events: row.head_seq.0 };
    let tombstone = AppendRecord::seal(Unsealed {
        session: row.id,
        after: row.head_seq,
        fence: row.fence.next(),
        cmd_id: CmdId::new("tombstone"),
        at: at(50),
        events: &[erased.into()],
        salt: [9; 16],
        prev: row.head_hash,
    })
    .unwrap();
    Erase { session: row.id, fence: row.fence, head: (row.head_seq, row.head_hash), tombstone, at: at(50) }
}

/// An append whose every part holds the text, but for its record, which says it in an event.
pub(crate) fn saying(driven: &Driven, text: &str) -> Append {
    let said = SignalReceived { source: "test".to_owned(), payload: Arc::new(json!({ "said": text })) };
    let record = AppendRecord::seal(Unsealed {
        session: driven.id,
        after: driven.head,
        fence: driven.fence,
        cmd_id: CmdId::new(format!("{}.{}", driven.fence, driven.head)),
        at: at(2),
        events: &[EventBody::from(said)],
        salt: [7; 16],
        prev: driven.prev,
    })
    .unwrap();
    let bytes = format!("{text} {}", "x".repeat(9_000)).into_bytes();
    let name = format!("apr-{}-{}", driven.id, driven.head);
    let approval = ApprovalRow { args: json!({ "said": text }), ..asked(driven.id, &name) };
    Append {
        snapshot: Some(Snapshot { seq: driven.head.next(), hash: record.hash, header: text.as_bytes().to_vec() }),
        contents: vec![Content { digest: Digest::of(&bytes), bytes }],
        approvals: vec![ApprovalChange::Asked(Box::new(approval))],
        record: Some(record),
        progress: true,
        ..driven.bare()
    }
}

/// A session that said the text twice and ended.
pub(crate) async fn ended(subject: &Subject, n: u128, text: &str) -> Driven {
    let mut driven = subject.session(n).await;
    let mut command = stop();
    command.ask = provost_domain::command::Ask::Speak { text: text.to_owned() };
    subject.store.commands.submit(&cmd("c1"), driven.id, &command).await.unwrap();
    driven.write(saying(&driven, text)).await.unwrap();
    let ack = InboxAck { cmd_id: cmd("c1"), outcome: CommandOutcome(json!({ "said": text })) };
    let append = Append { ended: true, status: Status::Stopped, release: true, ..saying(&driven, text) };
    driven.write(Append { acks: vec![ack], ..append }).await.unwrap();
    driven
}

async fn an_erased_session_keeps_its_chain_and_its_tombstone(subject: Subject) {
    let driven = ended(&subject, 1, "secret").await;
    let erase = request(&subject.store, 1).await;
    let before = driven.records().await;
    assert_eq!(subject.store.erasure.erase(erase.clone()).await, Ok(Erased::Done { records: 2 }));
    assert_eq!(
        subject.store.erasure.erase(erase.clone()).await,
        Ok(Erased::Done { records: 2 }),
        "the same request again"
    );
    subject.store.erasure.scrub().await.unwrap();
    let subject = subject.reopened().await;

    let row = subject.store.reads.sessions.session(id(1)).await.unwrap();
    let tombstone = &erase.tombstone;
    assert_eq!((row.head_seq, row.head_hash, row.fence), (Seq(3), tombstone.hash, tombstone.header.fence));
    assert_eq!((row.erased_at, row.title.as_str(), row.status.as_str()), (Some(at(50)), "erased", "stopped"));
    let records = subject.store.reads.sessions.records(id(1), Seq(0), 100).await.unwrap();
    let gone = before.into_iter().map(|record| AppendRecord { payload: None, salt: None, ..record });
    assert_eq!(records, gone.chain([tombstone.clone()]).collect::<Vec<_>>());
    assert_eq!(invariant::check(&records, row.head_seq, row.head_hash), Vec::<String>::new());
    let left = Tombstone::of(records.last().unwrap()).unwrap();
    assert_eq!(left.to_string(), format!("erased by user:a at {}: asked for", at(50)));

    let approval = ApprovalId::new(format!("apr-{}-0", id(1)));
    let approval = subject.store.reads.sessions.approval(&approval).await.unwrap();
    assert_eq!((approval.args, approval.args_hash), (json!(null), Digest::default()));
    let bytes = format!("secret {}", "x".repeat(9_000)).into_bytes();
    let missing = subject.store.reads.sessions.content(Digest::of(&bytes)).await;
    assert!(matches!(missing, Err(StoreError::Missing { .. })), "{missing:?}");
}

async fn nothing_is_done_with_an_erased_session(subject: Subject) {
    let driven = ended(&subject, 1, "secret").await;
    let erase = request(&subject.store, 1).await;
    subject.store.erasure.erase(erase.clone()).await.unwrap();
    let erased = StoreError::Erased { session: id(1) };
    let subject = subject.reopened().await;
    let store = &subject.store;
    assert_eq!(store.log.take_over(id(1), &owner("me")).await.unwrap_err(), erased);
    assert_eq!(store.commands.submit(&cmd("c2"), id(1), &stop()).await, Err(erased.clone()));
    assert_eq!(store.commands.submit(&cmd("c1"), id(1), &stop()).await, Err(erased.clone()), "also under a known id");
    assert_eq!(store.commands.outcome(&cmd("c1"), id(1)).await, Err(erased.clone()));
    assert_eq!(store.erasure.erase(request(store, 1).await).await, Err(erased));
    let mut late = Driven { store: store.clone(), ..driven };
    assert_eq!(late.write(late.next(1)).await, Err(StoreError::Fenced));
    assert_eq!(store.commands.runnable(&owner("me"), at(99), 9).await.unwrap().len(), 0);
    assert_eq!(
        store.log.take_over(id(9), &owner("me")).await.unwrap_err(),
        StoreError::Missing { what: "session", id: id(9).to_string() }
    );
}

async fn only_a_session_at_rest_after_its_end_is_erased(subject: Subject) {
    let mut driven = subject.session(1).await;
    driven.grow(1).await;
    let held = request(&subject.store, 1).await;
    assert_eq!(subject.store.erasure.erase(held).await, Err(StoreError::Stale), "held");
    driven.park(0, None).await.unwrap();
    let open = request(&subject.store, 1).await;
    assert_eq!(subject.store.erasure.erase(open).await, Err(StoreError::Stale), "not ended");

    ended(&subject, 2, "secret").await;
    let before = request(&subject.store, 2).await;
    subject.store.commands.submit(&cmd("late"), id(2), &stop()).await.unwrap();
    assert_eq!(subject.store.erasure.erase(before.clone()).await, Err(StoreError::Stale), "a command came");
    let again = Driven::take(&subject.store, 2, "me").await;
    let ack = InboxAck { cmd_id: cmd("late"), outcome: CommandOutcome(json!(1)) };
    let settled = Append { acks: vec![ack], ended: true, release: true, ..again.bare() };
    subject.store.log.append(settled).await.unwrap();
    assert_eq!(subject.store.erasure.erase(before).await, Err(StoreError::Stale), "it was taken over since");
    let now = request(&subject.store, 2).await;
    assert_eq!(subject.store.erasure.erase(now).await, Ok(Erased::Done { records: 2 }));
    assert!(driven.records().await.iter().all(|record| record.payload.is_some()), "the other session is as it was");
}

async fn what_another_session_refers_to_stays(subject: Subject) {
    ended(&subject, 1, "shared").await;
    ended(&subject, 2, "shared").await;
    let bytes = format!("shared {}", "x".repeat(9_000)).into_bytes();
    let digest = Digest::of(&bytes);
    subject.store.erasure.erase(request(&subject.store, 1).await).await.unwrap();
    assert_eq!(subject.store.reads.sessions.content(digest).await, Ok(bytes));
    subject.store.erasure.erase(request(&subject.store, 2).await).await.unwrap();
    assert!(subject.store.reads.sessions.content(digest).await.is_err());
}

async fn a_tombstone_that_does_not_fit_is_refused(subject: Subject) {
    let driven = ended(&subject, 1, "secret").await;
    let good = request(&subject.store, 1).await;
    let (mut elsewhere, mut empty, mut alone) = (good.clone(), good.clone(), good.clone());
    elsewhere.head.0 = Seq(1);
    empty.tombstone.payload = None;
    alone.tombstone = driven.next(1).record.unwrap();
    for broken in [elsewhere, empty, alone] {
        let refused = subject.store.erasure.erase(broken).await;
        assert!(matches!(&refused, Err(StoreError::Failed { detail }) if detail.contains("bug")), "{refused:?}");
    }
    assert_eq!(subject.store.reads.sessions.session(id(1)).await.unwrap().erased_at, None);
}

async fn the_longest_quiet_is_found_first(subject: Subject) {
    for n in [1, 2, 3] {
        ended(&subject, n, "x").await;
    }
    // It rests, and has not ended.
    subject.session(4).await.park(0, None).await.unwrap();
    subject.store.erasure.erase(request(&subject.store, 3).await).await.unwrap();
    let all = subject.store.erasure.expired(at(3), None, 9).await.unwrap();
    assert_eq!(all.iter().map(|quiet| quiet.session).collect::<Vec<_>>(), [id(1), id(2)]);
    assert_eq!(subject.store.erasure.expired(at(3), None, 1).await.unwrap(), all[..1]);
    assert_eq!(subject.store.erasure.expired(at(3), Some(all[0]), 9).await.unwrap(), all[1..]);
    assert_eq!(subject.store.erasure.expired(at(3), Some(all[1]), 9).await.unwrap(), []);
    assert_eq!(subject.store.erasure.expired(at(2), None, 9).await.unwrap(), []);
}
