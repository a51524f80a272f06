//! The case of one delivery, for whoever opens a session by hand.

use provost_domain::pack::Pack;
use provost_domain::roster::Rosters;
use provost_domain::schema::ArgSchema;
use serde_json::{Value, json};

use super::formats::DeliveryFormat;
use super::mapping::{DeclaredFields, SentData, Taking};
use super::opening::{Opening, PackFields};
use super::reading::{AlertChange, BadDelivery, FormatReading};

/// What a session is opened with for the first alert of a delivery that fires and that the pack takes. Without a pack its fields
/// are those of the preset mapping.
///
/// # Errors
/// The delivery cannot be read, or no session can be opened with it.
pub fn first_case(pack: Option<&Pack>, format: DeliveryFormat, bytes: &[u8]) -> Result<Opening, BadDelivery> {
    let open = ArgSchema::new(json!({"type": "object"})).map_err(|error| BadDelivery::Fields(error.to_string()))?;
    let none = Rosters::default();
    let preset = PackFields::preset(format, DeclaredFields { schema: &open, rosters: &none });
    let fields = pack.map_or(preset, |pack| PackFields::of(pack, format));
    let FormatReading { common, alerts, .. } = format.read(bytes, String::new)?;
    let (mut data, mut odd) = (Value::Object(common), None);
    for alert in alerts {
        match alert {
            Ok(mut alert) if alert.change == AlertChange::Firing => {
                if let Some(data) = data.as_object_mut() {
                    data.extend(alert.payload.take().into_iter().flatten());
                }
                let sent = SentData::new(&data);
                match fields.taking(&sent) {
                    Taking::Taken => {
                        let opening = fields.opening(&sent, &mut alert.brief);
                        return opening.map_err(|failure| BadDelivery::Fields(failure.to_string()));
                    }
                    Taking::PassedOver => {}
                    Taking::CannotTell(reason) => odd = odd.or(Some(reason)),
                }
            }
            Ok(_) => {}
            Err(reason) => odd = odd.or(Some(reason)),
        }
    }
    Err(BadDelivery::Form(odd.unwrap_or_else(|| "no alert of the group fires: nothing to work on".to_owned())))
}

