//! Alertmanager's webhook, version 4. Unknown fields are ignored, as its documentation asks.

use provost_domain::ids::Digest;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::notice::{Alert, AlertChange, BadDelivery, Notice, Opening};

/// Longest title, in characters.
const TITLE_MAX: usize = 120;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    version: String,
    status: String,
    #[serde(default)]
    receiver: String,
    group_key: String,
    #[serde(default)]
    common_labels: Map<String, Value>,
    #[serde(default)]
    common_annotations: Map<String, Value>,
    alerts: Vec<WebhookAlert>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WebhookAlert {
    status: WebhookStatus,
    #[serde(default)]
    labels: Map<String, Value>,
    #[serde(default)]
    annotations: Map<String, Value>,
    starts_at: String,
    fingerprint: String,
}

/// The status of one alert; the group's own status is firing while any alert fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WebhookStatus {
    Firing,
    Resolved,
}

/// The fields of the group's first firing alert.
///
/// # Errors
/// The delivery cannot be read, or no session can be opened with it.
pub fn first_case(bytes: &[u8]) -> Result<Opening, BadDelivery> {
    let body = parse(bytes)?;
    let Some(alert) = body.alerts.iter().find(|alert| alert.status == WebhookStatus::Firing) else {
        let detail = format!("no alert of the group fires (its status is `{}`): nothing to work on", body.status);
        return Err(BadDelivery::Form(detail));
    };
    body.opening(alert).map_err(BadDelivery::Fields)
}

/// Reads a delivery.
pub(super) fn read(bytes: &[u8]) -> Result<Notice, BadDelivery> {
    let body = parse(bytes)?;
    let parts: [&[u8]; 3] = [b"alertmanager", body.receiver.as_bytes(), body.group_key.as_bytes()];
    let alerts = body.alerts.iter().map(|alert| body.alert(alert)).collect();
    Ok(Notice { group: Digest::of_parts(&parts), alerts, refires: false })
}

fn parse(bytes: &[u8]) -> Result<Webhook, BadDelivery> {
    let body: Webhook =
        serde_json::from_slice(bytes).map_err(|error| BadDelivery::of(&error, "Alertmanager's webhook, version 4"))?;
    if body.version != "4" {
        let detail = format!("version `{}` is not known; Alertmanager sends version 4", body.version);
        return Err(BadDelivery::Form(detail));
    }
    Ok(body)
}

fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(str::to_owned)
}

impl Webhook {
    fn label(&self, alert: &WebhookAlert, name: &str) -> Option<String> {
        text(alert.labels.get(name).or_else(|| self.common_labels.get(name)))
    }

    fn annotation(&self, alert: &WebhookAlert, name: &str) -> Option<String> {
        text(alert.annotations.get(name).or_else(|| self.common_annotations.get(name)))
    }

    fn name(&self, alert: &WebhookAlert) -> String {
        self.label(alert, "alertname").unwrap_or_else(|| "alert".to_owned())
    }

    fn alert(&self, alert: &WebhookAlert) -> Alert {
        let change = match alert.status {
            WebhookStatus::Firing => AlertChange::Firing(self.opening(alert).map(Box::new)),
            WebhookStatus::Resolved => AlertChange::Resolved,
        };
        let brief = json!({
            "name": self.name(alert), "labels": alert.labels, "starts_at": alert.starts_at,
            "fingerprint": alert.fingerprint,
        });
        Alert { mark: format!("{}/{}", alert.fingerprint, alert.starts_at), change, brief }
    }

    /// `environment` and `service` are labels, `summary` an annotation.
    fn opening(&self, alert: &WebhookAlert) -> Result<Opening, String> {
        let name = self.name(alert);
        let missing = |label: &str| format!("the alert `{name}` has no label `{label}`; add it to the alerting rule");
        let service = self.label(alert, "service").or_else(|| self.label(alert, "job"));
        let service = service.ok_or_else(|| missing("service"))?;
        let environment = self.label(alert, "environment").or_else(|| self.label(alert, "env"));
        let environment = environment.ok_or_else(|| missing("environment"))?;
        let summary = self.annotation(alert, "summary").or_else(|| self.annotation(alert, "description"));
        let summary = summary.unwrap_or_else(|| name.clone());
        let mut fields = json!({
            "summary": summary,
            "service": service,
            "environment": environment,
            "alert": {
                "name": name, "labels": alert.labels, "annotations": alert.annotations, "starts_at": alert.starts_at,
                "fingerprint": alert.fingerprint, "group_key": self.group_key,
            },
        });
        let severity = match self.label(alert, "severity").as_deref() {
            Some("critical" | "page") => Some("critical"),
            Some("error" | "high") => Some("high"),
            Some("warning" | "medium") => Some("medium"),
            Some("info" | "low" | "none") => Some("low"),
            Some(_) | None => None,
        };
        if let (Some(severity), Some(fields)) = (severity, fields.as_object_mut()) {
            fields.insert("severity".to_owned(), severity.into());
        }
        Ok(Opening { title: summary.chars().take(TITLE_MAX).collect(), fields })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_firing_group_becomes_fields() {
        let body = json!({"version": "4", "status": "firing", "groupKey": "g", "receiver": "r", "truncatedAlerts": 0,
            "commonLabels": {"service": "shop", "environment": "production"},
            "alerts": [
                {"status": "resolved", "labels": {}, "startsAt": "t", "fingerprint": "0"},
                {"status": "firing", "labels": {"alertname": "A", "severity": "warning"},
                 "annotations": {"summary": "it hurts"}, "startsAt": "t", "fingerprint": "1", "new": true}]});
        let bytes = body.to_string().into_bytes();
        let opening = first_case(&bytes).unwrap();
        assert_eq!(opening.title, "it hurts");
        assert_eq!((&opening.fields["service"], &opening.fields["severity"]), (&json!("shop"), &json!("medium")));
        let notice = read(&bytes).unwrap();
        let marks: Vec<_> = notice.alerts.iter().map(|alert| alert.mark.as_str()).collect();
        assert_eq!(marks, ["0/t", "1/t"]);
        assert_eq!(notice.alerts[0].change, AlertChange::Resolved);
        assert_eq!(notice.alerts[1].change, AlertChange::Firing(Ok(Box::new(opening))));
    }

    #[test]
    fn what_is_no_alert_is_refused_with_a_reason() {
        for (body, part) in [
            ("{", "form of Alertmanager"),
            ("{\"version\": \"4\"}", "form of Alertmanager"),
            ("{\"version\": \"3\", \"status\": \"firing\", \"groupKey\": \"g\", \"alerts\": []}", "version `3`"),
            (
                "{\"version\": \"4\", \"status\": \"resolved\", \"groupKey\": \"g\", \"alerts\": []}",
                "nothing to work on",
            ),
            (
                "{\"version\": \"4\", \"status\": \"firing\", \"groupKey\": \"g\", \"alerts\": [
                    {\"status\": \"firing\", \"startsAt\": \"t\", \"fingerprint\": \"1\"}]}",
                "no label `service`",
            ),
        ] {
            let error = first_case(body.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn receiver_and_group_key_make_the_group() {
        let group = |receiver: &str, key: &str| {
            let body =
                json!({"version": "4", "status": "resolved", "receiver": receiver, "groupKey": key, "alerts": []});
            read(body.to_string().as_bytes()).unwrap().group
        };
        assert_eq!(group("a", "b"), group("a", "b"));
        assert_ne!(group("a", "b"), group("c", "b"));
        assert_ne!(group("ab", "c"), group("a", "bc"));
    }
}
