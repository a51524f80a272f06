//! What speaks of a session beside it: kept answers and deliveries go with it, whoever else they speak of; what is still to be
//! done for it keeps it.

use provost_domain::ids::{DeliveryId, Digest, SessionId};
use provost_domain::port::{
    Arrived, DeliveryFilter, DeliveryState, DismissAnswer, EnqueueAnswer, Erased, Finish, Finished, KeptAnswer, Mark,
    StoreError,
};

use crate::beside::{delivery, done, message, sent};
use crate::erasure::{ended, request};
use crate::support::{Subject, at, id};

on_every_store!(
    the_answers_that_speak_of_a_session_go_with_it_and_so_does_every_refusal,
    a_delivery_goes_with_the_session_it_told,
    a_delivery_goes_with_the_session_it_opened,
    a_delivery_that_is_finished_after_one_of_its_sessions_was_erased_keeps_nothing,
    a_bad_delivery_that_speaks_of_an_erased_session_is_over,
    a_session_whose_deliveries_are_being_worked_on_is_erased_afterwards,
    messages_that_wait_are_sent_before_their_session_is_erased,
);

async fn the_answers_that_speak_of_a_session_go_with_it_and_so_does_every_refusal(subject: Subject) {
    for n in [1, 2] {
        ended(&subject, n, "x").await;
    }
    let handle = subject.store.reads.sessions.session(id(1)).await.unwrap().handle;
    let place = Some(format!("/v1/sessions/{}", id(1)));
    let answers = [
        ("by id", 200, None, format!("{{\"a\":[\"{}\"]}}", id(1))),
        ("by handle", 200, None, format!("({handle}) was told")),
        ("by place", 201, place, "{}".to_owned()),
        ("a refusal", 409, None, "anything".to_owned()),
        ("another's", 200, None, format!("{} and {}x", id(2), id(1))),
        ("nobody's", 200, None, "{}".to_owned()),
    ];
    let claimed = async |name: &str| {
        let key = Digest::of(name.as_bytes());
        subject.store.requests.claim(key, key, at(2), at(0)).await.unwrap()
    };
    for (name, status, location, body) in answers.clone() {
        claimed(name).await;
        let (content_type, body) = (String::new(), body.into_bytes());
        let answer = KeptAnswer { status, content_type, location, body };
        subject.store.requests.answer(Digest::of(name.as_bytes()), &answer).await.unwrap();
    }
    subject.store.erasure.erase(request(&subject.store, 1).await).await.unwrap();
    let mut left = Vec::new();
    for (name, ..) in &answers {
        left.extend(claimed(name).await.answer.map(|_| *name));
    }
    assert_eq!(left, ["another's", "nobody's"], "the others' notes are there, their answers are not");
}

/// One that told session 1 and opened session 2.
fn both(group: Digest) -> Finish {
    let marks =
        [("a", 1), ("b", 2)].map(|(name, n)| Mark { name: name.to_owned(), ended: false, session: Some(id(n)) });
    let what = Finished::Done { session: Some(id(2)), marks: marks.into(), note: "opened, 1 resolved".to_owned() };
    Finish { group, upto: 9_999, about: vec![id(1)], what }
}

/// Nothing of what a delivery said can be read any more, not even in the files.
async fn assert_gone(subject: &Subject, name: &str, text: &str) {
    let delivery = subject.store.reads.deliveries.delivery(&DeliveryId::new(name)).await.unwrap();
    assert_eq!((delivery.body, subject.holding(text)), (vec![], vec![]), "{name}");
}

/// What a delivery said is still there.
async fn assert_there(subject: &Subject, name: &str, text: &str, why: &str) {
    let delivery = subject.store.reads.deliveries.delivery(&DeliveryId::new(name)).await.unwrap();
    assert_eq!(delivery.body, text.as_bytes(), "{why}");
    assert!(subject.folder.is_none() || !subject.holding(text).is_empty(), "{why}");
}

async fn a_delivery_goes_with_the_session_it_told(subject: Subject) {
    goes_with(subject, 1, &[id(2)]).await;
}

async fn a_delivery_goes_with_the_session_it_opened(subject: Subject) {
    // What the group's other session was told stays known.
    goes_with(subject, 2, &[id(1)]).await;
}

