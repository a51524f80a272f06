//! PagerDuty's Events API v2, so that whatever can page can deliver here.

use provost_domain::ids::Digest;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::notice::{Alert, BadDelivery, Change, Notice, Opening};

/// Bounds of the format, in characters.
const DEDUP_KEY_MAX: usize = 255;
const SUMMARY_MAX: usize = 1024;
/// Longest title, in characters.
const TITLE_MAX: usize = 120;

#[derive(Debug, Deserialize)]
struct Body {
    event_action: Action,
    dedup_key: Option<String>,
    payload: Option<Payload>,
    client: Option<String>,
    client_url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Trigger,
    Acknowledge,
    Resolve,
}

#[derive(Debug, Deserialize)]
struct Payload {
    summary: String,
    source: String,
    severity: Severity,
    timestamp: Option<String>,
    component: Option<String>,
    group: Option<String>,
    class: Option<String>,
    #[serde(default)]
    custom_details: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Severity {
    Critical,
    Error,
    Warning,
    Info,
}

/// Reads an event; one without a `dedup_key` gets the minted one. Returns it with the key.
pub(super) fn read(bytes: &[u8], minted: impl FnOnce() -> String) -> Result<(Notice, String), BadDelivery> {
    let body: Body =
        serde_json::from_slice(bytes).map_err(|error| BadDelivery::of(&error, "PagerDuty's Events API, version 2"))?;
    let form = |detail: String| Err(BadDelivery::Form(detail));
    let key = body.dedup_key.clone().filter(|key| !key.is_empty());
    if key.as_ref().is_some_and(|key| key.chars().count() > DEDUP_KEY_MAX) {
        return form(format!("`dedup_key` is longer than {DEDUP_KEY_MAX} characters"));
    }
    let (key, alerts) = match (body.event_action, key) {
        (Action::Trigger, key) => (key.unwrap_or_else(minted), vec![body.trigger()?]),
        (Action::Acknowledge | Action::Resolve, None) => {
            return form("acknowledge and resolve need the `dedup_key` of their trigger".to_owned());
        }
        // Who looks at it elsewhere changes nothing here.
        (Action::Acknowledge, Some(key)) => (key, Vec::new()),
        (Action::Resolve, Some(key)) => {
            let brief = json!({"dedup_key": key});
            (key, vec![Alert { mark: String::new(), change: Change::AllResolved, brief }])
        }
    };
    let group = Digest::of_parts(&[b"pagerduty", key.as_bytes()]);
    Ok((Notice { group, alerts, refires: true }, key))
}

impl Body {
    fn trigger(&self) -> Result<Alert, BadDelivery> {
        let Some(payload) = &self.payload else {
            return Err(BadDelivery::Form("a trigger needs a `payload`".to_owned()));
        };
        let length = payload.summary.chars().count();
        if length == 0 || length > SUMMARY_MAX {
            return Err(BadDelivery::Form(format!("`payload.summary` is 1 to {SUMMARY_MAX} characters")));
        }
        let told = payload.told(self);
        let mark = Digest::of_json(&told).hex();
        let opening = payload.opening(&told).map(Box::new);
        Ok(Alert { mark, change: Change::Firing(opening), brief: told })
    }
}

impl Payload {
    /// What was sent, as a session and its agents see it.
    fn told(&self, body: &Body) -> Value {
        let severity = format!("{:?}", self.severity).to_lowercase();
        let mut told = Map::new();
        let mut add = |name: &str, value: Value| {
            if !value.is_null() {
                told.insert(name.to_owned(), value);
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
        add("dedup_key", json!(body.dedup_key));
        add("client", json!(body.client));
        add("client_url", json!(body.client_url));
        Value::Object(told)
    }

    /// `service` and `environment` stand in `custom_details`, or else in `component` or `source`, and in `group`.
    fn opening(&self, told: &Value) -> Result<Opening, String> {
        let detail = |name: &str| self.custom_details.get(name).and_then(Value::as_str).map(str::to_owned);
        let service = detail("service").or_else(|| self.component.clone()).unwrap_or_else(|| self.source.clone());
        let environment = detail("environment").or_else(|| detail("env")).or_else(|| self.group.clone());
        let environment = environment
            .ok_or("the event has no environment; send it as `payload.custom_details.environment`".to_owned())?;
        let severity = match self.severity {
            Severity::Critical => "critical",
            Severity::Error => "high",
            Severity::Warning => "medium",
            Severity::Info => "low",
        };
        let fields = json!({
            "summary": self.summary, "service": service, "environment": environment, "severity": severity,
            "alert": told,
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
        let Change::Firing(Ok(opening)) = &notice.alerts[0].change else { panic!("{notice:?}") };
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
        assert!(matches!(&notice.alerts[0].change, Change::Firing(Err(why)) if why.contains("environment")));
    }

    #[test]
    fn a_resolve_ends_what_its_key_told_and_an_acknowledge_nothing() {
        let act = |action: &str| json!({"event_action": action, "dedup_key": "d"});
        let resolved = parse(&act("resolve")).unwrap().0;
        assert_eq!(resolved.group, parse(&trigger()).unwrap().0.group);
        assert_eq!(resolved.alerts[0].change, Change::AllResolved);
        assert_eq!(parse(&act("acknowledge")).unwrap().0.alerts, []);
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
