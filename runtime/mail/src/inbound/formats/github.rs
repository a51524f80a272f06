//! GitHub's webhooks. What happened stands in the head of the request, not in its body. A pack says by its `when` which of
//! them it takes; what an event holds besides is the pack's to know.

use provost_domain::ids::Digest;
use provost_expr::{Scope, Type};
use serde_json::{Map, Value, json};

use super::super::head::DeliveryHead;
use super::super::loose::text;
use super::super::reading::{AlertChange, BadDelivery, FormatReading, ReadAlert, Repetition};
use super::object::object;

const FORM: &str = "GitHub's webhooks";
/// What a session is sent about an event, by where it stands.
const TOLD: [(&str, &str); 6] = [
    ("action", "/action"),
    ("repository", "/repository/full_name"),
    ("number", "/number"),
    ("title", "/pull_request/title"),
    ("url", "/pull_request/html_url"),
    ("sender", "/sender/login"),
];

/// The names that a mapping may read.
pub(super) fn scope() -> Scope {
    let head = Type::object([("event", Type::Text.optional()), ("delivery", Type::Text.optional())]);
    Scope::default().with("event", Type::Any).with("github", head)
}

/// Reads an event. One that only tries the way says nothing.
pub(super) fn read(head: &DeliveryHead, body: &[u8]) -> Result<FormatReading, BadDelivery> {
    let event = object(body, FORM)?;
    let (kind, delivery) = (head.get("x-github-event"), head.get("x-github-delivery"));
    let alerts = if kind == Some("ping") { Vec::new() } else { vec![Ok(alert(kind, delivery, event))] };
    let repetition = Repetition::SameEvent;
    Ok(FormatReading { group: None, common: Map::new(), alerts, repetition, key: String::new() })
}

fn alert(kind: Option<&str>, delivery: Option<&str>, event: Map<String, Value>) -> ReadAlert {
    let event = Value::Object(event);
    // The same on a redelivery.
    let mark = delivery.map_or_else(|| Digest::of_json(&event).hex(), |id| Digest::of(id.as_bytes()).hex());
    let told = TOLD.iter().filter_map(|(name, place)| Some(((*name).to_owned(), text(event.pointer(place))?.into())));
    let mut brief: Map<String, Value> = told.collect();
    brief.extend(kind.map(|kind| ("name".to_owned(), kind.into())));
    let mut known = Map::new();
    for (name, value) in [("event", kind), ("delivery", delivery)] {
        known.extend(value.map(|value| (name.to_owned(), json!(value))));
    }
    let payload = [("event".to_owned(), event), ("github".to_owned(), Value::Object(known))];
    ReadAlert {
        mark,
        change: AlertChange::Firing,
        payload: Some(payload.into_iter().collect()),
        brief: Value::Object(brief),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(kind: &str, delivery: &str) -> DeliveryHead {
        DeliveryHead::new([("X-GitHub-Event", kind), ("X-GitHub-Delivery", delivery)])
    }

    fn body() -> Value {
        json!({"action": "opened", "number": 7, "repository": {"full_name": "shop/till"},
            "pull_request": {"title": "Round", "draft": false}, "sender": {"login": "bea"}})
    }

    fn alerts(head: &DeliveryHead, body: &Value) -> Vec<ReadAlert> {
        let reading = read(head, body.to_string().as_bytes()).unwrap();
        assert_eq!((reading.group, reading.repetition), (None, Repetition::SameEvent));
        reading.alerts.into_iter().map(Result::unwrap).collect()
    }

    #[test]
    fn an_event_is_its_body_and_what_its_head_says() {
        let alert = alerts(&head("pull_request", "d-1"), &body()).remove(0);
        let payload = json!(alert.payload);
        assert_eq!(payload["github"], json!({"event": "pull_request", "delivery": "d-1"}));
        assert_eq!(payload["event"], body());
        let told = json!({"name": "pull_request", "action": "opened", "repository": "shop/till", "number": "7",
            "title": "Round", "sender": "bea"});
        assert_eq!((alert.change, alert.brief), (AlertChange::Firing, told));
    }

    #[test]
    fn a_redelivery_is_the_same_event_whatever_its_body() {
        let mark = |delivery: &str, body: &Value| alerts(&head("push", delivery), body).remove(0).mark;
        assert_eq!(mark("d-1", &body()), mark("d-1", &json!({})));
        assert_ne!(mark("d-1", &body()), mark("d-2", &body()));
        let without = DeliveryHead::default();
        assert_ne!(alerts(&without, &body())[0].mark, alerts(&without, &json!({}))[0].mark);
    }

    #[test]
    fn a_ping_says_nothing_and_what_is_no_object_is_refused() {
        assert_eq!(alerts(&head("ping", "d"), &json!({"zen": "x"})), []);
        assert!(matches!(read(&DeliveryHead::default(), b"[]"), Err(BadDelivery::Form(_))));
        assert!(matches!(read(&DeliveryHead::default(), b"{"), Err(BadDelivery::Syntax(_))));
    }
}
