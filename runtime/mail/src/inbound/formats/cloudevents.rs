//! `CloudEvents` 1.0 in its three modes: the attributes in the head of the request and the data as its body, or both as one JSON
//! object, or a list of these. A list is parted at arrival, so that one odd event loses no other.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use provost_domain::ids::Digest;
use provost_expr::{Scope, Type};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::super::head::DeliveryHead;
use super::super::loose::{text, text_of};
use super::super::reading::{AlertChange, BadDelivery, FormatReading, ReadAlert, Repetition};
use super::object::{brief_of, json, object};

const FORM: &str = "CloudEvents 1.0";
const STRUCTURED: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";
/// The attributes that the specification names.
const ATTRIBUTES: [&str; 8] =
    ["id", "source", "specversion", "type", "subject", "time", "datacontenttype", "dataschema"];
/// Those that every event has.
const REQUIRED: [&str; 3] = ["id", "source", "type"];
/// Most events of one batch.
const EVENTS_MAX: usize = 1000;

/// The names that a mapping may read.
pub(in super::super) fn scope() -> Scope {
    let mut event: Vec<(&str, Type)> = ATTRIBUTES.map(|name| (name, Type::Text.optional())).to_vec();
    event.extend([("data", Type::Any), ("extensions", Type::Map(Box::new(Type::Text)))]);
    Scope::default().with("event", Type::object(event))
}

/// The deliveries of a request: one for each event of a batch, as its sender wrote it. Everything else is one delivery.
pub(in super::super) fn events(head: &DeliveryHead, body: &[u8]) -> Vec<(DeliveryHead, Vec<u8>)> {
    let whole = || vec![(head.clone(), body.to_vec())];
    if media_type(head) != BATCH {
        return whole();
    }
    let text = text_of(body);
    let one = |event: &RawValue| (DeliveryHead::new([("content-type", STRUCTURED)]), event.get().as_bytes().to_vec());
    match serde_json::from_str::<Vec<&RawValue>>(&text) {
        Ok(events) if events.len() <= EVENTS_MAX => events.into_iter().map(one).collect(),
        // It is bad as a whole, and kept as such.
        Ok(_) | Err(_) => whole(),
    }
}

/// Reads one event.
pub(super) fn read(head: &DeliveryHead, body: &[u8]) -> Result<FormatReading, BadDelivery> {
    let kind = media_type(head);
    if kind == BATCH {
        let what = format!("a batch must be a list of at most {EVENTS_MAX} events");
        return Err(BadDelivery::Form(format!("it does not have the form of {FORM}: {what}")));
    }
    // A sample of a pack has no head: one with attributes in its body is structured.
    let binary = head.attributes().next().is_some() && kind != STRUCTURED;
    let sent = if binary { in_head(head, body) } else { in_body(object(body, FORM)?) };
    for name in REQUIRED {
        if text(sent.get(name)).is_none() {
            return Err(BadDelivery::Form(format!("it does not have the form of {FORM}: `{name}` is missing")));
        }
    }
    let part = |name: &str| text(sent.get(name)).unwrap_or_default();
    // An event is unique by these two.
    let mark = Digest::of_parts(&[part("source").as_bytes(), part("id").as_bytes()]).hex();
    let brief = brief_of(&Value::Object(sent.clone()));
    let payload = [("event".to_owned(), Value::Object(sent))].into_iter().collect();
    let alerts = vec![Ok(ReadAlert { mark, change: AlertChange::Firing, payload: Some(payload), brief })];
    let repetition = Repetition::SameEvent;
    Ok(FormatReading { group: None, common: Map::new(), alerts, repetition, key: String::new() })
}

/// An event whose attributes stand in the head.
fn in_head(head: &DeliveryHead, body: &[u8]) -> Map<String, Value> {
    let (mut event, mut extensions) = (Map::new(), Map::new());
    for (name, value) in head.attributes() {
        let to = if ATTRIBUTES.contains(&name) { &mut event } else { &mut extensions };
        to.insert(name.to_owned(), percent_decoded(value).into());
    }
    let kind = head.get("content-type").unwrap_or_default();
    event.insert("datacontenttype".to_owned(), kind.into());
    event.insert("data".to_owned(), data(body, kind));
    event.insert("extensions".to_owned(), Value::Object(extensions));
    event
}

/// An event that is one object: what is neither a named attribute nor data is an extension.
fn in_body(sent: Map<String, Value>) -> Map<String, Value> {
    let (mut event, mut extensions) = (Map::new(), Map::new());
    let kind = text(sent.get("datacontenttype")).unwrap_or_else(|| "application/json".to_owned());
    for (name, value) in sent {
        match (name.as_str(), &value) {
            ("data", _) => drop(event.insert(name, value)),
            ("data_base64", Value::String(coded)) => {
                let bytes = STANDARD.decode(coded);
                event.insert("data".to_owned(), bytes.map_or(value, |bytes| data(&bytes, &kind)));
            }
            (own, _) => {
                let to = if ATTRIBUTES.contains(&own) { &mut event } else { &mut extensions };
                to.extend(text(Some(&value)).map(|value| (name, value.into())));
            }
        }
    }
    event.insert("extensions".to_owned(), Value::Object(extensions));
    event
}

