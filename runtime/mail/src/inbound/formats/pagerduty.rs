//! PagerDuty's Events API v2, so that whatever can page can deliver here. Only what an event is about must be there: its
//! action, and for an end the key of its beginning. What is not needed never refuses a page.

use std::collections::BTreeMap;

use provost_domain::ids::Digest;
use provost_expr::{Scope, Type};
use serde_json::{Map, Value, json};

use super::super::loose::{repaired, shortened, text, text_of};
use super::super::reading::{AlertChange, BadDelivery, FormatReading, ReadAlert, Repetition};

const FORM: &str = "PagerDuty's Events API, version 2";

/// The parts of an event that are texts.
const EVENT_TEXTS: [&str; 5] = ["event_action", "dedup_key", "client", "client_url", "description"];
/// The parts of its payload that are texts.
const PAYLOAD_TEXTS: [&str; 7] = ["summary", "source", "severity", "timestamp", "component", "group", "class"];

/// The words for what an event asks.
const ACTIONS: [(&str, EventAction); 5] = [
    ("trigger", EventAction::Trigger),
    ("acknowledge", EventAction::Acknowledge),
    ("ack", EventAction::Acknowledge),
    ("resolve", EventAction::Resolve),
    ("resolved", EventAction::Resolve),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EventAction {
    Trigger,
    Acknowledge,
    Resolve,
}

/// The parts of an event that are read.
#[derive(Debug)]
struct PagerEvent {
    dedup_key: Option<String>,
    event: Map<String, Value>,
    payload: Map<String, Value>,
    details: Map<String, Value>,
}

/// The names that a mapping may read.
pub(super) fn scope() -> Scope {
    let texts = |names: &[&'static str]| names.iter().map(|name| (*name, Type::Text)).collect::<Vec<_>>();
    let mut payload = texts(&PAYLOAD_TEXTS);
    payload.push(("custom_details", Type::Map(Box::new(Type::Any))));
    let mut event = texts(&EVENT_TEXTS);
    event.extend([("payload", Type::object(payload)), ("links", Type::Any), ("images", Type::Any)]);
    Scope::default().with("event", Type::object(event)).with("described", Type::Any)
}

/// Reads an event; one without a `dedup_key` gets the minted one.
pub(super) fn read(bytes: &[u8], minted: impl FnOnce() -> String) -> Result<FormatReading, BadDelivery> {
    let event = parse(&text_of(bytes))?;
    let written = text(event.get("event_action")).unwrap_or_default();
    let action = ACTIONS.iter().find(|(word, _)| word.eq_ignore_ascii_case(&written)).map(|(_, action)| *action);
    let Some(action) = action else {
        let detail = format!(
            "it has the `event_action` `{}`; there are trigger, acknowledge and resolve",
            shortened(&written, 100)
        );
        return Err(BadDelivery::Form(detail));
    };
    let event = PagerEvent::of(event);
    let (key, alerts) = match (action, event.dedup_key.clone()) {
        (EventAction::Trigger, key) => (key.unwrap_or_else(minted), vec![Ok(event.trigger())]),
        (EventAction::Acknowledge | EventAction::Resolve, None) => {
            let detail = "acknowledge and resolve need the `dedup_key` of their trigger";
            return Err(BadDelivery::Form(detail.to_owned()));
        }
        // Who looks at it elsewhere changes nothing here.
        (EventAction::Acknowledge, Some(key)) => (key, Vec::new()),
        (EventAction::Resolve, Some(key)) => {
            let brief = json!({"dedup_key": key});
            (key, vec![Ok(ReadAlert { mark: String::new(), change: AlertChange::AllResolved, payload: None, brief })])
        }
    };
    let group = Digest::of_parts(&[b"pagerduty", key.as_bytes()]);
    Ok(FormatReading { group: Some(group), common: Map::new(), alerts, repetition: Repetition::FiresAnew, key })
}

fn parse(text: &str) -> Result<Map<String, Value>, BadDelivery> {
    let value = serde_json::from_str(text).or_else(|_| serde_json::from_str(&repaired(text)));
    match value {
        Ok(Value::Object(event)) => Ok(event),
        Ok(_) => Err(BadDelivery::Form(format!("it does not have the form of {FORM}: it must be an object"))),
        Err(error) => Err(BadDelivery::of(&error, FORM)),
    }
}

/// An object; also one that is written as a text.
fn object(value: Option<&Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(object)) => object.clone(),
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) | None => Map::new(),
    }
}

