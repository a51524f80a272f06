//! What is finished and old is deleted; what something still asks for stays.

use provost_domain::ids::Digest;
use provost_domain::port::{Arrived, DeliveryFilter, EnqueueAnswer, MessageFilter, NewDelivery, Prunable};

use crate::beside::{delivery, done, message, sent};
use crate::erasure::ended;
use crate::support::{Subject, at, id};

on_every_store!(
    what_is_finished_and_old_is_pruned_and_what_is_needed_stays,
    a_group_that_something_came_for_lately_is_still_known,
);

async fn what_is_finished_and_old_is_pruned_and_what_is_needed_stays(subject: Subject) {
    let store = &subject.store;
    ended(&subject, 1, "x").await;
    let open = subject.session(2).await;
    open.park(0, None).await.unwrap();
    for n in [1_u128, 2] {
        let group = Digest::of(&n.to_be_bytes());
        store.deliveries.deliver(delivery(&format!("dlv-{n}"), "x", Arrived::Waiting { group })).await.unwrap();
        store.deliveries.finish(done(group, n)).await.unwrap();
        assert_eq!(store.outbox.enqueue(message(n, "x")).await, Ok(EnqueueAnswer::Stored));
    }
    sent(store, 1).await;
    sent(store, 2).await;
    assert_eq!(store.outbox.enqueue(message(3, "x")).await, Ok(EnqueueAnswer::Stored));
    let waiting = Digest::of(b"waiting");
    store.deliveries.deliver(delivery("dlv-3", "x", Arrived::Waiting { group: waiting })).await.unwrap();
    store.deliveries.deliver(delivery("dlv-4", "x", Arrived::Bad { reason: "r".to_owned() })).await.unwrap();
    for what in Prunable::ALL {
        assert_eq!(store.erasure.prune(what, at(2), 9).await, Ok(0), "{what:?} is not old enough");
    }
    assert_eq!(store.erasure.prune(Prunable::Deliveries, at(3), 1).await, Ok(1), "no more than asked");
    assert_eq!(store.erasure.prune(Prunable::Deliveries, at(3), 9).await, Ok(1));
    assert_eq!(store.erasure.prune(Prunable::Outbox, at(3), 9).await, Ok(1));
    let rows =
        store.reads.deliveries.deliveries(&DeliveryFilter { limit: 9, ..DeliveryFilter::default() }).await.unwrap();
    let left: Vec<_> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(left, ["dlv-3", "dlv-2"], "what waits, and what an open session came from");
    let work = async |n: u128| store.reads.deliveries.work(Digest::of(&n.to_be_bytes()), 9).await.unwrap();
    let (gone, kept) = (work(1).await, work(2).await);
    assert_eq!((gone.session, gone.marks.len()), (None, 0));
    assert_eq!((kept.session, kept.marks.len()), (Some(id(2)), 1));
    let messages = store.reads.outbox.messages(&MessageFilter { limit: 9, ..MessageFilter::default() }).await.unwrap();
    let mut left: Vec<_> = messages.iter().map(|row| row.session).collect();
    left.sort_unstable();
    assert_eq!(left, [id(2), id(3)], "what an open session sent, and what waits");
}

async fn a_group_that_something_came_for_lately_is_still_known(subject: Subject) {
    let store = &subject.store;
    ended(&subject, 1, "x").await;
    let group = Digest::of(b"group");
    for (name, at) in [("dlv-1", at(2)), ("dlv-2", at(5))] {
        store.deliveries.deliver(NewDelivery { at, ..delivery(name, "x", Arrived::Waiting { group }) }).await.unwrap();
    }
    store.deliveries.finish(done(group, 1)).await.unwrap();
    let marks = async || store.reads.deliveries.work(group, 9).await.unwrap().marks.len();
    assert_eq!(store.erasure.prune(Prunable::Deliveries, at(5), 9).await, Ok(1));
    assert_eq!(marks().await, 1);
    assert_eq!(store.erasure.prune(Prunable::Deliveries, at(6), 9).await, Ok(1));
    assert_eq!(marks().await, 0, "nothing of it is left");
}
