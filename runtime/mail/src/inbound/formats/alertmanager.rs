//! Alertmanager's webhook, version 4, and whatever else sends its form. Unknown fields are ignored, as its documentation asks;
//! of the known ones only the list of alerts must be there. Each alert is read by itself.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use provost_domain::ids::Digest;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::super::loose::{repaired, shortened, text, text_of, texts};
use super::super::notice::{AlertChange, BadDelivery, FormatReading, Opening, ReadAlert};
use super::super::words::{fires, severity};
use super::limits::TITLE_MAX;

const FORM: &str = "Alertmanager's webhook, version 4";
/// The time of an end that is not there yet.
const NO_TIME: &str = "0001-01-01";

type Labels = BTreeMap<String, String>;

/// A delivery whose alerts are not read yet.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Webhook<'a> {
    #[serde(default)]
    status: Value,
    #[serde(default)]
    receiver: Value,
    #[serde(default)]
    group_key: Value,
    #[serde(default)]
    group_labels: Value,
    #[serde(default)]
    common_labels: Value,
    #[serde(default)]
    common_annotations: Value,
    #[serde(borrow)]
    alerts: &'a RawValue,
}

/// What the alerts of a delivery have in common.
#[derive(Debug)]
struct GroupFacts {
    status: Option<String>,
    receiver: String,
    key: String,
    labels: Labels,
    annotations: Labels,
}

/// One alert with what its group has in common.
#[derive(Debug)]
struct WebhookAlert {
    change: AlertChange,
    labels: Labels,
    annotations: Labels,
    starts_at: String,
    fingerprint: String,
}

/// The fields of the group's first firing alert.
///
/// # Errors
/// The delivery cannot be read, or no session can be opened with it.
pub fn first_case(bytes: &[u8]) -> Result<Opening, BadDelivery> {
    let FormatReading { alerts, .. } = read(bytes)?;
    let mut odd = None;
    for alert in alerts {
        match alert {
            Ok(alert) if alert.change == AlertChange::Firing => return alert.opening.map_err(BadDelivery::Fields),
            Ok(_) => {}
            Err(reason) => odd = odd.or(Some(reason)),
        }
    }
    Err(BadDelivery::Form(odd.unwrap_or_else(|| "no alert of the group fires: nothing to work on".to_owned())))
}

/// Reads a delivery.
pub(super) fn read(bytes: &[u8]) -> Result<FormatReading, BadDelivery> {
    let text = strict(bytes);
    let webhook = parse(&text)?;
    let facts = GroupFacts::of(&webhook);
    let parts: [&[u8]; 3] = [b"alertmanager", facts.receiver.as_bytes(), facts.key.as_bytes()];
    let alerts = items(&webhook)?.into_iter().map(|alert| facts.alert(alert)).collect();
    Ok(FormatReading { group: Digest::of_parts(&parts), alerts, refires: false, key: String::new() })
}

/// The same delivery with only the alerts at some places.
pub(super) fn part(bytes: &[u8], places: &BTreeSet<usize>) -> Option<Vec<u8>> {
    let text = strict(bytes);
    let mut whole: Map<String, Value> = Map::new();
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(&text).ok()?;
    for (name, value) in members.iter().filter(|(name, _)| *name != "alerts") {
        whole.insert(name.clone(), serde_json::from_str(value.get()).ok()?);
    }
    let alerts: Vec<&RawValue> = serde_json::from_str(members.get("alerts")?.get()).ok()?;
    let chosen = alerts.iter().enumerate().filter(|(place, _)| places.contains(place));
    let chosen = chosen.filter_map(|(_, alert)| serde_json::from_str::<Value>(alert.get()).ok());
    whole.insert("alerts".to_owned(), chosen.collect());
    serde_json::to_vec(&whole).ok()
}

/// The body as JSON, rewritten only if it is not quite that.
fn strict(bytes: &[u8]) -> Cow<'_, str> {
    let text = text_of(bytes);
    match serde_json::from_str::<IgnoredAny>(&text) {
        Ok(_) => text,
        Err(_) => Cow::Owned(repaired(&text)),
    }
}

fn parse(text: &str) -> Result<Webhook<'_>, BadDelivery> {
    serde_json::from_str(text).map_err(|error| BadDelivery::of(&error, FORM))
}

/// The alerts of a delivery, each unread. A list that is null is an empty one.
fn items<'a>(webhook: &Webhook<'a>) -> Result<Vec<&'a RawValue>, BadDelivery> {
    let list: Option<Vec<&RawValue>> =
        serde_json::from_str(webhook.alerts.get()).map_err(|error| BadDelivery::of(&error, FORM))?;
    Ok(list.unwrap_or_default())
}

