//! Sessions of other stores, and looking at every session as one moment saw it.

use provost_domain::ids::{ApprovalId, Digest, Fence, Handle, Seq};
use provost_domain::port::{
    Append, ApprovalChange, ImportAnswer, ImportedAppend, ImportedSession, SessionRow, Snapshot, StoreError, Unread,
    WalkFound,
};
use provost_domain::status::Status;
use provost_domain::tool::Content;

use crate::approvals::asked;
use crate::support::{Driven, Subject, ack, assert_chained, at, cmd, id, new, owner, stop};

on_every_store!(
    an_imported_session_is_there_with_all_that_belongs_to_it,
    what_is_there_is_never_written_over,
    one_that_is_not_at_rest_is_refused,
    every_session_is_walked_past_once_as_one_moment_saw_it,
    a_session_that_is_not_there_is_missing,
);

fn content() -> Content {
    let bytes = vec![b'x'; 5_000];
    Content { digest: Digest::of(&bytes), bytes }
}

/// A session that ended, as a file brings it.
fn imported(subject: &Subject, n: u128) -> ImportedSession {
    let mut driven = Driven {
        store: subject.store.clone(),
        id: id(n),
        owner: owner("elsewhere"),
        fence: Fence(3),
        head: Seq(0),
        prev: Digest::default(),
    };
    let mut appends = Vec::new();
    for (contents, approvals) in
        [(vec![content()], vec![ApprovalChange::Asked(Box::new(asked(id(n), "a")))]), (Vec::new(), Vec::new())]
    {
        let record = driven.next(2).record.unwrap();
        (driven.head, driven.prev) = (record.header.last_seq, record.hash);
        appends.push(ImportedAppend { record, contents, approvals });
    }
    let row = SessionRow {
        id: id(n),
        handle: new(n).handle,
        pack: "p".into(),
        pack_digest: Digest::of(b"pack"),
        status: Status::Stopped,
        ended: true,
        title: format!("session {n}"),
        head_seq: driven.head,
        head_hash: driven.prev,
        fence: Fence(3),
        owner: None,
        wake_seq: 0,
        next_run_at: None,
        progress_at: at(7),
        takeovers: 0,
        created_at: at(1),
        erased_at: None,
    };
    let snapshot = Snapshot { seq: row.head_seq, hash: row.head_hash, header: b"header".to_vec() };
    ImportedSession { row, snapshot, appends, claims: Vec::new() }
}

async fn an_imported_session_is_there_with_all_that_belongs_to_it(subject: Subject) {
    let session = imported(&subject, 1);
    assert_eq!(subject.store.imports.import(session.clone()).await, Ok(ImportAnswer::Stored));
    let subject = subject.reopened().await;
    let reads = &subject.store.reads.sessions;
    assert_eq!(reads.session(id(1)).await, Ok(session.row.clone()));
    let records = reads.records(id(1), Seq(0), 9).await.unwrap();
    assert_eq!(records, session.appends.iter().map(|append| append.record.clone()).collect::<Vec<_>>());
    assert_chained(&records, session.row.head_seq);
    assert_eq!(reads.content(content().digest).await, Ok(content().bytes));
    assert_eq!(reads.approval(&ApprovalId::new("a")).await, Ok(asked(id(1), "a")));
    let taken = subject.store.log.take_over(id(1), &owner("me")).await.unwrap();
    assert_eq!((taken.row.fence, taken.snapshot, taken.records), (Fence(4), Some(session.snapshot), vec![]));
}

async fn what_is_there_is_never_written_over(subject: Subject) {
    let driven = subject.session(1).await;
    let before = subject.store.reads.sessions.session(id(1)).await;
    assert_eq!(subject.store.imports.import(imported(&subject, 1)).await, Ok(ImportAnswer::SessionExists));
    let mut other = imported(&subject, 2);
    other.row.handle = new(1).handle;
    assert_eq!(subject.store.imports.import(other).await, Ok(ImportAnswer::HandleTaken));
    assert_eq!(subject.store.reads.sessions.session(id(1)).await, before);
    assert_eq!(driven.records().await, vec![]);
    assert!(subject.store.reads.sessions.session(id(2)).await.is_err());
    let missing = subject.store.reads.sessions.content(content().digest).await;
    assert!(matches!(missing, Err(StoreError::Missing { .. })), "{missing:?}");
}

async fn one_that_is_not_at_rest_is_refused(subject: Subject) {
    let whole = imported(&subject, 1);
    let row = |row: SessionRow| ImportedSession { row, ..whole.clone() };
    for wrong in [
        row(SessionRow { owner: Some(owner("me")), ..whole.row.clone() }),
        row(SessionRow { next_run_at: Some(at(9)), ..whole.row.clone() }),
        row(SessionRow { head_seq: Seq(9), ..whole.row.clone() }),
        row(SessionRow { id: id(2), handle: Handle::new("other"), ..whole.row.clone() }),
        ImportedSession { appends: vec![], ..whole.clone() },
    ] {
        let result = subject.store.imports.import(wrong).await;
        assert!(matches!(result, Err(StoreError::Failed { .. })), "{result:?}");
    }
    assert_eq!(subject.store.reads.examine.count().await, Ok(0));
}

async fn every_session_is_walked_past_once_as_one_moment_saw_it(subject: Subject) {
    for n in [2, 1, 3] {
        let mut driven = subject.session(n).await;
        let append = Append { contents: vec![content()], ..driven.next(2) };
        driven.write(append).await.unwrap();
        driven.grow(1).await;
    }
    subject.store.commands.submit(&cmd("c1"), id(1), &stop()).await.unwrap();
    let examine = &subject.store.reads.examine;
    assert_eq!((examine.count().await, examine.damage().await), (Ok(3), Vec::<String>::new()));
    let (mut walk, mut seen) = (examine.walk(), Vec::new());
    while let Some(stop) = walk.next().await {
        let WalkFound::Session(mut moment) = stop.found else { panic!("{stop:?}") };
        let session = moment.row().id;
        assert!(!stop.place.is_empty());
        let first = moment.records(Seq(0), 1).await.unwrap();
        // Whatever comes now is not seen.
        let mut driven = Driven::take(&subject.store, session.uuid().as_u128(), "next").await;
        driven.grow(1).await;
        let rest = moment.records(first[0].header.first_seq, 9).await.unwrap();
        assert_chained(&[first, rest].concat(), Seq(3));
        assert_eq!(moment.row().head_seq, Seq(3));
        assert_eq!(moment.content(content().digest).await, Ok(content().bytes));
        assert!(moment.content(Digest::of(b"none")).await.is_err());
        assert_eq!((moment.snapshot().await, moment.approvals().await), (Ok(None), Ok(vec![])));
        let waits = session == id(1);
        assert_eq!(moment.unread().await, Ok(Unread { count: u64::from(waits), is_marked: waits }));
        seen.push(session);
    }
    seen.sort_unstable();
    assert_eq!(seen, [1, 2, 3].map(id));
    let mut driven = Driven::take(&subject.store, 1, "last").await;
    let acks = Append { acks: vec![ack("c1")], ..driven.next(1) };
    driven.write(acks).await.unwrap();
    let mut moment = examine.moment(id(1)).await.unwrap();
    assert_eq!(moment.unread().await, Ok(Unread { count: 0, is_marked: false }));
}

async fn a_session_that_is_not_there_is_missing(subject: Subject) {
    let missing = StoreError::Missing { what: "session", id: id(9).to_string() };
    assert_eq!(subject.store.reads.examine.moment(id(9)).await.unwrap_err(), missing);
}
