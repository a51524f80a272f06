//! A webhook whose form its pack declares. Its body is JSON; whether that has the declared form, the mapping checks.

use provost_domain::ids::Digest;
use provost_expr::{Scope, Type};
use serde_json::{Map, Value};

use super::super::head::DeliveryHead;
use super::super::reading::{AlertChange, BadDelivery, FormatReading, ReadAlert, Repetition};
use super::object::{brief_of, json};

const FORM: &str = "JSON";

/// The names that a mapping may read, where nothing is declared of the body.
pub(super) fn scope() -> Scope {
    Scope::default().with("body", Type::Any)
}

/// Reads a body. Two bodies are the same event when they have the same `webhook-id`, or without one the same contents.
pub(super) fn read(head: &DeliveryHead, body: &[u8]) -> Result<FormatReading, BadDelivery> {
    let body = json(body, FORM)?;
    let id = head.get("webhook-id").or_else(|| head.get("idempotency-key"));
    let mark = id.map_or_else(|| Digest::of_json(&body).hex(), |id| Digest::of(id.as_bytes()).hex());
    let brief = brief_of(&body);
    let payload: Map<String, Value> = [("body".to_owned(), body)].into_iter().collect();
    let alert = ReadAlert { mark, change: AlertChange::Firing, payload: Some(payload), brief };
    let (alerts, repetition) = (vec![Ok(alert)], Repetition::SameEvent);
    Ok(FormatReading { group: None, common: Map::new(), alerts, repetition, key: String::new() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn alert(head: &DeliveryHead, body: &Value) -> ReadAlert {
        read(head, body.to_string().as_bytes()).unwrap().alerts.remove(0).unwrap()
    }

    #[test]
    fn an_event_is_known_by_its_id_or_else_by_its_contents() {
        let head = |id: &str| DeliveryHead::new([("webhook-id", id)]);
        let (one, other) = (json!({"a": 1}), json!({"a": 2}));
        assert_eq!(alert(&head("m-1"), &one).mark, alert(&head("m-1"), &other).mark);
        assert_ne!(alert(&head("m-1"), &one).mark, alert(&head("m-2"), &one).mark);
        let none = DeliveryHead::default();
        assert_eq!(alert(&none, &one).mark, alert(&none, &one).mark);
        assert_ne!(alert(&none, &one).mark, alert(&none, &other).mark);
        assert_eq!(json!(alert(&none, &json!([7])).payload), json!({"body": [7]}));
    }

    #[test]
    fn a_long_body_is_told_in_part_and_mapped_whole() {
        let long = json!({"text": "x".repeat(10_000)});
        let alert = alert(&DeliveryHead::default(), &long);
        assert!(alert.brief["cut"].as_str().unwrap().chars().count() <= 4096, "{}", alert.brief);
        assert_eq!(alert.payload.unwrap()["body"], long);
        assert!(read(&DeliveryHead::default(), b"{").is_err());
    }
}