impl GroupFacts {
    fn of(webhook: &Webhook<'_>) -> Self {
        let labels = texts(Some(&webhook.common_labels)).unwrap_or_default();
        // Who sends no name of the group is taken by what the group has in common.
        let key = text(Some(&webhook.group_key)).unwrap_or_else(|| {
            let group = texts(Some(&webhook.group_labels)).unwrap_or_default();
            if group.is_empty() {
                labels.get("alertname").cloned().unwrap_or_default()
            } else {
                json!(group).to_string()
            }
        });
        Self {
            status: text(Some(&webhook.status)),
            receiver: text(Some(&webhook.receiver)).unwrap_or_default(),
            key,
            labels,
            annotations: texts(Some(&webhook.common_annotations)).unwrap_or_default(),
        }
    }

    /// Reads one alert; an error says why it is none.
    fn alert(&self, alert: &RawValue) -> Result<ReadAlert, String> {
        let value: Value = serde_json::from_str(alert.get())
            .or_else(|_odd| serde_json::from_str(&repaired(alert.get())))
            .map_err(|error| format!("an alert cannot be read: {error}"))?;
        let Value::Object(alert) = value else { return Err("an alert must be an object".to_owned()) };
        let labels = texts(alert.get("labels")).ok_or("the labels of an alert must be an object")?;
        let time = |name: &str| text(alert.get(name)).unwrap_or_default();
        let starts_at = time("startsAt");
        let ended = || !(time("endsAt").is_empty() || time("endsAt").starts_with(NO_TIME));
        let named = text(alert.get("status")).or_else(|| self.status.clone());
        let firing = match &named {
            Some(word) => fires(word).ok_or_else(|| format!("an alert has the status `{}`", shortened(word, 100)))?,
            None => !ended(),
        };
        let alert = WebhookAlert {
            change: if firing { AlertChange::Firing } else { AlertChange::Resolved },
            fingerprint: text(alert.get("fingerprint")).unwrap_or_else(|| fingerprint(&labels)),
            annotations: texts(alert.get("annotations")).unwrap_or_default(),
            labels,
            starts_at,
        };
        Ok(self.read_alert(&alert))
    }

    fn read_alert(&self, alert: &WebhookAlert) -> ReadAlert {
        ReadAlert {
            mark: format!("{}/{}", alert.fingerprint, alert.starts_at),
            change: alert.change,
            opening: self.opening(alert),
            brief: json!({
                "name": self.name(alert), "labels": alert.labels, "starts_at": alert.starts_at,
                "fingerprint": alert.fingerprint, "severity": self.severity(alert),
            }),
        }
    }

    fn label(&self, alert: &WebhookAlert, names: &[&str]) -> Option<String> {
        first(&alert.labels, &self.labels, names)
    }

    fn name(&self, alert: &WebhookAlert) -> String {
        self.label(alert, &["alertname"]).unwrap_or_else(|| "alert".to_owned())
    }

    /// How bad it is, if its word for that is known.
    fn severity(&self, alert: &WebhookAlert) -> Option<&'static str> {
        self.label(alert, &["severity", "priority", "level"]).and_then(|word| severity(&word))
    }

    /// `environment` and `service` are labels, `summary` an annotation.
    fn opening(&self, alert: &WebhookAlert) -> Result<Opening, String> {
        let name = self.name(alert);
        let missing = |label: &str| format!("the alert `{name}` has no label `{label}`; add it to the alerting rule");
        let service = self.label(alert, &["service", "job"]).ok_or_else(|| missing("service"))?;
        let environment = self.label(alert, &["environment", "env"]).ok_or_else(|| missing("environment"))?;
        let summary = first(&alert.annotations, &self.annotations, &["summary", "description", "message"]);
        let summary = summary.unwrap_or_else(|| name.clone());
        let mut fields = json!({
            "summary": summary,
            "service": service,
            "environment": environment,
            "alert": {
                "name": name, "labels": alert.labels, "annotations": alert.annotations, "starts_at": alert.starts_at,
                "fingerprint": alert.fingerprint, "group_key": self.key,
            },
        });
        if let (Some(severity), Some(fields)) = (self.severity(alert), fields.as_object_mut()) {
            fields.insert("severity".to_owned(), severity.into());
        }
        Ok(Opening { title: shortened(&summary, TITLE_MAX), fields })
    }
}

/// The first of some names that an alert, or else its group, has a value for that is not blank.
fn first(own: &Labels, common: &Labels, names: &[&str]) -> Option<String> {
    let value = |name: &&str| own.get(*name).or_else(|| common.get(*name)).map(|value| value.trim().to_owned());
    names.iter().filter_map(value).find(|value| !value.is_empty())
}

/// Stands in for the fingerprint of an alert that has none: the same for the same labels.
fn fingerprint(labels: &Labels) -> String {
    Digest::of_json(&json!(labels)).hex().chars().take(16).collect()
}

#[cfg(test)]
mod tests;
