//! Alertmanager's webhook, version 4, and whatever else sends its form. Unknown fields are ignored, as its documentation asks;
//! of the known ones only the list of alerts must be there. Each alert is read by itself.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use provost_domain::ids::Digest;
use provost_expr::{Scope, Type};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::super::loose::{repaired, shortened, text, text_of, texts};
use super::super::reading::{AlertChange, BadDelivery, FormatReading, ReadAlert, Repetition};
use super::super::words::fires;

const FORM: &str = "Alertmanager's webhook, version 4";
/// The time of an end that is not there yet.
const NO_TIME: &str = "0001-01-01";
/// What an alert may have besides its labels and annotations; the last five are Grafana's.
const ALERT_TEXTS: [&str; 8] =
    ["startsAt", "endsAt", "generatorURL", "silenceURL", "dashboardURL", "panelURL", "imageURL", "valueString"];
/// What Grafana says of an alert besides, with the names under which sessions are shown it.
const SHOWN: [(&str, &str); 4] = [
    ("dashboardURL", "dashboard_url"),
    ("panelURL", "panel_url"),
    ("silenceURL", "silence_url"),
    ("imageURL", "image_url"),
];
/// What a group may have besides its labels and annotations; the last three are Grafana's.
const GROUP_TEXTS: [&str; 7] = ["receiver", "status", "groupKey", "externalURL", "title", "state", "message"];
/// The labels and annotations of a group.
const GROUP_LABELS: [&str; 3] = ["groupLabels", "commonLabels", "commonAnnotations"];

type Labels = BTreeMap<String, String>;

/// A delivery whose alerts are not read yet.
#[derive(Debug, Deserialize)]
struct Webhook<'a> {
    #[serde(borrow)]
    alerts: &'a RawValue,
    #[serde(flatten)]
    group: Map<String, Value>,
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

/// One alert, without what its group has in common.
#[derive(Debug)]
struct WebhookAlert {
    change: AlertChange,
    name: String,
    labels: Labels,
    annotations: Labels,
    starts_at: String,
    fingerprint: String,
}