async fn goes_with(subject: Subject, first: u128, left: &[SessionId]) {
    for n in [1, 2] {
        ended(&subject, n, "x").await;
    }
    let (store, group) = (&subject.store, Digest::of(b"group"));
    store.deliveries.deliver(delivery("dlv-1", "MARKER-BOTH", Arrived::Waiting { group })).await.unwrap();
    store.deliveries.finish(both(group)).await.unwrap();
    let told = async || {
        let marks = store.reads.deliveries.work(group, 9).await.unwrap().marks;
        marks.into_values().filter_map(|known| known.session).collect::<Vec<_>>()
    };
    assert_eq!(told().await, [id(1), id(2)]);
    store.erasure.erase(request(store, first).await).await.unwrap();
    store.erasure.scrub().await.unwrap();
    assert_gone(&subject, "dlv-1", "MARKER-BOTH").await;
    let filter = DeliveryFilter { limit: 9, ..DeliveryFilter::default() };
    let rows = store.reads.deliveries.deliveries(&filter).await.unwrap();
    assert_eq!((rows[0].note.as_str(), rows[0].state, rows[0].session), ("erased", DeliveryState::Done, Some(id(2))));
    assert_eq!(told().await, left);
}

async fn a_delivery_that_is_finished_after_one_of_its_sessions_was_erased_keeps_nothing(subject: Subject) {
    let store = &subject.store;
    for n in [1, 2] {
        ended(&subject, n, "x").await;
    }
    let group = Digest::of(b"group");
    store.deliveries.deliver(delivery("dlv-1", "MARKER-LATE", Arrived::Waiting { group })).await.unwrap();
    store.erasure.erase(request(store, 1).await).await.unwrap();
    store.erasure.scrub().await.unwrap();
    assert_there(&subject, "dlv-1", "MARKER-LATE", "what waits is nobody's yet").await;
    assert_eq!(store.deliveries.finish(both(group)).await, Ok(1));
    store.erasure.scrub().await.unwrap();
    assert_gone(&subject, "dlv-1", "MARKER-LATE").await;
    let marks = store.reads.deliveries.work(group, 9).await.unwrap().marks;
    assert_eq!((marks["a"].session, marks["b"].session), (None, Some(id(2))), "nothing is an erased session's");
    store.deliveries.deliver(delivery("dlv-2", "MARKER-NEXT", Arrived::Waiting { group })).await.unwrap();
    store.deliveries.finish(Finish { about: vec![], ..both(group) }).await.unwrap();
    assert_there(&subject, "dlv-2", "MARKER-NEXT", "what comes later is the other's").await;
}

async fn a_bad_delivery_that_speaks_of_an_erased_session_is_over(subject: Subject) {
    let store = &subject.store;
    ended(&subject, 1, "x").await;
    let group = Digest::of(b"group");
    store.deliveries.deliver(delivery("dlv-1", "MARKER-BAD", Arrived::Waiting { group })).await.unwrap();
    let bad = Finished::Bad { reason: "MARKER-BAD says nothing".to_owned() };
    store.deliveries.finish(Finish { group, upto: 9_999, about: vec![id(1)], what: bad }).await.unwrap();
    store.erasure.erase(request(store, 1).await).await.unwrap();
    store.erasure.scrub().await.unwrap();
    assert_gone(&subject, "dlv-1", "MARKER-BAD").await;
    assert_eq!(
        store.deliveries.dismiss(&DeliveryId::new("dlv-1"), "again").await,
        Ok(DismissAnswer::NotBad),
        "there is nothing to replay"
    );
}

async fn a_session_whose_deliveries_are_being_worked_on_is_erased_afterwards(subject: Subject) {
    let store = &subject.store;
    ended(&subject, 1, "x").await;
    let group = Digest::of(b"group");
    store.deliveries.finish(done(group, 1)).await.unwrap();
    store.deliveries.plan(group, "MARKER-PLAN").await.unwrap();
    let erase = request(store, 1).await;
    assert_eq!(store.erasure.erase(erase.clone()).await, Err(StoreError::Stale));
    assert_eq!(store.reads.sessions.session(id(1)).await.unwrap().erased_at, None);
    store.deliveries.finish(done(group, 1)).await.unwrap();
    assert_eq!(store.erasure.erase(erase).await, Ok(Erased::Done { records: 2 }));
}

async fn messages_that_wait_are_sent_before_their_session_is_erased(subject: Subject) {
    let store = &subject.store;
    ended(&subject, 1, "x").await;
    assert_eq!(store.outbox.enqueue(message(1, "x")).await, Ok(EnqueueAnswer::Stored));
    let erase = request(store, 1).await;
    assert_eq!(store.erasure.erase(erase.clone()).await, Ok(Erased::Unsent { messages: 1 }));
    assert_eq!(store.reads.sessions.session(id(1)).await.unwrap().erased_at, None);
    sent(store, 1).await;
    assert_eq!(store.erasure.erase(erase).await, Ok(Erased::Done { records: 2 }));
}
