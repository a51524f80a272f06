//! Messages to the outside: stored once by their key, tried until they are sent or given up.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use provost_domain::ids::{CallId, MessageId, ToolName};
use provost_domain::port::{
    AgainAnswer, EnqueueAnswer, Erased, MessageFilter, MessageRow, MessageState, NewMessage, PAUSE_MAX, Prunable,
    Queued, StoreError, Then, Tried, TryAnswer,
};
use provost_domain::tool::ToolCall;
use serde_json::json;

use crate::erasure::{ended, request};
use crate::support::{Subject, at, id};

on_every_store!(
    a_message_is_stored_once_by_its_key_and_is_there_after_a_restart,
    what_waits_is_known_by_target_and_due_when_its_time_has_come,
    what_waits_since_before_the_clock_was_set_back_is_due,
    each_try_is_kept_and_what_is_over_is_tried_no_more,
    a_person_has_it_tried_again_unless_it_was_sent,
    lists_are_filtered_and_go_on_from_a_place,
    many_at_once_are_all_stored_once,
    a_session_whose_messages_wait_is_not_erased_and_none_of_an_erased_one_is_stored,
    what_an_open_session_sent_is_not_pruned,
);

impl Subject {
    async fn listed(&self, filter: MessageFilter) -> Vec<MessageRow> {
        self.store.reads.outbox.messages(&MessageFilter { limit: 500, ..filter }).await.unwrap()
    }

    /// The keys of what is due to a target.
    async fn due(&self, target: &str, now: i64) -> Vec<String> {
        let due = self.store.reads.outbox.due(target, at(now), 9).await.unwrap();
        due.into_iter().map(|message| message.call.key).collect()
    }

    async fn tried(&self, id: &MessageId, now: i64, then: Then) -> bool {
        let tried = Tried { id: id.clone(), at: at(now), then, note: format!("n{now}") };
        self.store.outbox.tried(&tried).await.unwrap() == TryAnswer::Counted
    }
}

fn new(key: &str, target: &str, now: i64) -> NewMessage {
    let call = ToolCall {
        session: id(7),
        call: CallId::new("1.2.0"),
        tool: ToolName::new(target),
        args: Arc::new(json!({"team": "red", "n": 1})),
        key: key.to_owned(),
    };
    NewMessage { call, at: at(now) }
}

async fn a_message_is_stored_once_by_its_key_and_is_there_after_a_restart(place: Subject) {
    assert_eq!(place.store.outbox.enqueue(new("k", "t:a", 5)).await, Ok(EnqueueAnswer::Stored));
    assert_eq!(place.store.outbox.enqueue(new("k", "t:a", 6)).await, Ok(EnqueueAnswer::NothingNew));
    let place = place.reopened().await;
    assert_eq!(place.store.outbox.enqueue(new("k", "t:a", 7)).await, Ok(EnqueueAnswer::NothingNew));
    let due = place.store.reads.outbox.due("t:a", at(5), 9).await.unwrap();
    let [message] = due.as_slice() else { panic!("{due:?}") };
    let ToolCall { session, call, tool, args, key } = &message.call;
    assert_eq!((*session, call.as_str(), tool.as_str(), key.as_str()), (id(7), "1.2.0", "t:a", "k"));
    assert_eq!((&**args, message.tries, message.since), (&json!({"team": "red", "n": 1}), 0, at(5)));
    assert_eq!(message.id, new("k", "t:a", 0).id());
    let missing = StoreError::Missing { what: "message", id: "msg_9".to_owned() };
    assert_eq!(place.store.reads.outbox.message(&MessageId::new("msg_9")).await, Err(missing));
}

async fn what_waits_is_known_by_target_and_due_when_its_time_has_come(place: Subject) {
    for (key, target, now) in [("k1", "t:a", 5), ("k2", "t:a", 3), ("k3", "t:b", 4)] {
        assert_eq!(place.store.outbox.enqueue(new(key, target, now)).await, Ok(EnqueueAnswer::Stored));
    }
    let queued = |target: &str, count, next, last| {
        let target = target.to_owned();
        Queued { target, count, next_at: at(next), last_at: at(last) }
    };
    assert_eq!(place.store.reads.outbox.queued().await.unwrap(), [queued("t:a", 2, 3, 5), queued("t:b", 1, 4, 4)]);
    assert_eq!(place.due("t:a", 2).await, Vec::<String>::new());
    assert_eq!(place.due("t:a", 4).await, ["k2"]);
    assert_eq!(place.due("t:a", 5).await, ["k2", "k1"], "the longest due first");
    assert_eq!(place.store.reads.outbox.due("t:a", at(5), 1).await.unwrap().len(), 1);
}

