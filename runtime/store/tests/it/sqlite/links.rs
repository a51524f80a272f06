//! What speaks of a session beside it: kept answers and deliveries go with it, whoever else they speak of.

use provost_domain::ids::{DeliveryId, Digest};
use provost_domain::port::{
    Arrived, Deliveries as _, DeliveryFilter, DeliveryReads as _, DeliveryState, Erasure as _, Finish, Finished,
    KeptAnswer, Mark, Reads as _, Requests as _,
};

use super::erasure::{delivery, holding, subject};
use super::place;
use crate::erasure::{ended, request};
use crate::support::{at, id};

#[tokio::test]
async fn the_answers_that_speak_of_a_session_go_with_it_and_so_does_every_refusal() {
    let (folder, _) = place();
    let (store, subject) = subject(folder.path()).await;
    for n in [1, 2] {
        ended(&subject, n, "x").await;
    }
    let handle = store.session(id(1)).await.unwrap().handle;
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
        store.claim(key, key, at(2), at(0)).await.unwrap()
    };
    for (name, status, location, body) in answers.clone() {
        claimed(name).await;
        let (content_type, body) = (String::new(), body.into_bytes());
        let answer = KeptAnswer { status, content_type, location, body };
        store.answer(Digest::of(name.as_bytes()), &answer).await.unwrap();
    }
    store.erase(request(&*subject.store, 1).await).await.unwrap();
    let mut left = Vec::new();
    for (name, ..) in &answers {
        left.extend(claimed(name).await.answer.map(|_| *name));
    }
    assert_eq!(left, ["another's", "nobody's"], "the others' notes are there, their answers are not");
    store.close().await;
}

/// One that told session 1 and opened session 2.
fn both(group: Digest) -> Finish {
    let marks =
        [("a", 1), ("b", 2)].map(|(name, n)| Mark { name: name.to_owned(), ended: false, session: Some(id(n)) });
    let what = Finished::Done { session: Some(id(2)), marks: marks.into(), note: "opened, 1 resolved".to_owned() };
    Finish { group, upto: 9_999, about: vec![id(1)], what }
}

#[tokio::test]
async fn a_delivery_goes_with_the_first_of_its_sessions_that_is_erased() {
    for (first, left) in [(1, Some(2)), (2, Some(1))] {
        let (folder, _) = place();
        let (store, subject) = subject(folder.path()).await;
        for n in [1, 2] {
            ended(&subject, n, "x").await;
        }
        let group = Digest::of(b"group");
        store.deliver(delivery("dlv-1", "MARKER-BOTH", Arrived::Waiting { group })).await.unwrap();
        store.finish(both(group)).await.unwrap();
        let reads = store.reads();
        let told = async || {
            let marks = reads.work(group, 9).await.unwrap().marks;
            marks.into_values().filter_map(|known| known.session).collect::<Vec<_>>()
        };
        assert_eq!(told().await, [id(1), id(2)]);
        store.erase(request(&*subject.store, first).await).await.unwrap();
        store.scrub().await.unwrap();
        assert_eq!(holding(folder.path(), "MARKER-BOTH"), Vec::<String>::new(), "erased {first}");
        let rows = reads.deliveries(&DeliveryFilter { limit: 9, ..DeliveryFilter::default() }).await.unwrap();
        assert_eq!(
            (rows[0].note.as_str(), rows[0].state, rows[0].session),
            ("erased", DeliveryState::Done, Some(id(2)))
        );
        // The group is forgotten with the session it is with.
        assert_eq!(told().await, if first == 1 { left.map(id).into_iter().collect() } else { vec![] });
        store.close().await;
    }
}

#[tokio::test]
async fn a_delivery_that_is_finished_after_one_of_its_sessions_was_erased_keeps_nothing() {
    let (folder, _) = place();
    let (store, subject) = subject(folder.path()).await;
    for n in [1, 2] {
        ended(&subject, n, "x").await;
    }
    let group = Digest::of(b"group");
    store.deliver(delivery("dlv-1", "MARKER-LATE", Arrived::Waiting { group })).await.unwrap();
    store.erase(request(&*subject.store, 1).await).await.unwrap();
    store.scrub().await.unwrap();
    assert!(!holding(folder.path(), "MARKER-LATE").is_empty(), "what waits is nobody's yet");
    assert_eq!(store.finish(both(group)).await, Ok(1));
    store.scrub().await.unwrap();
    assert_eq!(holding(folder.path(), "MARKER-LATE"), Vec::<String>::new());
    let marks = store.reads().work(group, 9).await.unwrap().marks;
    assert_eq!((marks["a"].session, marks["b"].session), (None, Some(id(2))), "nothing is an erased session's");
    store.deliver(delivery("dlv-2", "MARKER-NEXT", Arrived::Waiting { group })).await.unwrap();
    store.finish(Finish { about: vec![], ..both(group) }).await.unwrap();
    assert!(!holding(folder.path(), "MARKER-NEXT").is_empty(), "what comes later is the other's");
    store.close().await;
}

#[tokio::test]
async fn a_bad_delivery_that_speaks_of_an_erased_session_is_over() {
    let (folder, _) = place();
    let (store, subject) = subject(folder.path()).await;
    ended(&subject, 1, "x").await;
    let group = Digest::of(b"group");
    store.deliver(delivery("dlv-1", "MARKER-BAD", Arrived::Waiting { group })).await.unwrap();
    let bad = Finished::Bad { reason: "MARKER-BAD says nothing".to_owned() };
    store.finish(Finish { group, upto: 9_999, about: vec![id(1)], what: bad }).await.unwrap();
    store.erase(request(&*subject.store, 1).await).await.unwrap();
    store.scrub().await.unwrap();
    assert_eq!(holding(folder.path(), "MARKER-BAD"), Vec::<String>::new());
    assert_eq!(store.dismiss(&DeliveryId::new("dlv-1"), "again").await, Ok(false), "there is nothing to replay");
    store.close().await;
}
