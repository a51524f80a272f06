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

#[test]
fn an_alert_has_what_its_group_has_in_common_and_keeps_its_own() {
    let mut body = webhook(&[good(), json!({"status": "resolved", "labels": {}, "startsAt": "t", "fingerprint": "0"})]);
    body["commonLabels"] = json!({"service": "till", "cluster": 7});
    body["commonAnnotations"] = json!({"runbook_url": "https://r"});
    body["orgId"] = json!(1);
    let reading = read(body.to_string().as_bytes()).unwrap();
    let alerts: Vec<ReadAlert> = reading.alerts.into_iter().map(Result::unwrap).collect();
    let marks: Vec<_> = alerts.iter().map(|alert| (alert.mark.as_str(), alert.change)).collect();
    assert_eq!(marks, [("1/t", AlertChange::Firing), ("0/t", AlertChange::Resolved)]);
    let payload = json!(alerts[0].payload);
    let alert = &payload["alert"];
    assert_eq!((&alert["labels"]["service"], &alert["labels"]["cluster"]), (&json!("shop"), &json!("7")));
    assert_eq!((&alert["annotations"]["runbook_url"], &alert["name"]), (&json!("https://r"), &json!("A")));
    assert_eq!(payload["described"]["labels"].get("cluster"), None, "what is shown is what it says itself");
    assert_eq!(reading.common["group"]["orgId"], 1);
}

/// The only alert of a delivery.
#[track_caller]
fn only(alert: &Value) -> Result<ReadAlert, String> {
    let mut reading = read(webhook(std::slice::from_ref(alert)).to_string().as_bytes()).unwrap();
    assert_eq!(reading.alerts.len(), 1);
    reading.alerts.remove(0)
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
