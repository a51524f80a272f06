//! PagerDuty's webhooks, version 3: what people and services do with a case over there. An event about something resolved ends
//! what its case told; every other one is news, and the pack's `when` says which of them it takes.

use std::collections::BTreeMap;

use provost_domain::ids::Digest;
use provost_expr::{Scope, Type};
use serde_json::{Map, Value, json};

use super::super::loose::text;
use super::super::reading::{AlertChange, BadDelivery, FormatReading, ReadAlert, Repetition};
use super::object::object;

const FORM: &str = "PagerDuty's webhooks, version 3";
/// The parts of an event that are texts.
const TEXTS: [&str; 4] = ["id", "event_type", "resource_type", "occurred_at"];
/// Sent to try the way.
const PING: &str = "pagey.ping";
/// The end of a kind of event that says that its case is over.
const RESOLVED: &str = ".resolved";

/// The names that a mapping may read.
pub(super) fn scope() -> Scope {
    let mut event: Vec<(&str, Type)> = TEXTS.map(|name| (name, Type::Text)).to_vec();
    event.extend([("agent", Type::Any), ("client", Type::Any), ("data", Type::Any)]);
    Scope::default().with("event", Type::object(event))
}

/// Reads an event.
pub(super) fn read(body: &[u8]) -> Result<FormatReading, BadDelivery> {
    let mut body = object(body, FORM)?;
    let bad = |what: &str| BadDelivery::Form(format!("it does not have the form of {FORM}: {what}"));
    let Some(Value::Object(sent)) = body.remove("event") else { return Err(bad("`event` must be an object")) };
    let kind = text(sent.get("event_type")).ok_or_else(|| bad("`event.event_type` is missing"))?;
    // The case over there; an event without one is its own.
    let case = sent.get("data").and_then(|data| text(data.get("id"))).or_else(|| text(sent.get("id")));
    let group = Some(Digest::of_parts(&[b"pagerduty_v3", case.unwrap_or_default().as_bytes()]));
    let alerts = if kind == PING { Vec::new() } else { vec![Ok(alert(&kind, &sent))] };
    let repetition = Repetition::SameEvent;
    Ok(FormatReading { group, common: Map::new(), alerts, repetition, key: String::new() })
}

fn alert(kind: &str, sent: &Map<String, Value>) -> ReadAlert {
    let brief = brief(kind, sent);
    if kind.ends_with(RESOLVED) {
        return ReadAlert { mark: String::new(), change: AlertChange::AllResolved, payload: None, brief };
    }
    let texts = TEXTS.iter().filter_map(|name| Some(((*name).to_owned(), text(sent.get(*name))?.into())));
    let mut event: Map<String, Value> = texts.collect();
    for name in ["agent", "client", "data"] {
        event.extend(sent.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    let id = text(sent.get("id"));
    let mark = id.map_or_else(|| Digest::of_json(&json!(sent)).hex(), |id| Digest::of(id.as_bytes()).hex());
    let payload = [("event".to_owned(), Value::Object(event))].into_iter().collect();
    ReadAlert { mark, change: AlertChange::Firing, payload: Some(payload), brief }
}

/// What a session is sent about an event.
fn brief(kind: &str, sent: &Map<String, Value>) -> Value {
    let told =
        [("id", "data", "id"), ("title", "data", "title"), ("url", "data", "html_url"), ("agent", "agent", "summary")];
    let told =
        told.iter().filter_map(|(name, part, own)| Some(((*name).to_owned(), text(sent.get(*part)?.get(*own))?)));
    let mut brief: BTreeMap<String, String> = told.collect();
    brief.insert("name".to_owned(), kind.to_owned());
    json!(brief)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, kind: &str, case: &str) -> Value {
        json!({"event": {"id": id, "event_type": kind, "resource_type": "incident", "occurred_at": "2026-01-01T00:00:00Z",
            "agent": {"summary": "Bea"}, "client": null,
            "data": {"id": case, "title": "it hurts", "service": {"summary": "shop"}}}})
    }

    fn parsed(body: &Value) -> FormatReading {
        read(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn an_event_belongs_to_its_case_over_there() {
        let reading = parsed(&event("e1", "incident.triggered", "P1"));
        assert_eq!(reading.group, parsed(&event("e2", "incident.resolved", "P1")).group);
        assert_ne!(reading.group, parsed(&event("e1", "incident.triggered", "P2")).group);
        let alert = reading.alerts[0].as_ref().unwrap();
        let payload = json!(alert.payload);
        assert_eq!(
            (alert.change, &payload["event"]["data"]["service"]["summary"]),
            (AlertChange::Firing, &json!("shop"))
        );
        assert_eq!(alert.brief, json!({"name": "incident.triggered", "id": "P1", "title": "it hurts", "agent": "Bea"}));
        assert_eq!(&parsed(&event("e1", "incident.triggered", "P1")).alerts[0].as_ref().unwrap().mark, &alert.mark);
    }

    #[test]
    fn a_resolved_event_ends_its_case_and_a_ping_says_nothing() {
        let over = parsed(&event("e2", "incident.resolved", "P1"));
        assert_eq!(over.alerts[0].as_ref().unwrap().change, AlertChange::AllResolved);
        assert_eq!(parsed(&event("e3", "pagey.ping", "P1")).alerts, []);
    }

    #[test]
    fn what_has_another_form_is_refused_with_a_reason() {
        for (body, part) in [
            (json!([]), "must be an object"),
            (json!({"event": 7}), "`event` must be an object"),
            (json!({"event": {"id": "e"}}), "`event.event_type` is missing"),
        ] {
            let error = read(body.to_string().as_bytes()).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