impl PagerEvent {
    fn of(event: Map<String, Value>) -> Self {
        let payload = object(event.get("payload"));
        let details = object(payload.get("custom_details"));
        Self { dedup_key: text(event.get("dedup_key")), event, payload, details }
    }

    /// A part of the payload as text.
    fn part(&self, name: &str) -> Option<String> {
        text(self.payload.get(name))
    }

    fn summary(&self) -> String {
        let parts = ["summary", "class", "component", "source"].into_iter().find_map(|name| self.part(name));
        parts.or_else(|| text(self.event.get("description"))).unwrap_or_else(|| "event".to_owned())
    }

    fn trigger(&self) -> ReadAlert {
        let described = self.described();
        let mark = Digest::of_json(&described).hex();
        let payload = [("event".to_owned(), self.sent()), ("described".to_owned(), described.clone())];
        ReadAlert { mark, change: AlertChange::Firing, payload: Some(payload.into_iter().collect()), brief: described }
    }

    /// What was sent, as a session and its agents see it.
    fn described(&self) -> Value {
        let mut sent = BTreeMap::new();
        let mut add = |name: &'static str, value: Value| {
            if !value.is_null() {
                sent.insert(name, value);
            }
        };
        add("name", json!(self.part("class").unwrap_or_else(|| self.summary())));
        add("summary", json!(self.summary()));
        for name in ["source", "severity", "timestamp", "component", "group"] {
            add(name, json!(self.part(name)));
        }
        add("custom_details", self.payload.get("custom_details").cloned().unwrap_or_default());
        add("dedup_key", json!(self.dedup_key));
        for name in ["client", "client_url"] {
            add(name, json!(text(self.event.get(name))));
        }
        json!(sent)
    }

    /// The event as mappings read it, with texts where texts are due.
    fn sent(&self) -> Value {
        let texts = |sent: &Map<String, Value>, names: &[&str]| -> Map<String, Value> {
            names.iter().filter_map(|name| Some(((*name).to_owned(), text(sent.get(*name))?.into()))).collect()
        };
        let mut payload = texts(&self.payload, &PAYLOAD_TEXTS);
        payload.insert("custom_details".to_owned(), Value::Object(self.details.clone()));
        let mut event = texts(&self.event, &EVENT_TEXTS);
        event.insert("payload".to_owned(), Value::Object(payload));
        for name in ["links", "images"] {
            event.extend(self.event.get(name).map(|value| (name.to_owned(), value.clone())));
        }
        Value::Object(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &Value) -> Result<FormatReading, BadDelivery> {
        read(body.to_string().as_bytes(), || "minted".to_owned())
    }

    /// The only alert of an event.
    #[track_caller]
    fn alert(body: &Value) -> ReadAlert {
        parse(body).unwrap().alerts.remove(0).unwrap()
    }

    fn trigger() -> Value {
        json!({"routing_key": "k", "event_action": "trigger", "dedup_key": "d", "payload": {
            "summary": "it hurts", "source": "db1", "severity": "error",
            "custom_details": {"service": "shop", "environment": "production"}}})
    }

    fn edited(path: &str, value: Value) -> Value {
        let mut body = trigger();
        let (parent, name) = path.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
        body
    }

    /// What mappings read of an event.
    #[track_caller]
    fn sent(body: &Value) -> Value {
        json!(alert(body).payload)
    }

    #[test]
    fn a_trigger_is_read() {
        let reading = parse(&trigger()).unwrap();
        assert_eq!((reading.key.as_str(), reading.alerts.len(), reading.repetition), ("d", 1, Repetition::FiresAnew));
        let sent = sent(&trigger());
        let payload = &sent["event"]["payload"];
        assert_eq!((&payload["custom_details"]["service"], &payload["severity"]), (&json!("shop"), &json!("error")));
        assert_eq!((&sent["described"]["source"], sent["event"].get("routing_key")), (&json!("db1"), None));
        let again = parse(&trigger()).unwrap();
        assert_eq!((again.group, &again.alerts[0].as_ref().unwrap().mark), (reading.group, &alert(&trigger()).mark));
    }

    #[test]
    fn loose_types_are_texts() {
        for (path, value, expect) in [
            ("/payload/timestamp", json!(1_700_000_000), json!("1700000000")),
            ("/payload/component", json!(7), json!("7")),
            ("/payload/class", json!(true), json!("true")),
            ("/payload/source", json!(null), json!(null)),
            ("/payload/group", json!({}), json!(null)),
        ] {
            let sent = sent(&edited(path, value.clone()));
            assert_eq!(sent.pointer(&format!("/event{path}")).unwrap_or(&Value::Null), &expect, "{path} {value}");
        }
        for (path, value) in [("/client", json!({})), ("/images", json!(null)), ("/event_action", json!("TRIGGER"))] {
            assert_eq!(sent(&edited(path, value))["event"]["payload"]["summary"], "it hurts", "{path}");
        }
        let details = json!("{\"service\": \"till\", \"environment\": \"staging\"}");
        let sent = sent(&edited("/payload/custom_details", details));
        assert_eq!(sent["event"]["payload"]["custom_details"]["service"], "till");
        let number = parse(&edited("/dedup_key", json!(7))).unwrap();
        assert_eq!(number.group, parse(&edited("/dedup_key", json!("7"))).unwrap().group);
    }

    #[test]
    fn half_an_emoji_and_a_byte_order_mark_refuse_nothing() {
        let body = edited("/payload/summary", json!("SUMMARY")).to_string().replace("SUMMARY", "stuck \\ud83d");
        let read_back = read(body.as_bytes(), String::new).unwrap().alerts.remove(0).unwrap();
        assert_eq!(read_back.brief["summary"], "stuck \u{fffd}");
        assert!(read(format!("\u{feff}{}", trigger()).as_bytes(), String::new).is_ok());
    }

    #[test]
    fn one_without_a_key_is_given_one() {
        let mut body = trigger();
        body["dedup_key"] = Value::Null;
        assert_eq!(parse(&body).unwrap().key, "minted");
    }

    #[test]
    fn a_resolve_ends_what_its_key_told_and_an_acknowledge_nothing_whatever_their_payload() {
        for payload in [json!(null), json!({}), json!({"summary": "seen"}), json!("x")] {
            let act = |action: &str| json!({"event_action": action, "dedup_key": "d", "payload": payload});
            let resolved = parse(&act("resolve")).unwrap();
            assert_eq!(resolved.group, parse(&trigger()).unwrap().group);
            assert_eq!(resolved.alerts[0].as_ref().unwrap().change, AlertChange::AllResolved);
            assert_eq!(parse(&act("acknowledge")).unwrap().alerts, []);
        }
    }

    #[test]
    fn what_has_no_reading_is_refused_with_a_reason() {
        for (body, part) in [
            (json!({"event_action": "resolve"}), "need the `dedup_key`"),
            (json!({"dedup_key": "d"}), "event_action"),
            (edited("/event_action", json!("explode")), "`explode`"),
            (json!([]), "must be an object"),
        ] {
            let error = parse(&body).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        assert!(matches!(read(b"{", String::new), Err(BadDelivery::Syntax(_))));
    }
}
