//! PagerDuty's Events API v2, so that whatever can page can deliver here.

use provost_domain::ids::Digest;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::super::notice::{Alert, AlertChange, BadDelivery, Notice, Opening};

/// Bounds of the format, in characters.
const DEDUP_KEY_MAX: usize = 255;
const SUMMARY_MAX: usize = 1024;
/// Longest title, in characters.
const TITLE_MAX: usize = 120;

#[derive(Debug, Deserialize)]
struct PagerEvent {
    event_action: EventAction,
    dedup_key: Option<String>,
    payload: Option<EventPayload>,
    client: Option<String>,
    client_url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EventAction {
    Trigger,
    Acknowledge,
    Resolve,
}

#[derive(Debug, Deserialize)]
struct EventPayload {
    summary: String,
    source: String,
    severity: EventSeverity,
    timestamp: Option<String>,
    component: Option<String>,
    group: Option<String>,
    class: Option<String>,
    #[serde(default)]
    custom_details: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EventSeverity {
    Critical,
    Error,
    Warning,
    Info,
}

/// Reads an event; one without a `dedup_key` gets the minted one. Returns it with the key.
pub(super) fn read(bytes: &[u8], minted: impl FnOnce() -> String) -> Result<(Notice, String), BadDelivery> {
    let event: PagerEvent =
        serde_json::from_slice(bytes).map_err(|error| BadDelivery::of(&error, "PagerDuty's Events API, version 2"))?;
    let form = |detail: String| Err(BadDelivery::Form(detail));
    let key = event.dedup_key.clone().filter(|key| !key.is_empty());
    if key.as_ref().is_some_and(|key| key.chars().count() > DEDUP_KEY_MAX) {
        return form(format!("`dedup_key` is longer than {DEDUP_KEY_MAX} characters"));
    }
    let (key, alerts) = match (event.event_action, key) {
        (EventAction::Trigger, key) => (key.unwrap_or_else(minted), vec![event.trigger()?]),
        (EventAction::Acknowledge | EventAction::Resolve, None) => {
            return form("acknowledge and resolve need the `dedup_key` of their trigger".to_owned());
        }
        // Who looks at it elsewhere changes nothing here.
        (EventAction::Acknowledge, Some(key)) => (key, Vec::new()),
        (EventAction::Resolve, Some(key)) => {
            let brief = json!({"dedup_key": key});
            (key, vec![Alert { mark: String::new(), change: AlertChange::AllResolved, brief }])
        }
    };
    let group = Digest::of_parts(&[b"pagerduty", key.as_bytes()]);
    Ok((Notice { group, alerts, refires: true }, key))
}

/// The texts under `routing_key` in a body that is a JSON object; none in any other body. Builds nothing else of it.
pub(super) fn routing_keys(bytes: &[u8]) -> Vec<String> {
    let keys = std::str::from_utf8(bytes).ok().and_then(|text| serde_json::from_str::<RoutingKeys>(text).ok());
    keys.map(|RoutingKeys(keys)| keys).unwrap_or_default()
}

/// Every text under `routing_key`, in order: JSON lets a name come twice.
struct RoutingKeys(Vec<String>);

impl<'de> Deserialize<'de> for RoutingKeys {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(RoutingKeysVisitor)
    }
}

struct RoutingKeysVisitor;

impl<'de> Visitor<'de> for RoutingKeysVisitor {
    type Value = RoutingKeys;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<RoutingKeys, M::Error> {
        let mut keys = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if name != "routing_key" {
                map.next_value::<IgnoredAny>()?;
            } else if let Value::String(key) = map.next_value()? {
                keys.push(key);
            }
        }
        Ok(RoutingKeys(keys))
    }
}

impl PagerEvent {
    fn trigger(&self) -> Result<Alert, BadDelivery> {
        let Some(payload) = &self.payload else {
            return Err(BadDelivery::Form("a trigger needs a `payload`".to_owned()));
        };
        let length = payload.summary.chars().count();
        if length == 0 || length > SUMMARY_MAX {
            return Err(BadDelivery::Form(format!("`payload.summary` is 1 to {SUMMARY_MAX} characters")));
        }
        let described = payload.described(self);
        let mark = Digest::of_json(&described).hex();
        let opening = payload.opening(&described).map(Box::new);
        Ok(Alert { mark, change: AlertChange::Firing(opening), brief: described })
    }
}

impl EventPayload {
    /// What was sent, as a session and its agents see it.
    fn described(&self, event: &PagerEvent) -> Value {
        let severity = format!("{:?}", self.severity).to_lowercase();
        let mut sent = Map::new();
        let mut add = |name: &str, value: Value| {
            if !value.is_null() {
                sent.insert(name.to_owned(), value);
            }
        };
        add("name", json!(self.class.as_ref().unwrap_or(&self.summary)));
        add("summary", json!(self.summary));
        add("source", json!(self.source));
        add("severity", json!(severity));
        add("timestamp", json!(self.timestamp));
        add("component", json!(self.component));
        add("group", json!(self.group));
        add("custom_details", self.custom_details.clone());
        add("dedup_key", json!(event.dedup_key));
        add("client", json!(event.client));
        add("client_url", json!(event.client_url));
        Value::Object(sent)
    }

