//! Lists with filters and cursors.

use provost_domain::ids::{Handle, SessionId};
use provost_domain::port::{Append, NewSession, SessionFilter, StoreError};
use provost_domain::status::Status;

use crate::support::{Subject, id, new};

on_every_store!(
    sessions_are_listed_newest_first_with_a_cursor,
    sessions_are_filtered_by_status_and_pack,
    lists_are_bounded,
    unknown_sessions_are_missing,
);

async fn list(subject: &Subject, filter: SessionFilter) -> Vec<SessionId> {
    subject.store.reads.sessions.sessions(&filter).await.unwrap().into_iter().map(|row| row.id).collect()
}

async fn sessions_are_listed_newest_first_with_a_cursor(subject: Subject) {
    for n in [3, 1, 5, 2, 4] {
        subject.store.log.create(new(n)).await.unwrap();
    }
    let page = async |before| list(&subject, SessionFilter { before, limit: 2, ..SessionFilter::default() }).await;
    assert_eq!(page(None).await, [id(5), id(4)]);
    assert_eq!(page(Some(id(4))).await, [id(3), id(2)]);
    assert_eq!(page(Some(id(2))).await, [id(1)]);
    assert_eq!(page(Some(id(1))).await, []);
}

async fn sessions_are_filtered_by_status_and_pack(subject: Subject) {
    for n in 1..=4 {
        let pack = if n % 2 == 0 { "even" } else { "odd" };
        subject.store.log.create(NewSession { pack: pack.into(), ..new(n) }).await.unwrap();
    }
    let mut driven = crate::support::Driven::take(&subject.store, 2, "me").await;
    let stopped = Append { status: Status::Stopped, ..driven.next(1) };
    driven.write(stopped).await.unwrap();
    let filter = async |status: Option<&str>, pack: Option<&str>| {
        let (status, pack) = (status.map(Status::of_word), pack.map(Into::into));
        list(&subject, SessionFilter { status, pack, before: None, limit: 9 }).await
    };
    assert_eq!(filter(Some("stopped"), None).await, [id(2)]);
    assert_eq!(filter(None, Some("even")).await, [id(4), id(2)]);
    assert_eq!(filter(Some("new"), Some("even")).await, [id(4)]);
    assert_eq!(filter(Some("error"), None).await, []);
}

async fn lists_are_bounded(subject: Subject) {
    let mut creations = tokio::task::JoinSet::new();
    for n in 1..=501 {
        let store = subject.store.clone();
        creations.spawn(async move { store.log.create(new(n)).await });
    }
    creations.join_all().await.into_iter().for_each(Result::unwrap);
    assert_eq!(list(&subject, SessionFilter { limit: u32::MAX, ..SessionFilter::default() }).await.len(), 500);
}

async fn unknown_sessions_are_missing(subject: Subject) {
    let missing = |id: String| StoreError::Missing { what: "session", id };
    assert_eq!(subject.store.reads.sessions.session(id(9)).await, Err(missing(id(9).to_string())));
    assert_eq!(subject.store.reads.sessions.by_handle(&Handle::new("INC-1")).await, Err(missing("INC-1".to_owned())));
}
