//! What people are told of sessions: noted with the append, stored with the messages of a look, and each look counts once.

use provost_domain::attention::{AttentionNotice, TellStep};
use provost_domain::event::{EventBody, OperatorSpoke};
use provost_domain::ids::{CmdId, Seq, ToolName};
use provost_domain::log::{AppendRecord, Unsealed};
use provost_domain::port::{
    Append, Erased, LookAnswer, MessageFilter, NewMessage, SessionLook, StoreError, Then, Tried, WatchedSession,
};
use provost_domain::principal::Principal;

use crate::erasure::{ended, request};
use crate::support::{Driven, Subject, at, id};

on_every_store!(
    an_append_with_news_is_looked_at_also_after_a_restart_and_another_is_not,
    a_fenced_append_is_no_news,
    a_look_and_its_messages_are_stored_together_and_once,
    news_that_came_during_a_look_are_looked_at_again,
    a_look_comes_again_when_its_time_has_come,
    an_erased_session_is_looked_at_no_more,
    messages_of_the_runtime_about_one_session_reach_a_target_in_their_order,
);

impl Subject {
    async fn watched(&self, now: i64) -> Vec<WatchedSession> {
        self.store.attention.due(at(now), 9).await.unwrap()
    }

    async fn looked(&self, look: SessionLook) -> LookAnswer {
        self.store.attention.looked(look).await.unwrap()
    }

    async fn keys(&self) -> Vec<String> {
        let filter = MessageFilter { limit: 500, ..MessageFilter::default() };
        let rows = self.store.reads.outbox.messages(&filter).await.unwrap();
        rows.into_iter().rev().map(|row| row.key).collect()
    }
}

/// The next append, whose event people may have to be told of.
fn news(driven: &Driven) -> Append {
    let said: EventBody = OperatorSpoke { by: Principal::user("a"), text: "go on".to_owned() }.into();
    let record = AppendRecord::seal(Unsealed {
        session: driven.id,
        after: driven.head,
        fence: driven.fence,
        cmd_id: CmdId::new(format!("{}.{}", driven.fence, driven.head)),
        at: at(2),
        events: &[said],
        salt: [7; 16],
        prev: driven.prev,
    });
    Append { record: Some(record.unwrap()), ..driven.next(1) }
}

fn message(n: u128, key: &str, target: &str) -> NewMessage {
    let notice = AttentionNotice {
        session: id(n),
        handle: format!("INC-20261120-{n:04}"),
        pack: "p".into(),
        title: "t".to_owned(),
        step: TellStep::Begun,
        status: "awaiting_input".to_owned(),
        reason: String::new(),
        facts: Vec::new(),
        cause: None,
        asks: Vec::new(),
        more: 0,
        acknowledged_by: None,
        links: Vec::new(),
        contact: "c".to_owned(),
        at: at(3),
    };
    NewMessage { call: notice.call(ToolName::new(target), key.to_owned()).unwrap(), at: at(3) }
}

fn look(seen: &WatchedSession, state: &str, messages: Vec<NewMessage>) -> SessionLook {
    let WatchedSession { session, news, version, state: _ } = seen.clone();
    SessionLook { session, version, news, state: format!("{{\"s\":\"{state}\"}}"), next_at: None, messages }
}

async fn an_append_with_news_is_looked_at_also_after_a_restart_and_another_is_not(place: Subject) {
    let mut driven = place.session(1).await;
    driven.write(driven.next(2)).await.unwrap();
    assert_eq!(place.watched(9).await, []);
    driven.write(news(&driven)).await.unwrap();
    let expect = [WatchedSession { session: id(1), news: Seq(3), version: 0, state: None }];
    assert_eq!(place.watched(9).await, expect);
    if place.folder.is_some() {
        let place = place.reopened().await;
        assert_eq!(place.watched(9).await, expect);
    }
}

async fn a_fenced_append_is_no_news(place: Subject) {
    let driven = place.session(1).await;
    let _newer = Driven::take(&place.store, 1, "other").await;
    assert_eq!(place.store.log.append(news(&driven)).await, Err(StoreError::Fenced));
    assert_eq!(place.watched(9).await, []);
}

