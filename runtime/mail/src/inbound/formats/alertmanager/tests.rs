use super::*;

fn good() -> Value {
    json!({"status": "firing", "labels": {"alertname": "A", "service": "shop", "environment": "staging"},
        "annotations": {"summary": "it hurts"}, "startsAt": "t", "fingerprint": "1"})
}

fn webhook(alerts: &[Value]) -> Value {
    json!({"version": "4", "status": "firing", "groupKey": "g", "receiver": "r", "alerts": alerts})
}

/// A good alert with something changed.
fn edited(pointer: &str, value: Value) -> Value {
    let mut alert = good();
    *alert.pointer_mut(pointer).unwrap() = value;
    alert
}

/// The only alert of a delivery.
#[track_caller]
fn only(alert: &Value) -> Result<ReadAlert, String> {
    let mut reading = read(webhook(std::slice::from_ref(alert)).to_string().as_bytes()).unwrap();
    assert_eq!(reading.alerts.len(), 1);
    reading.alerts.remove(0)
}

#[test]
fn a_firing_group_becomes_fields() {
    let mut body = webhook(&[
        json!({"status": "resolved", "labels": {}, "startsAt": "t", "fingerprint": "0"}),
        json!({"status": "firing", "labels": {"alertname": "A", "severity": "warning"},
               "annotations": {"summary": "it hurts"}, "startsAt": "t", "fingerprint": "1", "new": true}),
    ]);
    body["commonLabels"] = json!({"service": "shop", "environment": "production"});
    let bytes = body.to_string().into_bytes();
    let opening = first_case(&bytes).unwrap();
    assert_eq!(opening.title, "it hurts");
    assert_eq!((&opening.fields["service"], &opening.fields["severity"]), (&json!("shop"), &json!("medium")));
    let alerts: Vec<ReadAlert> = read(&bytes).unwrap().alerts.into_iter().map(Result::unwrap).collect();
    let marks: Vec<_> = alerts.iter().map(|alert| (alert.mark.as_str(), alert.change)).collect();
    assert_eq!(marks, [("0/t", AlertChange::Resolved), ("1/t", AlertChange::Firing)]);
    assert_eq!(alerts[1].opening, Ok(opening));
}

#[test]
fn loose_forms_of_an_alert_are_read() {
    let plain = only(&good()).unwrap();
    for (pointer, value) in [
        ("/status", json!("FIRING")),
        ("/status", json!(null)),
        ("/status", json!("alerting")),
        ("/annotations/summary", json!(" it hurts ")),
    ] {
        assert_eq!(
            only(&edited(pointer, value.clone())).unwrap().opening.unwrap().title,
            "it hurts",
            "{pointer} {value}"
        );
    }
    assert_eq!(only(&edited("/fingerprint", json!(1))).unwrap().mark, plain.mark);
    for (pointer, value) in
        [("/annotations", json!(null)), ("/annotations", json!("x")), ("/annotations/summary", json!("  "))]
    {
        let alert = only(&edited(pointer, value)).unwrap();
        assert_eq!(alert.opening.unwrap().title, "A", "the alert's name stands in for its summary");
    }
    let labels = json!({"alertname": "A", "service": 7, "environment": "staging", "job": null, "on": true});
    assert_eq!(only(&edited("/labels", labels)).unwrap().opening.unwrap().fields["service"], "7");
    let blank = json!({"alertname": "A", "service": " ", "job": "shop", "environment": "", "env": "staging"});
    let fields = only(&edited("/labels", blank)).unwrap().opening.unwrap().fields;
    assert_eq!((&fields["service"], &fields["environment"]), (&json!("shop"), &json!("staging")));
    let long = only(&edited("/annotations/summary", json!("x".repeat(2300)))).unwrap().opening.unwrap();
    assert!(long.title.chars().count() == 120 && long.title.ends_with('…'), "{}", long.title);
}

