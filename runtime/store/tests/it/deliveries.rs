//! Deliveries from outside: stored first, planned by group, finished once.

use futures::future::join_all;
use provost_domain::ids::{DeliveryId, Digest};
use provost_domain::port::{
    Arrived, DeliveryFilter, DeliveryState, DismissAnswer, Finish, Finished, Mark, NewDelivery, StoreError,
};
use provost_domain::principal::Principal;

use crate::support::{Subject, at, id};

on_every_store!(
    what_was_delivered_is_there_after_a_restart_in_the_order_it_came,
    a_plan_stays_until_it_is_finished,
    only_what_was_looked_at_is_finished,
    a_mark_follows_what_was_said_last_and_a_group_keeps_its_session,
    a_bad_delivery_is_kept_and_dismissed_once,
    many_deliveries_at_once_are_all_stored,
);

async fn deliver(subject: &Subject, name: &str, group: &str) {
    let arrived = Arrived::Waiting { group: Digest::of(group.as_bytes()) };
    subject.store.deliveries.deliver(new(name, arrived)).await.unwrap();
}

/// Ids, states and notes, newest first.
async fn listed(subject: &Subject) -> Vec<(String, DeliveryState, String)> {
    let filter = DeliveryFilter { limit: 500, ..DeliveryFilter::default() };
    let rows = subject.store.reads.deliveries.deliveries(&filter).await.unwrap();
    rows.into_iter().map(|row| (row.id.to_string(), row.state, row.note)).collect()
}

fn new(name: &str, arrived: Arrived) -> NewDelivery {
    NewDelivery {
        id: DeliveryId::new(name),
        source: "s".to_owned(),
        by: Principal::parse("intake:a"),
        body: vec![0xff, 0, b'{'],
        arrived,
        at: at(7),
    }
}

