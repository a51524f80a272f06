//! People's logins at the page.

use provost_domain::ids::{Digest, TokenId};
use provost_domain::port::PageSession;
use provost_domain::time::Timestamp;

use crate::support::Subject;

on_every_store!(a_login_stays_until_it_is_ended_or_long_over);

fn login(n: u8, begun_at: i64) -> PageSession {
    PageSession {
        digest: Digest::from_bytes([n; 32]),
        token: TokenId::new("abc"),
        begun_at: Timestamp::from_micros(begun_at),
        expires_at: Timestamp::from_micros(begun_at + 10),
    }
}

async fn a_login_stays_until_it_is_ended_or_long_over(subject: Subject) {
    let store = &subject.store.page_sessions;
    let (first, second) = (login(1, 0), login(2, 5));
    store.begin(&first).await.unwrap();
    store.begin(&second).await.unwrap();
    assert_eq!(store.page_session(first.digest).await.unwrap(), Some(first.clone()));
    store.end(second.digest).await.unwrap();
    store.end(second.digest).await.unwrap();

    let subject = subject.reopened().await;
    let store = &subject.store.page_sessions;
    assert_eq!(store.page_session(first.digest).await.unwrap(), Some(first.clone()), "a restart ends none");
    assert_eq!(store.page_session(second.digest).await.unwrap(), None, "and brings none back");
    store.begin(&login(3, 10)).await.unwrap();
    assert_eq!(store.page_session(first.digest).await.unwrap(), None, "an expired one goes with the next login");
}