/// What a session of the pack is opened with for a delivery of a form, by the form's name as packs write it under `intake`.
///
/// # Errors
/// No deliveries have the form; the delivery cannot be read; or no session can be opened with it.
pub fn case_of_form(pack: &Pack, form: &str, bytes: &[u8]) -> Result<Opening, BadDelivery> {
    let format = DeliveryFormat::named(form);
    let format = format.ok_or_else(|| BadDelivery::Form(format!("no deliveries have the form `{form}`")))?;
    first_case(Some(pack), format, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert() -> Value {
        json!({"status": "firing", "labels": {"alertname": "A", "service": "shop", "environment": "staging"},
            "annotations": {"summary": "it hurts"}, "startsAt": "t", "fingerprint": "1"})
    }

    fn webhook(alerts: &[Value]) -> Value {
        json!({"version": "4", "status": "firing", "groupKey": "g", "receiver": "r", "alerts": alerts})
    }

    fn edited(pointer: &str, value: Value) -> Value {
        let mut alert = alert();
        *alert.pointer_mut(pointer).unwrap() = value;
        alert
    }

    fn opening(alert: &Value) -> Result<Opening, BadDelivery> {
        first_case(None, DeliveryFormat::Alertmanager, webhook(std::slice::from_ref(alert)).to_string().as_bytes())
    }

    #[test]
    fn the_first_alert_that_fires_becomes_fields() {
        let mut body = webhook(&[
            json!({"status": "resolved", "labels": {}, "startsAt": "t", "fingerprint": "0"}),
            json!({"status": "firing", "labels": {"alertname": "A", "severity": "warning"},
               "annotations": {"summary": "it hurts"}, "startsAt": "t", "fingerprint": "1", "new": true}),
        ]);
        body["commonLabels"] = json!({"service": "shop", "environment": "production"});
        let opening = first_case(None, DeliveryFormat::Alertmanager, body.to_string().as_bytes()).unwrap();
        assert_eq!(opening.title, "it hurts");
        assert_eq!((&opening.fields["service"], &opening.fields["severity"]), (&json!("shop"), &json!("medium")));
        assert_eq!(opening.fields["alert"]["group_key"], "g");
    }

    #[test]
    fn loose_forms_of_an_alert_are_read() {
        for (pointer, value) in [
            ("/status", json!("FIRING")),
            ("/status", json!(null)),
            ("/status", json!("alerting")),
            ("/annotations/summary", json!(" it hurts ")),
        ] {
            assert_eq!(opening(&edited(pointer, value.clone())).unwrap().title, "it hurts", "{pointer} {value}");
        }
        for (pointer, value) in
            [("/annotations", json!(null)), ("/annotations", json!("x")), ("/annotations/summary", json!("  "))]
        {
            let title = opening(&edited(pointer, value)).unwrap().title;
            assert_eq!(title, "A", "the alert's name stands in for its summary");
        }
        let blank = json!({"alertname": "A", "service": " ", "job": "shop", "environment": "", "env": "staging"});
        let fields = opening(&edited("/labels", blank)).unwrap().fields;
        assert_eq!((&fields["service"], &fields["environment"]), (&json!("shop"), &json!("staging")));
        let long = opening(&edited("/annotations/summary", json!("x".repeat(2300)))).unwrap();
        assert!(long.title.chars().count() == 120 && long.title.ends_with('…'), "{}", long.title);
    }

    #[test]
    fn a_severity_is_read_whatever_its_capitals_and_signs() {
        for (words, expect) in [
            (
                &["critical", "CRITICAL", "Crit", "page", "P1", "p0", "sev1", "SEV-1", "Sev 1", "severity: 1", "fatal"]
                    [..],
                json!("critical"),
            ),
            (&["P1 - Critical", "critical (page)", " Disaster ", "priority 1"], json!("critical")),
            (&["high", "ERROR", "err", "Major", "sev2", "P2", "high priority"], json!("high")),
            (&["warn", "Warning", "medium", "average", "minor", "SEV3", "p3"], json!("medium")),
            (&["info", "Informational", "none", "notice", "p4", "sev5"], json!("low")),
            (&["", "-", "purple", "1", "7", "critical or low", "P1/P3", "unknown", "not classified"], json!(null)),
        ] {
            for word in words {
                let mut alert = alert();
                alert["labels"]["severity"] = json!(word);
                assert_eq!(opening(&alert).unwrap().fields.get("severity").unwrap_or(&Value::Null), &expect, "{word}");
            }
        }
    }

    #[test]
    fn what_is_nearly_json_is_read_as_it_is_meant() {
        let text = webhook(&[edited("/annotations/summary", json!("SUMMARY"))]).to_string();
        let title = |body: &[u8]| first_case(None, DeliveryFormat::Alertmanager, body).unwrap().title;
        assert_eq!(title(format!("\u{feff}{}", text.replace("SUMMARY", "stuck")).as_bytes()), "stuck");
        assert_eq!(title(text.replace("SUMMARY", "stuck \\ud83d").as_bytes()), "stuck \u{fffd}");
        let bytes: Vec<u8> =
            text.replace("SUMMARY", "stuck ~").bytes().map(|byte| if byte == b'~' { 0xff } else { byte }).collect();
        assert_eq!(title(&bytes), "stuck \u{fffd}");
        assert_eq!(
            title(text.replace("\"groupKey\":\"g\"", "\"groupKey\":NaN").replace("SUMMARY", "stuck").as_bytes()),
            "stuck"
        );
    }

    #[test]
    fn what_is_no_delivery_is_refused_with_a_reason() {
        for (body, part) in [
            ("{".to_owned(), "form of Alertmanager"),
            ("{\"version\": \"4\"}".to_owned(), "form of Alertmanager"),
            ("{\"alerts\": {}}".to_owned(), "form of Alertmanager"),
            (webhook(&[]).to_string(), "nothing to work on"),
            ("{\"alerts\": null}".to_owned(), "nothing to work on"),
            (webhook(&[edited("/status", json!("resolved"))]).to_string(), "nothing to work on"),
            (webhook(&[edited("/status", json!("odd"))]).to_string(), "the status `odd`"),
        ] {
            let error = first_case(None, DeliveryFormat::Alertmanager, body.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(part), "{body}: {error}");
        }
    }
}
