//! PagerDuty's Events API v2, so that whatever can page can deliver here. Only what an event is about must be there: its
//! action, and for an end the key of its beginning. What is not needed never refuses a page.

use std::collections::BTreeMap;

use provost_domain::ids::Digest;
use serde_json::{Map, Value, json};

use super::super::loose::{repaired, shortened, text, text_of};
use super::super::notice::{AlertChange, BadDelivery, FormatReading, Opening, ReadAlert};
use super::super::words::severity;
use super::limits::TITLE_MAX;

const FORM: &str = "PagerDuty's Events API, version 2";

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
            let opening = Err("it is an end".to_owned());
            (key, vec![Ok(ReadAlert { mark: String::new(), change: AlertChange::AllResolved, opening, brief })])
        }
    };
    Ok(FormatReading { group: Digest::of_parts(&[b"pagerduty", key.as_bytes()]), alerts, refires: true, key })
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

    /// The first of some details that says anything.
    fn detail(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| text(self.details.get(*name)))
    }

    fn summary(&self) -> String {
        let parts = ["summary", "class", "component", "source"].into_iter().find_map(|name| self.part(name));
        parts.or_else(|| text(self.event.get("description"))).unwrap_or_else(|| "event".to_owned())
    }

    fn trigger(&self) -> ReadAlert {
        let described = self.described();
        let mark = Digest::of_json(&described).hex();
        ReadAlert { mark, change: AlertChange::Firing, opening: self.opening(&described), brief: described }
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

    /// `service` and `environment` stand in `custom_details`, or else in `component` or `source`, and in `group`.
    fn opening(&self, described: &Value) -> Result<Opening, String> {
        let service = self.detail(&["service"]).or_else(|| self.part("component")).or_else(|| self.part("source"));
        let service = service.ok_or("the event has no service; send it as `payload.source`")?;
        let environment = self.detail(&["environment", "env"]).or_else(|| self.part("group"));
        let environment =
            environment.ok_or("the event has no environment; send it as `payload.custom_details.environment`")?;
        let summary = self.summary();
        let mut fields =
            json!({"summary": summary, "service": service, "environment": environment, "alert": described});
        let severity = self.part("severity").and_then(|word| severity(&word));
        if let (Some(severity), Some(fields)) = (severity, fields.as_object_mut()) {
            fields.insert("severity".to_owned(), severity.into());
        }
        Ok(Opening { title: shortened(&summary, TITLE_MAX), fields })
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

    #[test]
    fn a_trigger_becomes_fields() {
        let reading = parse(&trigger()).unwrap();
        assert_eq!((reading.key.as_str(), reading.alerts.len(), reading.refires), ("d", 1, true));
        let alert = alert(&trigger());
        let fields = alert.opening.unwrap().fields;
        assert_eq!((&fields["service"], &fields["severity"]), (&json!("shop"), &json!("high")));
        assert_eq!((&fields["alert"]["source"], fields["alert"].get("routing_key")), (&json!("db1"), None));
        let again = parse(&trigger()).unwrap();
        assert_eq!(
            (again.group, again.alerts[0].as_ref().unwrap().mark.as_str()),
            (reading.group, alert.mark.as_str())
        );
    }

    #[test]
    fn loose_types_are_texts_and_what_is_not_needed_refuses_nothing() {
        let fields = |body: &Value| alert(body).opening.unwrap().fields;
        for (path, value) in [
            ("/payload/timestamp", json!(1_700_000_000)),
            ("/payload/component", json!(7)),
            ("/payload/class", json!(true)),
            ("/payload/source", json!(null)),
            ("/payload/links", json!("x")),
            ("/client", json!({})),
            ("/images", json!(null)),
            ("/event_action", json!("TRIGGER")),
        ] {
            assert_eq!(fields(&edited(path, value.clone()))["service"], "shop", "{path} {value}");
        }
        for (word, level) in [
            ("CRITICAL", json!("critical")),
            ("P1", json!("critical")),
            ("warn", json!("medium")),
            ("fatal", json!("critical")),
        ] {
            assert_eq!(fields(&edited("/payload/severity", json!(word)))["severity"], level, "{word}");
        }
        let odd = fields(&edited("/payload/severity", json!("purple")));
        assert_eq!(
            (odd.get("severity"), &odd["alert"]["severity"]),
            (None, &json!("purple")),
            "an unknown word stays visible"
        );
        let details = json!("{\"service\": \"till\", \"environment\": \"staging\"}");
        assert_eq!(fields(&edited("/payload/custom_details", details))["service"], "till");
        let number = parse(&edited("/dedup_key", json!(7))).unwrap();
        assert_eq!(number.group, parse(&edited("/dedup_key", json!("7"))).unwrap().group);
    }

    #[test]
    fn a_summary_is_cut_or_stood_in_for() {
        let title = |summary: Value| alert(&edited("/payload/summary", summary)).opening.unwrap().title;
        assert_eq!((title(json!("")).as_str(), title(json!(null)).as_str()), ("db1", "db1"));
        assert!(title(json!("x".repeat(3000))).ends_with('…'));
        assert_eq!(
            read(
                edited("/payload/summary", json!("SUMMARY")).to_string().replace("SUMMARY", "stuck \\ud83d").as_bytes(),
                String::new
            )
            .unwrap()
            .alerts
            .remove(0)
            .unwrap()
            .opening
            .unwrap()
            .title,
            "stuck \u{fffd}"
        );
        assert!(read(format!("\u{feff}{}", trigger()).as_bytes(), String::new).is_ok());
    }

    #[test]
    fn one_without_a_key_is_given_one_and_one_without_environment_opens_nothing() {
        let mut body = trigger();
        body["dedup_key"] = Value::Null;
        body["payload"]["custom_details"] = Value::Null;
        assert_eq!(parse(&body).unwrap().key, "minted");
        assert!(alert(&body).opening.unwrap_err().contains("environment"));
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
        assert!(alert(&json!({"event_action": "trigger"})).opening.is_err());
    }
}