fn group(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

fn mark(name: &str, ended: bool) -> Mark {
    Mark { name: name.to_owned(), ended, session: None }
}

fn done(name: &str, upto: u64, session: Option<u128>, marks: Vec<Mark>) -> Finish {
    let what = Finished::Done { session: session.map(id), marks, note: "n".to_owned() };
    Finish { group: group(name), upto, about: vec![], what }
}

async fn what_was_delivered_is_there_after_a_restart_in_the_order_it_came(subject: Subject) {
    for (name, group) in [("d1", "b"), ("d2", "a"), ("d3", "b")] {
        deliver(&subject, name, group).await;
    }
    let subject = subject.reopened().await;
    let reads = &subject.store.reads.deliveries;
    assert_eq!(reads.waiting().await.unwrap(), [(group("b"), 2), (group("a"), 1)], "the longest waiting first");
    let work = reads.work(group("b"), 9).await.unwrap();
    assert_eq!((work.session, work.plan, work.marks.len()), (None, None, 0));
    let ids: Vec<_> = work.deliveries.iter().map(|delivery| delivery.id.as_str()).collect();
    assert_eq!(ids, ["d1", "d3"]);
    assert_eq!(reads.work(group("b"), 1).await.unwrap().deliveries.len(), 1);
    let one = reads.delivery(&DeliveryId::new("d1")).await.unwrap();
    assert_eq!(
        (one.body, one.by, one.state),
        (vec![0xff, 0, b'{'], Principal::Intake("a".to_owned()), DeliveryState::Waiting)
    );
    let missing = StoreError::Missing { what: "delivery", id: "d9".to_owned() };
    assert_eq!(reads.delivery(&DeliveryId::new("d9")).await, Err(missing));
}

async fn a_plan_stays_until_it_is_finished(subject: Subject) {
    deliver(&subject, "d1", "g").await;
    subject.store.deliveries.plan(group("g"), "first").await.unwrap();
    subject.store.deliveries.plan(group("g"), "second").await.unwrap();
    let subject = subject.reopened().await;
    let work = subject.store.reads.deliveries.work(group("g"), 9).await.unwrap();
    assert_eq!((work.plan.as_deref(), work.deliveries.len()), (Some("second"), 1));

    let marks = vec![mark("x", false), mark("y", true)];
    assert_eq!(subject.store.deliveries.finish(done("g", work.deliveries[0].seq, Some(1), marks)).await, Ok(1));
    let subject = subject.reopened().await;
    let work = subject.store.reads.deliveries.work(group("g"), 9).await.unwrap();
    assert_eq!((work.session, work.plan, work.deliveries.len()), (Some(id(1)), None, 0));
    let marks: Vec<_> = work.marks.iter().map(|(name, known)| (name.as_str(), known.ended)).collect();
    assert_eq!(marks, [("x", false), ("y", true)]);
    assert_eq!(subject.store.reads.deliveries.waiting().await, Ok(vec![]));
}

async fn only_what_was_looked_at_is_finished(subject: Subject) {
    for (name, group) in [("d1", "g"), ("d2", "other"), ("d3", "g")] {
        deliver(&subject, name, group).await;
    }
    let first = subject.store.reads.deliveries.delivery(&DeliveryId::new("d1")).await.unwrap().seq;
    assert_eq!(subject.store.deliveries.finish(done("g", first, None, vec![])).await, Ok(1));
    assert_eq!(subject.store.deliveries.finish(done("g", first, None, vec![])).await, Ok(0), "once");
    let states: Vec<_> = listed(&subject).await.into_iter().map(|(id, state, _)| (id, state)).collect();
    let expected = [("d3", DeliveryState::Waiting), ("d2", DeliveryState::Waiting), ("d1", DeliveryState::Done)];
    assert_eq!(states, expected.map(|(id, state)| (id.to_owned(), state)));
    assert_eq!(subject.store.reads.deliveries.work(group("g"), 9).await.unwrap().session, None);
}

async fn a_mark_follows_what_was_said_last_and_a_group_keeps_its_session(subject: Subject) {
    for (n, ended) in [(1, false), (2, true), (3, false)] {
        deliver(&subject, &format!("d{n}"), "g").await;
        let session = (n == 1).then_some(1);
        subject.store.deliveries.finish(done("g", u64::MAX, session, vec![mark("x", ended)])).await.unwrap();
        let work = subject.store.reads.deliveries.work(group("g"), 9).await.unwrap();
        assert_eq!((work.session, work.marks["x"].ended), (Some(id(1)), ended));
    }
}

async fn a_bad_delivery_is_kept_and_dismissed_once(subject: Subject) {
    subject.store.deliveries.deliver(new("d1", Arrived::Bad { reason: "no JSON".to_owned() })).await.unwrap();
    deliver(&subject, "d2", "g").await;
    let bad = Finished::Bad { reason: "no service".to_owned() };
    subject.store.deliveries.plan(group("g"), "p").await.unwrap();
    subject
        .store
        .deliveries
        .finish(Finish { group: group("g"), upto: u64::MAX, about: vec![], what: bad })
        .await
        .unwrap();
    assert_eq!(subject.store.reads.deliveries.waiting().await, Ok(vec![]));
    assert_eq!(subject.store.reads.deliveries.work(group("g"), 9).await.unwrap().plan, None);
    let bad = |name: &str, why: &str| (name.to_owned(), DeliveryState::Bad, why.to_owned());
    assert_eq!(listed(&subject).await, [bad("d2", "no service"), bad("d1", "no JSON")]);

    let id = DeliveryId::new("d1");
    assert_eq!(subject.store.deliveries.dismiss(&id, "replayed").await, Ok(DismissAnswer::Dismissed));
    assert_eq!(subject.store.deliveries.dismiss(&id, "again").await, Ok(DismissAnswer::NotBad));
    let filter = DeliveryFilter { state: Some(DeliveryState::Done), limit: 9, ..DeliveryFilter::default() };
    let rows = subject.store.reads.deliveries.deliveries(&filter).await.unwrap();
    assert_eq!(rows.iter().map(|row| (row.id.as_str(), row.note.as_str())).collect::<Vec<_>>(), [("d1", "replayed")]);
    let filter = DeliveryFilter { before: Some(rows[0].seq), limit: 9, state: None };
    assert_eq!(subject.store.reads.deliveries.deliveries(&filter).await.unwrap(), []);
}

async fn many_deliveries_at_once_are_all_stored(subject: Subject) {
    let names: Vec<String> = (0..1_000).map(|n| format!("d{n}")).collect();
    join_all(names.iter().map(|name| deliver(&subject, name, "g"))).await;
    let again = subject.store.deliveries.deliver(new("d7", Arrived::Waiting { group: group("g") })).await;
    assert!(matches!(again, Err(StoreError::Failed { .. })), "an id is given once: {again:?}");
    let subject = subject.reopened().await;
    assert_eq!(subject.store.reads.deliveries.waiting().await, Ok(vec![(group("g"), 1_000)]));
}