async fn what_waits_since_before_the_clock_was_set_back_is_due(place: Subject) {
    let now = at(1_000_000);
    // The farthest that a pause puts it, and a little more.
    let [pause, more] = [now.plus(PAUSE_MAX), now.plus(PAUSE_MAX + Duration::from_millis(1))];
    for (key, next) in [("pause", pause), ("more", more)] {
        assert_eq!(place.store.outbox.enqueue(new(key, "t:a", 1)).await, Ok(EnqueueAnswer::Stored));
        assert!(place.tried(&new(key, "t:a", 1).id(), 2, Then::Again { at: next }).await);
    }
    assert_eq!(place.due("t:a", now.micros()).await, ["more"]);
    let queued = place.store.reads.outbox.queued().await.unwrap().remove(0);
    assert_eq!(queued.due_at(now), now);
    place.tried(&new("more", "t:a", 1).id(), 2, Then::Sent).await;
    let queued = place.store.reads.outbox.queued().await.unwrap().remove(0);
    assert_eq!(queued.due_at(now), pause);
    assert_eq!(place.store.outbox.enqueue(new("now", "t:a", 3)).await, Ok(EnqueueAnswer::Stored));
    assert_eq!(place.due("t:a", 3).await, ["now", "pause"]);
    assert_eq!(place.store.reads.outbox.due("t:a", at(3), 1).await.unwrap().len(), 1);
}

async fn each_try_is_kept_and_what_is_over_is_tried_no_more(place: Subject) {
    for key in ["k1", "k2"] {
        assert_eq!(place.store.outbox.enqueue(new(key, "t:a", 5)).await, Ok(EnqueueAnswer::Stored));
    }
    let [one, two] = ["k1", "k2"].map(|key| new(key, "t:a", 5).id());
    assert!(place.tried(&one, 6, Then::Again { at: at(9) }).await);
    let place = place.reopened().await;
    assert_eq!(place.due("t:a", 8).await, ["k2"]);
    let row = place.store.reads.outbox.message(&one).await.unwrap();
    assert_eq!((row.state, row.note.as_str(), row.tries), (MessageState::Waiting, "n6", 1));
    assert_eq!((row.at, row.tried_at, row.next_at), (at(5), Some(at(6)), Some(at(9))));

    assert!(place.tried(&one, 9, Then::Sent).await);
    assert!(place.tried(&two, 9, Then::Failed).await);
    assert!(!place.tried(&one, 10, Then::Failed).await, "it is over");
    assert!(!place.tried(&MessageId::new("msg_9"), 10, Then::Sent).await);
    assert_eq!(place.store.reads.outbox.queued().await, Ok(vec![]));
    let rows = place.listed(MessageFilter::default()).await;
    let shown: Vec<_> = rows.iter().map(|row| (row.key.as_str(), row.state, row.tries, row.next_at)).collect();
    assert_eq!(shown, [("k2", MessageState::Failed, 1, None), ("k1", MessageState::Sent, 2, None)]);
}

async fn a_person_has_it_tried_again_unless_it_was_sent(place: Subject) {
    assert_eq!(place.store.outbox.enqueue(new("k", "t:a", 5)).await, Ok(EnqueueAnswer::Stored));
    let id = new("k", "t:a", 5).id();
    place.tried(&id, 6, Then::Again { at: at(99) }).await;
    assert_eq!(place.store.outbox.again(&id, at(7)).await, Ok(AgainAnswer::Due));
    assert_eq!(place.due("t:a", 7).await, ["k"]);
    place.tried(&id, 8, Then::Failed).await;
    assert_eq!(place.store.outbox.again(&id, at(50)).await, Ok(AgainAnswer::Due));
    let due = place.store.reads.outbox.due("t:a", at(50), 9).await.unwrap();
    assert_eq!((due[0].tries, due[0].since), (2, at(50)), "its age begins anew");
    place.tried(&id, 51, Then::Sent).await;
    assert_eq!(place.store.outbox.again(&id, at(52)).await, Ok(AgainAnswer::NothingToSend));
    assert_eq!(place.store.outbox.again(&MessageId::new("msg_9"), at(52)).await, Ok(AgainAnswer::NothingToSend));
}

