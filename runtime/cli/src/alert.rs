//! Alertmanager's webhook JSON to a session's fields. Unknown fields are ignored, as its documentation asks.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Largest delivery read, in bytes.
const DELIVERY_MAX: u64 = 1024 * 1024;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    version: String,
    status: String,
    group_key: String,
    #[serde(default)]
    common_labels: Map<String, Value>,
    #[serde(default)]
    common_annotations: Map<String, Value>,
    alerts: Vec<Alert>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    status: String,
    #[serde(default)]
    labels: Map<String, Value>,
    #[serde(default)]
    annotations: Map<String, Value>,
    starts_at: String,
    fingerprint: String,
}

/// What a session is opened with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Intake {
    pub(crate) fields: Value,
    pub(crate) title: String,
}

/// Reads a delivery from a file, or from standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<Intake> {
    let name = path.display();
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(DELIVERY_MAX + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path)
            .with_context(|| format!("{name} cannot be opened; check the path"))?
            .take(DELIVERY_MAX + 1)
            .read_to_end(&mut bytes)
    };
    read.with_context(|| format!("{name} cannot be read"))?;
    if bytes.len() as u64 > DELIVERY_MAX {
        bail!("{name} is over the limit of {DELIVERY_MAX} bytes; send one alert group at a time");
    }
    parse(&bytes).with_context(|| format!("{name} is no alert"))
}

/// The fields of the group's first firing alert; `environment` and `service` are labels, `summary` an annotation.
pub(crate) fn parse(bytes: &[u8]) -> Result<Intake> {
    let delivery: Delivery =
        serde_json::from_slice(bytes).context("it does not have the form of Alertmanager's webhook, version 4")?;
    if delivery.version != "4" {
        bail!("version `{}` is not known; Alertmanager sends version 4", delivery.version);
    }
    let Some(alert) = delivery.alerts.iter().find(|alert| alert.status == "firing") else {
        bail!("no alert of the group fires (its status is `{}`): nothing to work on", delivery.status);
    };
    let label = |name: &str| alert.labels.get(name).or_else(|| delivery.common_labels.get(name));
    let annotation = |name: &str| alert.annotations.get(name).or_else(|| delivery.common_annotations.get(name));
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let name = text(label("alertname")).unwrap_or_else(|| "alert".to_owned());
    let summary =
        text(annotation("summary")).or_else(|| text(annotation("description"))).unwrap_or_else(|| name.clone());
    let service = text(label("service")).or_else(|| text(label("job"))).context("the alert has no label `service`")?;
    let environment =
        text(label("environment")).or_else(|| text(label("env"))).context("the alert has no label `environment`")?;
    let mut fields = json!({
        "summary": summary,
        "service": service,
        "environment": environment,
        "alert": {
            "name": name, "labels": alert.labels, "annotations": alert.annotations, "starts_at": alert.starts_at,
            "fingerprint": alert.fingerprint, "group_key": delivery.group_key,
        },
    });
    let severity = match text(label("severity")).as_deref() {
        Some("critical" | "page") => Some("critical"),
        Some("error" | "high") => Some("high"),
        Some("warning" | "medium") => Some("medium"),
        Some("info" | "low" | "none") => Some("low"),
        Some(_) | None => None,
    };
    if let (Some(severity), Some(fields)) = (severity, fields.as_object_mut()) {
        fields.insert("severity".to_owned(), severity.into());
    }
    Ok(Intake { title: summary.chars().take(120).collect(), fields })
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
        let intake = parse(body.to_string().as_bytes()).unwrap();
        assert_eq!(intake.title, "it hurts");
        assert_eq!((&intake.fields["service"], &intake.fields["severity"]), (&json!("shop"), &json!("medium")));
    }

    #[test]
    fn what_is_no_alert_is_refused_with_a_reason() {
        for (body, part) in [
            ("{", "form of Alertmanager"),
            ("{\"version\": \"3\", \"status\": \"firing\", \"groupKey\": \"g\", \"alerts\": []}", "version `3`"),
            (
                "{\"version\": \"4\", \"status\": \"resolved\", \"groupKey\": \"g\", \"alerts\": []}",
                "nothing to work on",
            ),
        ] {
            let error = format!("{:#}", parse(body.as_bytes()).unwrap_err());
            assert!(error.contains(part), "{error}");
        }
    }
}
