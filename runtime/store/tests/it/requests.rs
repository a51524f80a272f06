//! Requests by their idempotency keys.

use provost_domain::ids::Digest;
use provost_domain::port::KeptAnswer;
use provost_domain::time::Timestamp;

use crate::support::Subject;

on_every_store!(the_first_request_of_a_key_is_kept_with_its_first_answer_until_it_is_old);

async fn the_first_request_of_a_key_is_kept_with_its_first_answer_until_it_is_old(subject: Subject) {
    let store = &subject.store.requests;
    let at = Timestamp::from_micros;
    let (key, one, other) = (Digest::of(b"key"), Digest::of(b"one"), Digest::of(b"other"));
    let never = at(0);
    let first = store.claim(key, one, at(10), never).await.unwrap();
    assert_eq!((first.fingerprint, first.at, first.answer), (one, at(10), None));
    let again = store.claim(key, other, at(20), never).await.unwrap();
    assert_eq!((again.fingerprint, again.at), (one, at(10)));

    let answer = |status| KeptAnswer {
        status,
        content_type: "application/json".to_owned(),
        location: Some("/v1/sessions/x".to_owned()),
        body: b"{}".to_vec(),
    };
    store.answer(key, &answer(201)).await.unwrap();
    store.answer(key, &answer(409)).await.unwrap();

    let subject = subject.reopened().await;
    let store = &subject.store.requests;
    assert_eq!(store.claim(key, one, at(30), never).await.unwrap().answer, Some(answer(201)));
    let renewed = store.claim(key, other, at(99), at(11)).await.unwrap();
    assert_eq!((renewed.fingerprint, renewed.answer), (other, None));
}
