//! Creating sessions and their handles.

use futures::future::join_all;
use provost_domain::ids::{Digest, Fence, Handle, Seq};
use provost_domain::port::{Append, NewSession, SessionRow, StoreError};
use provost_domain::status::Status;

use crate::support::{Driven, Subject, at, hash, id, new, owner};

on_every_store!(
    a_new_session_is_stored_as_asked,
    a_new_session_is_stored_with_its_first_append,
    a_first_append_that_is_not_its_own_is_refused,
    handles_count_up_without_an_upper_limit,
    handles_count_by_prefix_and_day,
    an_id_is_used_once,
    concurrent_callers_get_different_handles,
);

fn row() -> SessionRow {
    SessionRow {
        id: id(1),
        handle: new(1).handle,
        pack: "p".into(),
        pack_digest: Digest::of(b"pack"),
        status: Status::New,
        ended: false,
        title: "session 1".to_owned(),
        head_seq: Seq(0),
        head_hash: Digest::default(),
        fence: Fence(0),
        owner: None,
        wake_seq: 0,
        next_run_at: None,
        progress_at: at(1),
        takeovers: 0,
        created_at: at(1),
        erased_at: None,
    }
}

async fn a_new_session_is_stored_as_asked(subject: Subject) {
    subject.store.log.create(new(1)).await.unwrap();
    let subject = subject.reopened().await;
    assert_eq!(subject.store.reads.sessions.session(id(1)).await, Ok(row()));
}

/// The first append of a session that is not stored yet.
fn first(subject: &Subject, n: u128) -> Append {
    let (owner, head) = (owner("me"), Seq(0));
    Driven { store: subject.store.clone(), id: id(n), owner, fence: Fence(1), head, prev: Digest::default() }.next(3)
}

async fn a_new_session_is_stored_with_its_first_append(subject: Subject) {
    let first = first(&subject, 1);
    let created = subject.store.log.create(NewSession { first: Some(Box::new(first.clone())), ..new(1) });
    // Beside another, in one batch.
    let (created, other) = futures::join!(created, subject.store.log.create(new(2)));
    assert_eq!((created, other), (Ok(()), Ok(())));
    let held = SessionRow {
        status: first.status.clone(),
        head_seq: Seq(3),
        head_hash: hash(&first),
        fence: Fence(1),
        owner: Some(first.owner.clone()),
        progress_at: first.at,
        ..row()
    };
    assert_eq!(subject.store.reads.sessions.session(id(1)).await, Ok(held));
    let mut driven = Driven {
        store: subject.store.clone(),
        id: id(1),
        owner: first.owner.clone(),
        fence: Fence(1),
        head: Seq(3),
        prev: hash(&first),
    };
    driven.grow(2).await;
    let subject = subject.reopened().await;
    assert_eq!(subject.store.reads.sessions.records(id(1), Seq(0), 9).await.unwrap().len(), 2);
    assert_eq!(subject.store.log.take_over(id(1), &owner("next")).await.unwrap().row.fence, Fence(2));
}

async fn a_first_append_that_is_not_its_own_is_refused(subject: Subject) {
    let second = Append { expected_seq: Seq(1), ..first(&subject, 1) };
    for first in [first(&subject, 2), second, Append { record: None, ..first(&subject, 1) }] {
        let result = subject.store.log.create(NewSession { first: Some(Box::new(first)), ..new(1) }).await;
        assert!(matches!(result, Err(StoreError::Failed { .. })), "{result:?}");
    }
    assert!(subject.store.reads.sessions.session(id(1)).await.is_err());
}

async fn handles_count_up_without_an_upper_limit(subject: Subject) {
    for n in 9_998..=10_000 {
        subject.store.log.create(new(n)).await.unwrap();
    }
    let subject = subject.reopened().await;
    for n in 10_001..10_003 {
        let handle = subject.store.log.allot("INC", "20261120").await.unwrap();
        assert_eq!(handle.as_str(), format!("INC-20261120-{n}"));
        subject.store.log.create(NewSession { handle, ..new(n) }).await.unwrap();
    }
    assert!(subject.store.reads.sessions.by_handle(&Handle::new("INC-20261120-10000")).await.is_ok());
    assert_eq!(
        subject.store.reads.sessions.by_handle(&Handle::new("INC-20261120-99999")).await,
        Err(missing("INC-20261120-99999"))
    );
}

fn missing(handle: &str) -> StoreError {
    StoreError::Missing { what: "session", id: handle.to_owned() }
}

async fn handles_count_by_prefix_and_day(subject: Subject) {
    let handle = async |prefix, day| subject.store.log.allot(prefix, day).await.unwrap().as_str().to_owned();
    assert_eq!(handle("INC", "20261120").await, "INC-20261120-0001");
    assert_eq!(handle("REV", "20261120").await, "REV-20261120-0001");
    assert_eq!(handle("INC", "20261121").await, "INC-20261121-0001");
    assert_eq!(handle("INC", "20261120").await, "INC-20261120-0002");
}

async fn an_id_is_used_once(subject: Subject) {
    subject.store.log.create(new(1)).await.unwrap();
    let again = NewSession { title: "another".to_owned(), handle: new(9).handle, ..new(1) };
    let same_handle = NewSession { handle: new(1).handle, ..new(4) };
    // Beside one that is fine, which is not refused with them.
    let results = join_all([again, new(3), same_handle].map(|new| subject.store.log.create(new))).await;
    assert!(
        matches!(&results[..], [Err(StoreError::Failed { .. }), Ok(()), Err(StoreError::Failed { .. })]),
        "{results:?}"
    );
    assert_eq!(subject.store.reads.sessions.session(id(1)).await.unwrap().title, "session 1");
}

async fn concurrent_callers_get_different_handles(subject: Subject) {
    let handles = join_all((0..300).map(|_| subject.store.log.allot("INC", "20261120"))).await;
    let handles: std::collections::BTreeSet<_> =
        handles.into_iter().map(|handle| handle.unwrap().to_string()).collect();
    assert_eq!(handles.len(), 300);
}