    /// `service` and `environment` stand in `custom_details`, or else in `component` or `source`, and in `group`.
    fn opening(&self, described: &Value) -> Result<Opening, String> {
        let detail = |name: &str| self.custom_details.get(name).and_then(Value::as_str).map(str::to_owned);
        let service = detail("service").or_else(|| self.component.clone()).unwrap_or_else(|| self.source.clone());
        let environment = detail("environment").or_else(|| detail("env")).or_else(|| self.group.clone());
        let environment = environment
            .ok_or("the event has no environment; send it as `payload.custom_details.environment`".to_owned())?;
        let severity = match self.severity {
            EventSeverity::Critical => "critical",
            EventSeverity::Error => "high",
            EventSeverity::Warning => "medium",
            EventSeverity::Info => "low",
        };
        let fields = json!({
            "summary": self.summary, "service": service, "environment": environment, "severity": severity,
            "alert": described,
        });
        Ok(Opening { title: self.summary.chars().take(TITLE_MAX).collect(), fields })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &Value) -> Result<(Notice, String), BadDelivery> {
        read(body.to_string().as_bytes(), || "minted".to_owned())
    }

    fn trigger() -> Value {
        json!({"routing_key": "k", "event_action": "trigger", "dedup_key": "d", "payload": {
            "summary": "it hurts", "source": "db1", "severity": "error",
            "custom_details": {"service": "shop", "environment": "production"}}})
    }

    #[test]
    fn a_trigger_becomes_fields() {
        let (notice, key) = parse(&trigger()).unwrap();
        assert_eq!((key.as_str(), notice.alerts.len()), ("d", 1));
        let AlertChange::Firing(Ok(opening)) = &notice.alerts[0].change else { panic!("{notice:?}") };
        let fields = &opening.fields;
        assert_eq!((&fields["service"], &fields["severity"]), (&json!("shop"), &json!("high")));
        assert_eq!((&fields["alert"]["source"], fields["alert"].get("routing_key")), (&json!("db1"), None));
        let again = parse(&trigger()).unwrap().0;
        assert_eq!((again.group, &again.alerts[0].mark), (notice.group, &notice.alerts[0].mark));
    }

    #[test]
    fn one_without_a_key_is_given_one_and_one_without_environment_opens_nothing() {
        let mut body = trigger();
        body["dedup_key"] = Value::Null;
        body["payload"]["custom_details"] = Value::Null;
        let (notice, key) = parse(&body).unwrap();
        assert_eq!(key, "minted");
        assert!(matches!(&notice.alerts[0].change, AlertChange::Firing(Err(why)) if why.contains("environment")));
    }

    #[test]
    fn a_resolve_ends_what_its_key_told_and_an_acknowledge_nothing() {
        let act = |action: &str| json!({"event_action": action, "dedup_key": "d"});
        let resolved = parse(&act("resolve")).unwrap().0;
        assert_eq!(resolved.group, parse(&trigger()).unwrap().0.group);
        assert_eq!(resolved.alerts[0].change, AlertChange::AllResolved);
        assert_eq!(parse(&act("acknowledge")).unwrap().0.alerts, []);
    }

    #[test]
    fn a_routing_key_is_found_wherever_it_stands_and_only_as_text() {
        for (body, keys) in [
            (r#"{"routing_key": "a"}"#, &["a"][..]),
            (r#"{"payload": {"routing_key": "no"}, "routing_key": "a", "routing_key": "b"}"#, &["a", "b"]),
            (r#"{"routing\u005fkey": "a"}"#, &["a"]),
            (r#"{"routing_key": 7}"#, &[]),
            (r#"["routing_key"]"#, &[]),
            (r#"{"routing_key": "a""#, &[]),
        ] {
            assert_eq!(routing_keys(body.as_bytes()), keys, "{body}");
        }
        assert_eq!(routing_keys(b"{\"routing_key\": \"a\", \"x\": \"\xff\"}"), [""; 0]);
    }

    #[test]
    fn what_breaks_the_format_is_refused_with_a_reason() {
        let edited = |path: &str, value: Value| {
            let mut body = trigger();
            *body.pointer_mut(path).unwrap() = value;
            body
        };
        for (body, part) in [
            (json!({"event_action": "resolve"}), "need the `dedup_key`"),
            (json!({"event_action": "trigger"}), "needs a `payload`"),
            (edited("/event_action", json!("explode")), "form of PagerDuty"),
            (edited("/payload/severity", json!("fatal")), "form of PagerDuty"),
            (edited("/payload/summary", json!("")), "1 to 1024"),
            (edited("/dedup_key", json!("x".repeat(256))), "longer than 255"),
        ] {
            let error = parse(&body).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        assert!(matches!(read(b"{", String::new), Err(BadDelivery::Syntax(_))));
    }
}