async fn lists_are_filtered_and_go_on_from_a_place(place: Subject) {
    let mut other = new("k3", "t:a", 5);
    other.call.session = id(8);
    for message in [new("k1", "t:a", 5), new("k2", "t:a", 5), other] {
        assert_eq!(place.store.outbox.enqueue(message).await, Ok(EnqueueAnswer::Stored));
    }
    place.tried(&new("k2", "t:a", 5).id(), 6, Then::Sent).await;
    let keys = |filter| async {
        let rows = place.listed(filter).await;
        rows.into_iter().map(|row| row.key).collect::<Vec<_>>()
    };
    let all = MessageFilter::default();
    assert_eq!(keys(all.clone()).await, ["k3", "k2", "k1"]);
    assert_eq!(keys(MessageFilter { session: Some(id(7)), ..all.clone() }).await, ["k2", "k1"]);
    let sent = MessageFilter { session: Some(id(7)), state: Some(MessageState::Sent), ..all.clone() };
    assert_eq!(keys(sent.clone()).await, ["k2"]);
    assert_eq!(keys(MessageFilter { session: None, ..sent }).await, ["k2"]);
    let before = place.listed(all.clone()).await[1].seq;
    assert_eq!(keys(MessageFilter { before: Some(before), ..all }).await, ["k1"]);
}

async fn many_at_once_are_all_stored_once(place: Subject) {
    let each = (0..600).map(|n| place.store.outbox.enqueue(new(&format!("k{}", n % 300), "t:a", 5)));
    let fresh = join_all(each).await.into_iter().filter(|stored| stored == &Ok(EnqueueAnswer::Stored)).count();
    assert_eq!(fresh, 300);
    let place = place.reopened().await;
    assert_eq!(place.store.reads.outbox.queued().await.unwrap()[0].count, 300);
}

async fn a_session_whose_messages_wait_is_not_erased_and_none_of_an_erased_one_is_stored(place: Subject) {
    ended(&place, 7, "secret").await;
    for key in ["k1", "k2"] {
        assert_eq!(place.store.outbox.enqueue(new(key, "t:a", 5)).await, Ok(EnqueueAnswer::Stored));
    }
    let [one, two] = ["k1", "k2"].map(|key| new(key, "t:a", 5).id());
    place.tried(&one, 6, Then::Sent).await;
    let erase = request(&place.store, 7).await;
    assert_eq!(place.store.erasure.erase(erase.clone()).await, Ok(Erased::Unsent { messages: 1 }));
    place.tried(&two, 6, Then::Failed).await;
    assert_eq!(place.store.erasure.erase(erase).await, Ok(Erased::Done { records: 2 }));
    assert_eq!(place.listed(MessageFilter::default()).await, []);
    // From a process that was told to send it before the erasure, and comes late.
    for key in ["k1", "k3"] {
        assert_eq!(place.store.outbox.enqueue(new(key, "t:a", 7)).await, Ok(EnqueueAnswer::NothingNew), "{key}");
    }
    assert_eq!(place.listed(MessageFilter::default()).await, []);
}

async fn what_an_open_session_sent_is_not_pruned(place: Subject) {
    place.session(8).await;
    ended(&place, 7, "x").await;
    for (key, session, now) in [("k1", 7, 3), ("k2", 8, 2), ("k3", 7, 1), ("k4", 7, 4)] {
        let mut message = new(key, "t:a", now);
        message.call.session = id(session);
        assert_eq!(place.store.outbox.enqueue(message).await, Ok(EnqueueAnswer::Stored));
        place.tried(&new(key, "t:a", now).id(), 6, Then::Sent).await;
    }
    assert_eq!(place.store.outbox.enqueue(new("k5", "t:a", 1)).await, Ok(EnqueueAnswer::Stored));
    let mut left = Vec::new();
    for _ in 0..3 {
        place.store.erasure.prune(Prunable::Outbox, at(4), 1).await.unwrap();
        let rows = place.listed(MessageFilter::default()).await;
        left.push(rows.into_iter().map(|row| row.key).collect::<Vec<_>>().join(" "));
    }
    assert_eq!(left, ["k5 k4 k2 k1", "k5 k4 k2", "k5 k4 k2"], "the oldest first");
}
