//! Parking, waking, and what a process finds to do.

use provost_domain::ids::SessionId;
use provost_domain::port::{Append, Parked, StoreError};
use provost_domain::status::Status;

use crate::support::{Driven, Subject, ack, at, cmd, id, new, owner, stop};

on_every_store!(
    a_parked_session_has_no_owner_and_its_timer,
    a_command_that_came_meanwhile_keeps_the_session_awake,
    a_command_settled_meanwhile_still_counts_as_seen_late,
    a_parked_session_takes_no_append,
    an_unknown_session_cannot_be_parked,
    a_dead_owners_sessions_are_found,
    a_due_timer_is_found_once_due,
    an_unread_command_is_found_until_it_is_settled,
    a_session_dropped_in_the_middle_is_found,
    what_rests_is_never_found,
    at_most_the_limit_is_found,
);

async fn found(subject: &Subject, now: i64) -> Vec<SessionId> {
    let claimed = subject.store.commands.runnable(&owner("me"), at(now), 10).await.unwrap();
    let mut found: Vec<_> = claimed.into_iter().map(|claimed| claimed.session).collect();
    found.sort();
    found
}

async fn a_parked_session_has_no_owner_and_its_timer(subject: Subject) {
    let driven = subject.session(1).await;
    assert_eq!(driven.park(0, Some(at(50))).await, Ok(Parked::Parked));
    let subject = subject.reopened().await;
    let row = subject.store.reads.sessions.session(id(1)).await.unwrap();
    assert_eq!((row.owner, row.next_run_at), (None, Some(at(50))));
}

async fn a_command_that_came_meanwhile_keeps_the_session_awake(subject: Subject) {
    let driven = subject.session(1).await;
    // The owner read its inbox as empty at 0; then this came.
    subject.store.commands.submit(&cmd("k"), id(1), &stop()).await.unwrap();
    let Ok(Parked::Woken { inbox, wake_seq }) = driven.park(0, None).await else { panic!("parked over a command") };
    assert_eq!((inbox.len(), inbox[0].cmd_id.clone(), wake_seq), (1, cmd("k"), 1));
    assert_eq!(subject.store.reads.sessions.session(id(1)).await.unwrap().owner, Some(owner("me")));
    assert_eq!(driven.park(wake_seq, None).await, Ok(Parked::Parked));
}

async fn a_command_settled_meanwhile_still_counts_as_seen_late(subject: Subject) {
    let mut driven = subject.session(1).await;
    subject.store.commands.submit(&cmd("k"), id(1), &stop()).await.unwrap();
    let settled = Append { acks: vec![ack("k")], ..driven.next(1) };
    driven.write(settled).await.unwrap();
    assert_eq!(driven.park(0, None).await, Ok(Parked::Woken { inbox: vec![], wake_seq: 1 }));
}

async fn a_parked_session_takes_no_append(subject: Subject) {
    let mut driven = subject.session(1).await;
    driven.park(0, None).await.unwrap();
    let late = driven.next(1);
    assert_eq!(driven.write(late).await, Err(StoreError::Fenced));
    assert_eq!(driven.park(0, None).await, Err(StoreError::Fenced));
}

async fn an_unknown_session_cannot_be_parked(subject: Subject) {
    let unknown = Driven { id: id(9), ..subject.session(1).await };
    assert_eq!(unknown.park(0, None).await, Err(StoreError::Missing { what: "session", id: id(9).to_string() }));
}

async fn a_dead_owners_sessions_are_found(subject: Subject) {
    for (n, by) in [(1, "dead"), (2, "me"), (3, "zombie")] {
        subject.store.log.create(new(n)).await.unwrap();
        Driven::take(&subject.store, n, by).await;
    }
    assert_eq!(found(&subject, 0).await, [id(1), id(3)]);
    Driven::take(&subject.store, 1, "me").await;
    assert_eq!(found(&subject, 0).await, [id(3)]);
}

async fn a_due_timer_is_found_once_due(subject: Subject) {
    let mut driven = subject.session(1).await;
    let waiting = Append { status: Status::AwaitingInput, ..driven.next(1) };
    driven.write(waiting).await.unwrap();
    driven.park(0, Some(at(100))).await.unwrap();
    assert_eq!(found(&subject, 99).await, []);
    assert_eq!(found(&subject, 100).await, [id(1)]);
    Driven::take(&subject.store, 1, "me").await;
    assert_eq!(found(&subject, 100).await, [], "it is held now");
}

async fn an_unread_command_is_found_until_it_is_settled(subject: Subject) {
    subject.store.log.create(new(1)).await.unwrap();
    assert_eq!(found(&subject, 0).await, [], "nobody asked it to start");
    for name in ["j", "k"] {
        subject.store.commands.submit(&cmd(name), id(1), &stop()).await.unwrap();
    }
    assert_eq!(found(&subject, 0).await, [id(1)]);
    for (name, left) in [("j", vec![id(1)]), ("k", vec![])] {
        let mut driven = Driven::take(&subject.store, 1, "me").await;
        let end =
            Append { acks: vec![ack(name)], status: Status::Stopped, ended: true, release: true, ..driven.next(1) };
        driven.write(end).await.unwrap();
        assert_eq!(found(&subject, 0).await, left);
    }
}

async fn a_session_dropped_in_the_middle_is_found(subject: Subject) {
    let mut driven = subject.session(1).await;
    driven.grow(1).await;
    driven.park(0, None).await.unwrap();
    assert_eq!(found(&subject, 0).await, [id(1)], "in progress, but nobody holds it and nothing would wake it");
}

async fn what_rests_is_never_found(subject: Subject) {
    subject.store.log.create(new(1)).await.unwrap();
    for (n, status, ended) in
        [(2, Status::AwaitingInput, false), (3, Status::Stopped, true), (4, Status::InProgress, true)]
    {
        let mut driven = subject.session(n).await;
        let last = Append { status, ended, ..driven.next(1) };
        driven.write(last).await.unwrap();
        if !ended {
            driven.park(0, None).await.unwrap();
        }
    }
    let mut timed = subject.session(5).await;
    timed.grow(1).await;
    timed.park(0, Some(at(1000))).await.unwrap();
    assert_eq!(found(&subject, 999).await, []);
}

async fn at_most_the_limit_is_found(subject: Subject) {
    for n in 1..=5 {
        subject.store.log.create(new(n)).await.unwrap();
        subject.store.commands.submit(&cmd("k"), id(n), &stop()).await.unwrap();
    }
    assert_eq!(subject.store.commands.runnable(&owner("me"), at(0), 3).await.unwrap().len(), 3);
}
