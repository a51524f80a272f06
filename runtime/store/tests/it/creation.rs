//! Creating sessions and their handles.

use futures::future::join_all;
use provost_domain::ids::{Digest, Fence, Handle, Seq};
use provost_domain::port::{NewSession, SessionRow, StoreError};

use crate::support::{Subject, at, id, new};

on_every_store!(
    a_new_session_is_stored_as_asked,
    handles_count_up_without_an_upper_limit,
    handles_count_by_prefix_and_day,
    an_id_is_used_once_and_costs_no_number,
    concurrent_creations_get_different_handles,
);

async fn a_new_session_is_stored_as_asked(subject: Subject) {
    let handle = subject.store.create(new(1)).await.unwrap();
    let expect = SessionRow {
        id: id(1),
        handle,
        pack: "p".to_owned(),
        pack_digest: Digest::of(b"pack"),
        status: "new".to_owned(),
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
    };
    let subject = subject.reopened().await;
    assert_eq!(subject.store.session(id(1)).await, Ok(expect));
}

async fn handles_count_up_without_an_upper_limit(subject: Subject) {
    let mut last = Handle::new("");
    for block in 0..101 {
        let block = (1..=100).map(|n| subject.store.create(new(block * 100 + n)));
        let handles = join_all(block).await;
        last = handles.into_iter().map(Result::unwrap).max_by_key(|handle| handle.as_str().len()).unwrap();
    }
    assert_eq!(last.as_str().len(), "INC-20261120-10001".len());
    let handle = Handle::new("INC-20261120-10100");
    assert!(subject.store.by_handle(&handle).await.is_ok());
    assert_eq!(subject.store.by_handle(&Handle::new("INC-20261120-10101")).await, Err(missing("INC-20261120-10101")));
}

fn missing(handle: &str) -> StoreError {
    StoreError::Missing { what: "session", id: handle.to_owned() }
}

async fn handles_count_by_prefix_and_day(subject: Subject) {
    let handle = async |n, prefix: &str, day: &str| {
        let new = NewSession { handle_prefix: prefix.to_owned(), day: day.to_owned(), ..new(n) };
        subject.store.create(new).await.unwrap().as_str().to_owned()
    };
    assert_eq!(handle(1, "INC", "20261120").await, "INC-20261120-0001");
    assert_eq!(handle(2, "REV", "20261120").await, "REV-20261120-0001");
    assert_eq!(handle(3, "INC", "20261121").await, "INC-20261121-0001");
    assert_eq!(handle(4, "INC", "20261120").await, "INC-20261120-0002");
}

async fn an_id_is_used_once_and_costs_no_number(subject: Subject) {
    let (first, other) = (subject.store.create(new(1)).await.unwrap(), subject.store.create(new(2)).await.unwrap());
    let again = NewSession { title: "another".to_owned(), ..new(1) };
    // Beside one that is fine, which is not refused with it.
    let results = join_all([again, new(3)].map(|new| subject.store.create(new))).await;
    assert!(matches!(&results[..], [Err(StoreError::Failed { .. }), Ok(_)]), "{results:?}");
    assert_eq!(subject.store.session(id(1)).await.unwrap().title, "session 1");
    let numbers = [&first, &other, results[1].as_ref().unwrap()].map(Handle::as_str);
    assert_eq!(numbers, ["INC-20261120-0001", "INC-20261120-0002", "INC-20261120-0003"]);
}

async fn concurrent_creations_get_different_handles(subject: Subject) {
    let handles = join_all((1..=300).map(|n| subject.store.create(new(n)))).await;
    for (n, handle) in (1..).zip(handles) {
        assert_eq!(subject.store.by_handle(&handle.unwrap()).await, Ok(id(n)));
    }
}
