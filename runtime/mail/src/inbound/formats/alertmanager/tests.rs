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

/// What Grafana sends: the same form with more in it, of which some is odd.
fn grafana(change: &dyn Fn(&mut Value)) -> Value {
    let mut body = json!({"receiver": "provost", "status": "firing", "orgId": 1, "version": "1", "groupKey": "{}:{}",
        "truncatedAlerts": 0, "title": "[FIRING:1] A", "state": "alerting", "message": "**Firing**",
        "groupLabels": {"alertname": "A"}, "commonLabels": {"alertname": "A"}, "commonAnnotations": {},
        "externalURL": "https://grafana.example/", "appVersion": "11.4.0", "alerts": [{
            "status": "firing", "labels": {"alertname": "A", "service": "shop", "grafana_folder": "team"},
            "annotations": {"summary": "it hurts"}, "startsAt": "2026-01-01T00:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "https://grafana.example/alerting/grafana/x/view",
            "fingerprint": "c6eadffa33fcdf37", "silenceURL": "https://grafana.example/s", "imageURL": "",
            "dashboardURL": "https://grafana.example/d/1", "panelURL": "https://grafana.example/d/1?viewPanel=2",
            "values": {"B": 44.2, "C": 1}, "valueString": "[ var='B' value=44.2 ]", "ruleUID": "x"}]});
    change(&mut body);
    body
}

#[test]
fn grafana_s_form_is_read_with_what_it_says_besides() {
    let reading = read(grafana(&|_| ()).to_string().as_bytes()).unwrap();
    let group = &reading.common["group"];
    assert_eq!(
        (&group["orgId"], &group["state"], &group["title"]),
        (&json!(1), &json!("alerting"), &json!("[FIRING:1] A"))
    );
    let alert = reading.alerts[0].as_ref().unwrap();
    let payload = json!(alert.payload);
    assert_eq!((alert.change, alert.mark.as_str()), (AlertChange::Firing, "c6eadffa33fcdf37/2026-01-01T00:00:00Z"));
    assert_eq!(
        (&payload["alert"]["values"]["B"], &payload["alert"]["valueString"]),
        (&json!(44.2), &json!("[ var='B' value=44.2 ]"))
    );
    let described = &payload["described"];
    let shown = (&described["panel_url"], &described["values"]["C"], described.get("image_url"));
    assert_eq!(shown, (&json!("https://grafana.example/d/1?viewPanel=2"), &json!(1), None));
}

#[test]
fn an_odd_part_of_grafana_s_form_loses_nothing_else() {
    let first: fn(&mut Value) -> &mut Value = |body| &mut body["alerts"][0];
    let changes: [&dyn Fn(&mut Value); 8] = [
        &|body| first(body)["values"] = json!(null),
        &|body| first(body)["values"] = json!("none"),
        &|body| first(body)["valueString"] = json!(7),
        &|body| first(body)["dashboardURL"] = json!({"a": 1}),
        &|body| first(body)["annotations"] = json!(null),
        &|body| body["orgId"] = json!("one"),
        &|body| body["state"] = json!(null),
        &|body| body["commonLabels"] = json!([]),
    ];
    for (place, change) in changes.iter().enumerate() {
        let reading = read(grafana(change).to_string().as_bytes()).unwrap();
        let alert = reading.alerts[0].as_ref().unwrap();
        assert_eq!((alert.change, &alert.brief["labels"]["service"]), (AlertChange::Firing, &json!("shop")), "{place}");
    }
    let text = grafana(&|_| ()).to_string().replace("44.2,", "NaN,");
    assert!(read(text.as_bytes()).unwrap().alerts[0].is_ok());
}