/// Data as JSON where it is that, or else as text.
fn data(bytes: &[u8], kind: &str) -> Value {
    let is_json = kind.is_empty() || kind.contains("json");
    let read = is_json.then(|| json(bytes, FORM).ok()).flatten();
    read.unwrap_or_else(|| text_of(bytes).into_owned().into())
}

/// The kind of a body, without its parameters.
fn media_type(head: &DeliveryHead) -> String {
    let kind = head.get("content-type").unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The value of an attribute in a header: `%` and two digits of hex stand for a byte.
fn percent_decoded(value: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), value.as_bytes());
    while let Some((byte, more)) = rest.split_first() {
        let coded = || {
            let digits =
                str::from_utf8(more.get(..2)?).ok().filter(|digits| digits.bytes().all(|d| d.is_ascii_hexdigit()));
            u8::from_str_radix(digits?, 16).ok()
        };
        let own = if *byte == b'%' { coded() } else { None };
        bytes.push(own.unwrap_or(*byte));
        rest = own.map_or(Some(more), |_| more.get(2..)).unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn structured() -> DeliveryHead {
        DeliveryHead::new([("Content-Type", "application/cloudevents+json; charset=utf-8")])
    }

    fn event() -> Value {
        json!({"specversion": "1.0", "id": "e-1", "source": "/shop", "type": "shop.failed", "time": "2026-01-01T00:00:00Z",
            "severity": "high", "data": {"service": "shop"}})
    }

    fn alert(head: &DeliveryHead, body: &[u8]) -> ReadAlert {
        read(head, body).unwrap().alerts.remove(0).unwrap()
    }

    #[track_caller]
    fn sent(alert: ReadAlert) -> Value {
        alert.payload.unwrap()["event"].clone()
    }

    #[test]
    fn an_event_in_the_head_and_one_in_the_body_are_the_same() {
        let binary = DeliveryHead::new([
            ("Content-Type", "application/json"),
            ("ce-specversion", "1.0"),
            ("ce-id", "e-1"),
            ("ce-source", "/sh%6fp"),
            ("ce-type", "shop.failed"),
            ("ce-time", "2026-01-01T00:00:00Z"),
            ("ce-severity", "high"),
        ]);
        let (one, other) =
            (alert(&binary, br#"{"service": "shop"}"#), alert(&structured(), event().to_string().as_bytes()));
        assert_eq!(one.mark, other.mark);
        let (mut one, other) = (sent(one), sent(other));
        assert_eq!(one["datacontenttype"].take(), "application/json");
        for name in ["id", "source", "type", "time", "data", "extensions"] {
            assert_eq!((&one[name], name), (&other[name], name));
        }
        assert_eq!(one["extensions"], json!({"severity": "high"}));
    }

    #[test]
    fn an_event_is_known_by_its_source_and_its_id() {
        let mark = |source: &str, id: &str, data: u64| {
            let mut event = event();
            (event["source"], event["id"], event["data"]) = (json!(source), json!(id), json!(data));
            alert(&structured(), event.to_string().as_bytes()).mark
        };
        assert_eq!(mark("/a", "1", 1), mark("/a", "1", 2));
        assert_ne!(mark("/a", "1", 1), mark("/b", "1", 1));
        assert_ne!(mark("/a", "1", 1), mark("/a", "2", 1));
    }

    #[test]
    fn data_is_read_whatever_its_kind() {
        let mut coded = event();
        coded["data"].take();
        coded["data_base64"] = json!("eyJzZXJ2aWNlIjoic2hvcCJ9");
        assert_eq!(sent(alert(&structured(), coded.to_string().as_bytes()))["data"], json!({"service": "shop"}));
        coded["datacontenttype"] = json!("text/plain");
        assert_eq!(sent(alert(&structured(), coded.to_string().as_bytes()))["data"], "{\"service\":\"shop\"}");
        let plain = [("content-type", "text/plain"), ("ce-id", "1"), ("ce-source", "s"), ("ce-type", "t")];
        assert_eq!(sent(alert(&DeliveryHead::new(plain), b"{"))["data"], "{");
    }

    #[test]
    fn a_batch_is_parted_and_one_odd_event_loses_no_other() {
        let batch = DeliveryHead::new([("content-type", BATCH)]);
        let body = format!("[{}, {{\"id\": 7}}]", event());
        let parts = events(&batch, body.as_bytes());
        let read_each: Vec<bool> = parts.iter().map(|(head, body)| read(head, body).is_ok()).collect();
        assert_eq!(read_each, [true, false]);
        assert_eq!(parts[0].1, event().to_string().into_bytes());
        for odd in [&b"{}"[..], b"[", b"7"] {
            let parts = events(&batch, odd);
            assert_eq!((parts.len(), parts[0].1.as_slice()), (1, odd));
            assert!(read(&parts[0].0, &parts[0].1).is_err());
        }
        let many = format!("[{}]", vec!["{}"; EVENTS_MAX + 1].join(","));
        assert_eq!(events(&batch, many.as_bytes()).len(), 1);
        assert_eq!(events(&structured(), b"[1, 2]").len(), 1);
    }

    #[test]
    fn what_an_event_needs_is_named() {
        for name in REQUIRED {
            let mut event = event();
            event.as_object_mut().unwrap().remove(name);
            let error = read(&structured(), event.to_string().as_bytes()).unwrap_err().to_string();
            assert!(error.contains(&format!("`{name}` is missing")), "{error}");
        }
    }
}
