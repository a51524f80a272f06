//! What stands beside sessions in a store: deliveries and messages.

use std::sync::Arc;

use provost_domain::ids::{CallId, DeliveryId, Digest, MessageId, ToolName};
use provost_domain::port::{Arrived, Finish, Finished, Mark, NewDelivery, NewMessage, Then, Tried, TryAnswer};
use provost_domain::principal::Principal;
use provost_domain::tool::ToolCall;
use provost_store::Stores;
use serde_json::json;

use crate::support::{at, id};

/// A message of session `n`.
pub(crate) fn message(n: u128, text: &str) -> NewMessage {
    let call = ToolCall {
        session: id(n),
        call: CallId::new("1.1.0"),
        tool: ToolName::new("notify:x"),
        args: Arc::new(json!({ "said": text })),
        key: format!("key-{n}"),
    };
    NewMessage { call, at: at(2) }
}

/// Session `n`'s message is sent.
pub(crate) async fn sent(store: &Stores, n: u128) {
    let id: MessageId = message(n, "").id();
    let tried = Tried { id, at: at(3), then: Then::Sent, note: String::new() };
    assert_eq!(store.outbox.tried(&tried).await, Ok(TryAnswer::Counted));
}

/// A delivery whose body is the text.
pub(crate) fn delivery(name: &str, text: &str, arrived: Arrived) -> NewDelivery {
    let (id, by) = (DeliveryId::new(name), Principal::parse("intake:a"));
    NewDelivery { id, source: "s".to_owned(), by, body: text.as_bytes().to_vec(), arrived, at: at(2) }
}

/// A group's deliveries went to session `n`.
pub(crate) fn done(group: Digest, n: u128) -> Finish {
    let marks = vec![Mark { name: format!("mark-{n}"), ended: false, session: None }];
    Finish {
        group,
        upto: 9_999,
        about: vec![],
        what: Finished::Done { session: Some(id(n)), marks, note: "opened".to_owned() },
    }
}
