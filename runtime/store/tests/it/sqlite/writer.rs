//! The writer when the storage or a neighbour misbehaves.

use std::num::NonZeroU32;

use futures::future::join_all;
use provost_domain::ids::{Digest, Seq};
use provost_domain::port::{Append, Reads as _, SessionStore as _, StoreError};
use provost_domain::tool::Content;
use provost_store::{OpenOptions, SqliteStore};
use sqlx::Connection as _;

use super::{place, raw, says};
use crate::support::{Driven, id, new};

#[tokio::test]
async fn a_full_disk_is_said_and_ends_all_writing_but_loses_nothing() {
    let (_folder, path) = place();
    let options = OpenOptions { max_pages: NonZeroU32::new(80), ..OpenOptions::default() };
    let store = SqliteStore::open_within(&path, options).await.unwrap();
    store.create(new(1)).await.unwrap();
    let mut driven = Driven::take(&store.clone().into(), 1, "me").await;
    let mut written = 0;
    let error = loop {
        let bytes = vec![u8::try_from(written).unwrap(); 20_000];
        let contents = vec![Content { digest: Digest::of(&bytes), bytes }];
        let append = Append { contents, ..driven.next(1) };
        match driven.write(append).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    says(Err::<(), _>(error.clone()), &["full", "free disk space"]);
    assert!(written > 0);
    assert_eq!(store.died().await, error, "the process is told");
    assert_eq!(store.create(new(2)).await, Err(error), "every later write is refused with the cause");
    assert_eq!(store.session(id(1)).await.unwrap().head_seq, Seq(written), "reading goes on");
    store.close().await;
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.records(id(1), Seq(0), 1000).await.unwrap().len() as u64, written);
    store.create(new(2)).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_row_that_breaks_a_rule_costs_only_its_own_append() {
    let (_folder, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let shared = provost_store::Stores::from(store.clone());
    let mut driven = Vec::new();
    for n in 1..=8 {
        store.create(new(n)).await.unwrap();
        driven.push(Driven::take(&shared, n, "me").await);
    }
    // Another program put a record where session 3's first belongs.
    let row = "INSERT INTO appends (sid, first_seq, last_seq, fence, cmd_id, at, kinds, digest, prev, hash) \
               VALUES (3, 1, 1, 1, 'c', 1, 'k', x'00', x'00', x'00')";
    raw(&path, row).await.unwrap();
    let results = join_all(driven.iter().map(|driven| store.append(driven.next(1)))).await;
    for (n, result) in (1..).zip(results) {
        match n {
            3 => says(result, &["UNIQUE", "nothing of it was written"]),
            _ => assert_eq!(result.unwrap().head_seq, Seq(1)),
        }
        let head = if n == 3 { Seq(0) } else { Seq(1) };
        assert_eq!(store.session(id(n)).await.unwrap().head_seq, head);
    }
    store.close().await;
}

#[tokio::test]
async fn a_damaged_content_is_never_handed_out() {
    let (_folder, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    store.create(new(1)).await.unwrap();
    let mut driven = Driven::take(&store.clone().into(), 1, "me").await;
    let digest = Digest::of(b"large");
    let append = Append { contents: vec![Content { digest, bytes: b"large".to_vec() }], ..driven.next(1) };
    driven.write(append).await.unwrap();
    raw(&path, "UPDATE contents SET bytes = x'00'").await.unwrap();
    assert!(matches!(store.content(digest).await, Err(StoreError::Damaged { .. })));
    store.close().await;
}

#[tokio::test]
async fn a_reader_in_the_middle_of_a_read_does_not_hold_up_writes() {
    let (_folder, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    store.create(new(1)).await.unwrap();
    let mut reader = sqlx::SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let mut moment = reader.begin().await.unwrap();
    let count = "SELECT count(*) FROM sessions";
    let before: i64 = sqlx::query_scalar(count).fetch_one(&mut *moment).await.unwrap();
    store.create(new(2)).await.unwrap();
    let after: i64 = sqlx::query_scalar(count).fetch_one(&mut *moment).await.unwrap();
    assert_eq!((before, after), (1, 1), "one moment sees one state");
    moment.commit().await.unwrap();
    reader.close().await.unwrap();
    store.close().await;
}
