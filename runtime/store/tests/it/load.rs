//! Many at once.

use provost_domain::ids::Seq;
use provost_domain::port::StoreError;

use crate::support::{Driven, Subject, assert_chained, cmd, id, stop};

on_every_store!(
    many_sessions_append_at_once_and_lose_nothing,
    of_appends_at_the_same_head_one_wins,
    appends_sent_without_waiting_keep_their_order,
    commands_and_appends_of_one_session_mix,
);

async fn many_sessions_append_at_once_and_lose_nothing(subject: Subject) {
    let mut tasks = tokio::task::JoinSet::new();
    for n in 1..=64 {
        let mut driven = subject.session(n).await;
        tasks.spawn(async move {
            for _ in 0..20 {
                driven.grow(2).await;
            }
        });
    }
    tasks.join_all().await;
    let subject = subject.reopened().await;
    for n in 1..=64 {
        assert_chained(&subject.store.reads.sessions.records(id(n), Seq(0), 100).await.unwrap(), Seq(40));
        assert_eq!(subject.store.reads.sessions.session(id(n)).await.unwrap().head_seq, Seq(40));
    }
}

async fn of_appends_at_the_same_head_one_wins(subject: Subject) {
    let driven = subject.session(1).await;
    let mut tasks = tokio::task::JoinSet::new();
    for events in 1..=16 {
        let mut rival = driven.clone();
        tasks.spawn(async move {
            let mut append = rival.next(events);
            append.record.as_mut().unwrap().header.cmd_id = cmd(&format!("rival {events}"));
            rival.write(append).await
        });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(results.iter().filter(|result| **result == Err(StoreError::Stale)).count(), 15);
    assert_eq!(driven.records().await.len(), 1);
}

async fn appends_sent_without_waiting_keep_their_order(subject: Subject) {
    let mut driven = subject.session(1).await;
    let mut appends = Vec::new();
    for _ in 0..20 {
        let append = driven.next(2);
        driven.head = append.record.as_ref().unwrap().header.last_seq;
        driven.prev = append.record.as_ref().unwrap().hash;
        appends.push(append);
    }
    let mut tasks = tokio::task::JoinSet::new();
    for append in appends {
        let store = subject.store.clone();
        // The runtime of this test polls new tasks in order.
        tasks.spawn(async move { store.log.append(append).await });
    }
    let heads: Vec<_> = tasks.join_all().await.into_iter().map(|appended| appended.unwrap().head_seq).collect();
    assert_eq!(heads.len(), 20);
    assert_chained(&driven.records().await, Seq(40));
}

async fn commands_and_appends_of_one_session_mix(subject: Subject) {
    let mut driven: Driven = subject.session(1).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..50 {
        let store = subject.store.clone();
        tasks.spawn(async move { drop(store.commands.submit(&cmd(&n.to_string()), id(1), &stop()).await.unwrap()) });
    }
    tasks.spawn(async move {
        for _ in 0..10 {
            driven.grow(1).await;
        }
    });
    tasks.join_all().await;
    let (inbox, wake_seq) = subject.store.commands.inbox(id(1)).await.unwrap();
    assert_eq!((inbox.len(), wake_seq), (50, 50));
    assert_eq!(subject.store.reads.sessions.session(id(1)).await.unwrap().head_seq, Seq(10));
}
