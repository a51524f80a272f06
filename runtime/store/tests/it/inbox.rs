//! Commands from outside.

use provost_domain::ids::Seq;
use provost_domain::port::{Append, CommandOutcome, InboxAck, StoreError, Submitted};
use provost_domain::status::Status;
use serde_json::json;

use crate::support::{Driven, Subject, ack, at, cmd, id, new, owner, stop};

on_every_store!(
    a_command_is_stored_once,
    a_settled_command_keeps_its_first_outcome,
    an_ended_session_still_takes_commands,
    an_unknown_session_takes_no_command,
    commands_are_read_in_arrival_order_with_their_wake_seq,
    commands_of_one_name_in_two_sessions_are_two,
    settling_what_was_never_submitted_changes_nothing,
);

async fn a_command_is_stored_once(subject: Subject) {
    subject.store.log.create(new(1)).await.unwrap();
    let submit = async || subject.store.commands.submit(&cmd("k"), id(1), &stop()).await;
    assert_eq!(submit().await, Ok(Submitted::Stored));
    assert_eq!(submit().await, Ok(Submitted::Known(None)));
    let (inbox, wake_seq) = subject.store.commands.inbox(id(1)).await.unwrap();
    assert_eq!((inbox.len(), wake_seq), (1, 1), "the second wakes nobody");
    let mut driven = Driven::take(&subject.store, 1, "me").await;
    let settled = Append { acks: vec![ack("k")], ..driven.next(1) };
    driven.write(settled).await.unwrap();
    let subject = subject.reopened().await;
    let again = subject.store.commands.submit(&cmd("k"), id(1), &stop()).await;
    assert_eq!(again, Ok(Submitted::Known(Some(ack("k").outcome))));
    assert_eq!(subject.store.commands.inbox(id(1)).await, Ok((vec![], 1)));
}

async fn a_settled_command_keeps_its_first_outcome(subject: Subject) {
    let mut driven = subject.session(1).await;
    subject.store.commands.submit(&cmd("k"), id(1), &stop()).await.unwrap();
    assert_eq!(subject.store.commands.outcome(&cmd("k"), id(1)).await, Ok(None));
    for outcome in [json!("first"), json!("second")] {
        let acks = vec![InboxAck { cmd_id: cmd("k"), outcome: CommandOutcome(outcome) }];
        // A mere refusal settles its command without an event.
        let append = Append { acks, ..driven.bare() };
        driven.write(append).await.unwrap();
    }
    assert_eq!(subject.store.commands.outcome(&cmd("k"), id(1)).await, Ok(Some(CommandOutcome(json!("first")))));
    assert_eq!(subject.store.reads.sessions.session(id(1)).await.unwrap().head_seq, Seq(0));
}

async fn an_ended_session_still_takes_commands(subject: Subject) {
    let mut driven = subject.session(1).await;
    let end = Append { status: Status::Stopped, ended: true, release: true, ..driven.next(1) };
    driven.write(end).await.unwrap();
    assert_eq!(subject.store.commands.submit(&cmd("k"), id(1), &stop()).await, Ok(Submitted::Stored));
    let claimed = subject.store.commands.runnable(&owner("me"), at(0), 9).await.unwrap();
    assert_eq!(claimed.len(), 1);
}

async fn an_unknown_session_takes_no_command(subject: Subject) {
    let missing = StoreError::Missing { what: "session", id: id(9).to_string() };
    assert_eq!(subject.store.commands.submit(&cmd("k"), id(9), &stop()).await, Err(missing.clone()));
    assert_eq!(subject.store.commands.inbox(id(9)).await, Err(missing.clone()));
    assert_eq!(subject.store.commands.outcome(&cmd("k"), id(9)).await, Err(missing));
}

async fn commands_are_read_in_arrival_order_with_their_wake_seq(subject: Subject) {
    let mut driven = subject.session(1).await;
    for name in ["c", "a", "b"] {
        subject.store.commands.submit(&cmd(name), id(1), &stop()).await.unwrap();
    }
    let settled = Append { acks: vec![ack("a")], ..driven.next(1) };
    driven.write(settled).await.unwrap();
    let (inbox, wake_seq) = subject.store.commands.inbox(id(1)).await.unwrap();
    let names: Vec<_> = inbox.iter().map(|entry| entry.cmd_id.as_str()).collect();
    assert_eq!((names, wake_seq), (vec!["c", "b"], 3));
    assert_eq!(inbox[0].command, Ok(stop()));
}

async fn commands_of_one_name_in_two_sessions_are_two(subject: Subject) {
    for n in 1..=2 {
        subject.store.log.create(new(n)).await.unwrap();
        assert_eq!(subject.store.commands.submit(&cmd("k"), id(n), &stop()).await, Ok(Submitted::Stored));
    }
    let mut driven = Driven::take(&subject.store, 1, "me").await;
    let settled = Append { acks: vec![ack("k")], ..driven.next(1) };
    driven.write(settled).await.unwrap();
    assert_eq!(subject.store.commands.outcome(&cmd("k"), id(2)).await, Ok(None));
}

async fn settling_what_was_never_submitted_changes_nothing(subject: Subject) {
    let mut driven = subject.session(1).await;
    let append = Append { acks: vec![ack("k")], ..driven.next(1) };
    driven.write(append).await.unwrap();
    assert_eq!(subject.store.commands.submit(&cmd("k"), id(1), &stop()).await, Ok(Submitted::Stored));
}