async fn a_look_and_its_messages_are_stored_together_and_once(place: Subject) {
    let mut driven = place.session(1).await;
    driven.write(news(&driven)).await.unwrap();
    let seen = place.watched(9).await.remove(0);
    let told = |key| vec![message(1, key, "notify:a"), message(1, &format!("{key}+"), "notify:b")];
    assert_eq!(place.looked(look(&seen, "one", told("k1"))).await, LookAnswer::Stored);
    assert_eq!(place.watched(9).await, []);
    // The same look by a process that came late.
    assert_eq!(place.looked(look(&seen, "two", told("k2"))).await, LookAnswer::Outdated);
    assert_eq!(place.keys().await, ["k1", "k1+"]);
    driven.write(news(&driven)).await.unwrap();
    let seen = place.watched(9).await.remove(0);
    assert_eq!((seen.version, seen.state.as_deref()), (1, Some("{\"s\":\"one\"}")));
}

async fn news_that_came_during_a_look_are_looked_at_again(place: Subject) {
    let mut driven = place.session(1).await;
    driven.write(news(&driven)).await.unwrap();
    let seen = place.watched(9).await.remove(0);
    driven.write(news(&driven)).await.unwrap();
    assert_eq!(place.looked(look(&seen, "one", vec![])).await, LookAnswer::Stored);
    assert_eq!(place.watched(9).await.len(), 1);
}

async fn a_look_comes_again_when_its_time_has_come(place: Subject) {
    let mut driven = place.session(1).await;
    driven.write(news(&driven)).await.unwrap();
    let seen = place.watched(9).await.remove(0);
    let timed = SessionLook { next_at: Some(at(50)), ..look(&seen, "one", vec![]) };
    assert_eq!(place.looked(timed).await, LookAnswer::Stored);
    assert_eq!(place.store.attention.next_at().await, Ok(Some(at(50))));
    assert_eq!((place.watched(49).await.len(), place.watched(50).await.len()), (0, 1));
    driven.write(news(&driven)).await.unwrap();
    assert_eq!(place.watched(60).await.len(), 1, "for both reasons once");
    let seen = place.watched(60).await.remove(0);
    assert_eq!(place.looked(look(&seen, "two", vec![])).await, LookAnswer::Stored);
    assert_eq!(place.store.attention.next_at().await, Ok(None));
}

async fn an_erased_session_is_looked_at_no_more(place: Subject) {
    let mut driven = place.session(7).await;
    driven.write(news(&driven)).await.unwrap();
    ended(&place, 8, "x").await;
    let seen = place.watched(9).await.remove(0);
    let end = Append { status: provost_domain::status::Status::Stopped, ended: true, release: true, ..news(&driven) };
    driven.write(end).await.unwrap();
    let erase = request(&place.store, 7).await;
    assert_eq!(place.store.erasure.erase(erase).await, Ok(Erased::Done { records: 2 }));
    assert!(place.watched(99).await.iter().all(|watched| watched.session != id(7)));
    let late = look(&seen, "late", vec![message(7, "k", "notify:a")]);
    assert_eq!(place.looked(late).await, LookAnswer::Outdated);
    assert_eq!(place.keys().await, Vec::<String>::new());
}

async fn messages_of_the_runtime_about_one_session_reach_a_target_in_their_order(place: Subject) {
    let messages = [(1, "a1", "notify:a"), (1, "a2", "notify:a"), (1, "b1", "notify:b"), (2, "a3", "notify:a")];
    for (n, key, target) in messages {
        let stored = place.store.outbox.enqueue(message(n, key, target)).await;
        assert!(stored.is_ok(), "{stored:?}");
    }
    let due = async |now| {
        let due = place.store.reads.outbox.due("notify:a", at(now), 9).await.unwrap();
        due.into_iter().map(|message| message.call.key).collect::<Vec<_>>()
    };
    assert_eq!(due(3).await, ["a1", "a3"]);
    let tried = |key: &str, then| Tried { id: message(1, key, "notify:a").id(), at: at(4), then, note: String::new() };
    let first = tried("a1", Then::Again { at: at(90) });
    assert!(place.store.outbox.tried(&first).await.is_ok());
    assert_eq!(due(5).await, ["a3"], "the second waits for the first");
    // The target is asked again only when something can be sent.
    assert!(place.store.outbox.tried(&tried("a3", Then::Sent)).await.is_ok());
    let queued = place.store.reads.outbox.queued().await.unwrap().remove(0);
    assert_eq!((queued.target.as_str(), queued.count, queued.next_at, queued.last_at), ("notify:a", 2, at(90), at(90)));
    assert!(place.store.outbox.tried(&tried("a1", Then::Failed)).await.is_ok());
    assert_eq!(due(5).await, ["a2"]);
}
