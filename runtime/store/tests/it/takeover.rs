//! Taking sessions over: the fence shuts older owners out, and what is needed to carry on is loaded.

use provost_domain::ids::{Fence, Seq};
use provost_domain::port::{Snapshot, StoreError};

use crate::support::{Driven, Subject, at, cmd, hash, id, new, owner, stop};

on_every_store!(
    a_takeover_raises_the_fence_and_shuts_the_older_owner_out,
    the_same_owner_under_an_older_fence_is_shut_out,
    another_owner_under_the_same_fence_is_shut_out,
    takeovers_count_until_progress,
    parking_counts_takeovers_anew,
    a_takeover_loads_the_snapshot_and_what_follows_it,
    a_takeover_brings_the_unread_inbox,
    a_takeover_forgets_the_timer,
    an_unknown_session_cannot_be_taken_over,
);

async fn a_takeover_raises_the_fence_and_shuts_the_older_owner_out(subject: Subject) {
    let mut old = subject.session(1).await;
    assert_eq!(old.fence, Fence(1));
    old.grow(2).await;
    let mut young = Driven::take(&subject.store, 1, "other").await;
    assert_eq!((young.fence, young.head, young.prev), (Fence(2), Seq(2), old.prev));
    let late = old.next(1);
    assert_eq!(old.write(late).await, Err(StoreError::Fenced));
    assert_eq!(old.park(0, None).await, Err(StoreError::Fenced));
    young.grow(1).await;
    assert_eq!(young.records().await.len(), 2);
}

async fn the_same_owner_under_an_older_fence_is_shut_out(subject: Subject) {
    let mut old = subject.session(1).await;
    Driven::take(&subject.store, 1, "me").await;
    let late = old.next(1);
    assert_eq!(old.write(late).await, Err(StoreError::Fenced));
    assert_eq!(old.park(0, None).await, Err(StoreError::Fenced));
    assert_eq!(old.records().await, vec![]);
}

async fn another_owner_under_the_same_fence_is_shut_out(subject: Subject) {
    // A failover that lost the newest commits can roll a fence back.
    let mut thief = Driven { owner: owner("thief"), ..subject.session(1).await };
    let late = thief.next(1);
    assert_eq!(thief.write(late).await, Err(StoreError::Fenced));
    assert_eq!(thief.park(0, None).await, Err(StoreError::Fenced));
    assert_eq!(thief.records().await, vec![]);
}

async fn takeovers_count_until_progress(subject: Subject) {
    subject.session(1).await;
    let takeovers = async || subject.store.reads.sessions.session(id(1)).await.unwrap().takeovers;
    assert_eq!(takeovers().await, 0, "from nobody");
    for owner in ["you", "me", "you"] {
        Driven::take(&subject.store, 1, owner).await;
    }
    assert_eq!(takeovers().await, 3);
    let mut driven = Driven::take(&subject.store, 1, "you").await;
    assert_eq!(takeovers().await, 3, "from itself");
    let bare = driven.bare();
    driven.write(bare).await.unwrap();
    assert_eq!(takeovers().await, 3, "settling commands is no progress");
    driven.grow(1).await;
    assert_eq!(takeovers().await, 0);
}

async fn parking_counts_takeovers_anew(subject: Subject) {
    subject.session(1).await;
    let driven = Driven::take(&subject.store, 1, "you").await;
    assert_eq!(subject.store.reads.sessions.session(id(1)).await.unwrap().takeovers, 1);
    driven.park(0, None).await.unwrap();
    assert_eq!(subject.store.reads.sessions.session(id(1)).await.unwrap().takeovers, 0);
}

async fn a_takeover_loads_the_snapshot_and_what_follows_it(subject: Subject) {
    let mut driven = subject.session(1).await;
    driven.grow(2).await;
    for header in ["first", "second"] {
        let mut append = driven.next(3);
        let seq = append.record.as_ref().unwrap().header.last_seq;
        append.snapshot = Some(Snapshot { seq, hash: hash(&append), header: header.into() });
        driven.write(append).await.unwrap();
    }
    let (snapshot_at, snapshot_hash) = (driven.head, driven.prev);
    let last = Some(Snapshot { seq: snapshot_at, hash: snapshot_hash, header: b"second".to_vec() });
    let after = [driven.grow(1).await, driven.grow(4).await];
    let subject = subject.reopened().await;
    let taken = subject.store.log.take_over(id(1), &owner("me")).await.unwrap();
    assert_eq!(taken.snapshot, last, "the last one only");
    assert_eq!(subject.store.reads.sessions.snapshot(id(1)).await.unwrap(), last, "the same for who only reads");
    assert_eq!(subject.store.reads.sessions.snapshot(id(2)).await.unwrap(), None);
    assert_eq!(taken.records, after.map(|append| append.record.unwrap()));
    assert_eq!((taken.row.head_seq, taken.row.head_hash), (driven.head, driven.prev));
}

async fn a_takeover_brings_the_unread_inbox(subject: Subject) {
    subject.store.log.create(new(1)).await.unwrap();
    for name in ["c", "a", "b"] {
        subject.store.commands.submit(&cmd(name), id(1), &stop()).await.unwrap();
    }
    let taken = subject.store.log.take_over(id(1), &owner("me")).await.unwrap();
    let names: Vec<_> = taken.inbox.iter().map(|entry| entry.cmd_id.as_str()).collect();
    assert_eq!((names, taken.row.wake_seq), (vec!["c", "a", "b"], 3), "in arrival order");
    assert_eq!(taken.inbox[0].command, Ok(stop()));
}

async fn a_takeover_forgets_the_timer(subject: Subject) {
    let driven = subject.session(1).await;
    driven.park(0, Some(at(50))).await.unwrap();
    assert_eq!(subject.store.reads.sessions.session(id(1)).await.unwrap().next_run_at, Some(at(50)));
    assert_eq!(subject.store.log.take_over(id(1), &owner("me")).await.unwrap().row.next_run_at, None);
}

async fn an_unknown_session_cannot_be_taken_over(subject: Subject) {
    let error = subject.store.log.take_over(id(9), &owner("me")).await.unwrap_err();
    assert_eq!(error, StoreError::Missing { what: "session", id: id(9).to_string() });
}