#[test]
fn a_missing_fingerprint_is_made_of_the_labels() {
    let marks: Vec<String> = [json!(null), json!(""), json!({})]
        .into_iter()
        .map(|none| only(&edited("/fingerprint", none)).unwrap().mark)
        .collect();
    assert!(marks.iter().all(|mark| *mark == marks[0] && mark.ends_with("/t") && mark.len() == 18), "{marks:?}");
    let mut other = edited("/fingerprint", json!(null));
    other["labels"]["pod"] = json!("web-1");
    assert_ne!(only(&other).unwrap().mark, marks[0]);
}

#[test]
fn one_odd_alert_loses_nothing_else() {
    for (odd, part) in [
        (edited("/status", json!("suppressed")), "the status `suppressed`"),
        (edited("/labels", json!("x")), "must be an object"),
        (json!(null), "must be an object"),
        (json!(["firing"]), "must be an object"),
    ] {
        let reading = read(webhook(&[odd.clone(), good()]).to_string().as_bytes()).unwrap();
        let [Err(reason), Ok(alert)] = reading.alerts.as_slice() else { panic!("{odd}: {reading:?}") };
        assert!(reason.contains(part) && alert.change == AlertChange::Firing, "{odd}: {reason}");
    }
}

#[test]
fn a_part_of_a_delivery_is_a_delivery_about_some_of_its_alerts() {
    let body = webhook(&[json!({"status": "odd"}), good(), json!(7)]);
    let part: Value =
        serde_json::from_slice(&part(body.to_string().as_bytes(), &BTreeSet::from([0, 2])).unwrap()).unwrap();
    assert_eq!(part, webhook(&[json!({"status": "odd"}), json!(7)]));
}

#[test]
fn what_is_nearly_json_is_read_as_it_is_meant() {
    let text = webhook(&[edited("/annotations/summary", json!("SUMMARY"))]).to_string();
    let title = |body: &[u8]| first_case(body).unwrap().title;
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
    let without = |label: &str| {
        let mut alert = good();
        alert["labels"].as_object_mut().unwrap().remove(label);
        webhook(&[alert]).to_string()
    };
    for (body, part) in [
        ("{".to_owned(), "form of Alertmanager"),
        ("{\"version\": \"4\"}".to_owned(), "form of Alertmanager"),
        ("{\"alerts\": {}}".to_owned(), "form of Alertmanager"),
        (webhook(&[]).to_string(), "nothing to work on"),
        ("{\"alerts\": null}".to_owned(), "nothing to work on"),
        (webhook(&[edited("/status", json!("resolved"))]).to_string(), "nothing to work on"),
        (webhook(&[edited("/status", json!("odd"))]).to_string(), "the status `odd`"),
        (without("service"), "no label `service`"),
        (without("environment"), "no label `environment`"),
    ] {
        let error = first_case(body.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(part), "{body}: {error}");
    }
}

#[test]
fn receiver_and_group_key_make_the_group() {
    let group = |body: Value| read(body.to_string().as_bytes()).unwrap().group;
    let named = |receiver: &str, key: &str| group(json!({"receiver": receiver, "groupKey": key, "alerts": []}));
    assert_eq!(named("a", "b"), named("a", "b"));
    assert_ne!(named("a", "b"), named("c", "b"));
    assert_ne!(named("ab", "c"), named("a", "bc"));
    let elsewhere = group(json!({"receiver": "a", "groupKey": "b", "externalURL": "http://twin", "alerts": []}));
    assert_eq!(named("a", "b"), elsewhere, "the twins of a pair have other addresses");
    let by_labels = |labels: Value| group(json!({"groupLabels": labels, "alerts": []}));
    assert_eq!(by_labels(json!({"alertname": "A"})), by_labels(json!({"alertname": "A"})));
    assert_ne!(by_labels(json!({"alertname": "A"})), by_labels(json!({"alertname": "B"})));
}