/// The names that all alerts of a delivery have in common.
pub(super) fn group_scope() -> Scope {
    let labels = || Type::Map(Box::new(Type::Text));
    let mut group: Vec<(&'static str, Type)> = GROUP_TEXTS.map(|name| (name, Type::Text)).to_vec();
    group.extend(GROUP_LABELS.map(|name| (name, labels())));
    group.push(("orgId", Type::Any));
    Scope::default().with("group", Type::object(group))
}

/// The names that a mapping may read.
pub(super) fn scope() -> Scope {
    let texts = |names: &[&'static str]| names.iter().map(|name| (*name, Type::Text)).collect::<Vec<_>>();
    let labels = || Type::Map(Box::new(Type::Text));
    let mut alert = texts(&ALERT_TEXTS);
    alert.extend([("status", Type::words(["firing", "resolved"])), ("name", Type::Text), ("fingerprint", Type::Text)]);
    alert.extend([("labels", labels()), ("annotations", labels()), ("values", Type::Any)]);
    group_scope().with("alert", Type::object(alert)).with("described", Type::Any)
}

/// Reads a delivery.
pub(super) fn read(bytes: &[u8]) -> Result<FormatReading, BadDelivery> {
    let text = strict(bytes);
    let webhook = parse(&text)?;
    let facts = GroupFacts::of(&webhook);
    let parts: [&[u8]; 3] = [b"alertmanager", facts.receiver.as_bytes(), facts.key.as_bytes()];
    let alerts = items(&webhook)?.into_iter().map(|alert| facts.alert(alert)).collect();
    let common = [("group".to_owned(), group(&webhook.group))].into_iter().collect();
    let group = Some(Digest::of_parts(&parts));
    Ok(FormatReading { group, common, alerts, repetition: Repetition::StillFires, key: String::new() })
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
        let member = |name: &str| webhook.group.get(name);
        let labels = texts(member("commonLabels")).unwrap_or_default();
        // Who sends no name of the group is taken by what the group has in common.
        let key = text(member("groupKey")).unwrap_or_else(|| {
            let group = texts(member("groupLabels")).unwrap_or_default();
            if group.is_empty() {
                labels.get("alertname").cloned().unwrap_or_default()
            } else {
                json!(group).to_string()
            }
        });
        Self {
            status: text(member("status")),
            receiver: text(member("receiver")).unwrap_or_default(),
            key,
            labels,
            annotations: texts(member("commonAnnotations")).unwrap_or_default(),
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
        let read = WebhookAlert {
            change: if firing { AlertChange::Firing } else { AlertChange::Resolved },
            name: self.name(&labels),
            fingerprint: text(alert.get("fingerprint")).unwrap_or_else(|| fingerprint(&labels)),
            annotations: texts(alert.get("annotations")).unwrap_or_default(),
            labels,
            starts_at,
        };
        Ok(ReadAlert {
            mark: format!("{}/{}", read.fingerprint, read.starts_at),
            change: read.change,
            payload: Some(self.payload(&read, &alert)),
            brief: json!({
                "name": read.name, "labels": read.labels, "starts_at": read.starts_at, "fingerprint": read.fingerprint,
            }),
        })
    }

    fn name(&self, labels: &Labels) -> String {
        let own = labels.get("alertname").or_else(|| self.labels.get("alertname")).map(|name| name.trim());
        own.filter(|name| !name.is_empty()).unwrap_or("alert").to_owned()
    }

    /// What mappings read: an alert has the labels and annotations that its group has in common.
    fn payload(&self, read: &WebhookAlert, sent: &Map<String, Value>) -> Map<String, Value> {
        let with = |own: &Labels, common: &Labels| {
            let mut all = common.clone();
            all.extend(own.clone());
            json!(all)
        };
        let mut alert = texts_of(sent, &ALERT_TEXTS);
        alert.extend([
            ("status".to_owned(), if read.change == AlertChange::Firing { "firing" } else { "resolved" }.into()),
            ("name".to_owned(), read.name.as_str().into()),
            ("fingerprint".to_owned(), read.fingerprint.as_str().into()),
            ("labels".to_owned(), with(&read.labels, &self.labels)),
            ("annotations".to_owned(), with(&read.annotations, &self.annotations)),
        ]);
        if let Some(values) = sent.get("values") {
            alert.insert("values".to_owned(), values.clone());
        }
        let mut described = json!({
            "name": read.name, "labels": read.labels, "annotations": read.annotations, "starts_at": read.starts_at,
            "fingerprint": read.fingerprint, "group_key": self.key,
        });
        if let Some(described) = described.as_object_mut() {
            let own = |(name, shown): &(&str, &str)| Some(((*shown).to_owned(), text(sent.get(*name))?.into()));
            described.extend(SHOWN.iter().filter_map(own));
            described.extend(
                sent.get("values").filter(|values| values.is_object()).map(|own| ("values".to_owned(), own.clone())),
            );
        }
        [("alert".to_owned(), Value::Object(alert)), ("described".to_owned(), described)].into_iter().collect()
    }
}

/// Some members as texts; what says nothing is left out.
fn texts_of(sent: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), text(sent.get(*name))?.into()))).collect()
}

/// A group as mappings read it.
fn group(sent: &Map<String, Value>) -> Value {
    let mut group = texts_of(sent, &GROUP_TEXTS);
    group.extend(GROUP_LABELS.map(|name| (name.to_owned(), json!(texts(sent.get(name)).unwrap_or_default()))));
    if let Some(org) = sent.get("orgId") {
        group.insert("orgId".to_owned(), org.clone());
    }
    Value::Object(group)
}

/// Stands in for the fingerprint of an alert that has none: the same for the same labels.
fn fingerprint(labels: &Labels) -> String {
    Digest::of_json(&json!(labels)).hex().chars().take(16).collect()
}

#[cfg(test)]
mod tests;
