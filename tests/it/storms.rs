//! Deliveries as senders write them: storms, odd parts, many targets, several senders.

use provost_tests::daemon::{Daemon, answered};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::intake::{ROUTING_KEY, alert, base, daemon, delivered, event, group, only, sessions, shop, signals};

/// A group of alerts like the shop's, each changed by its number.
fn many(count: usize, change: impl Fn(usize, &mut Value)) -> Value {
    let one = |n: usize| {
        let mut alert = alert(&format!("{n:016x}"), "firing");
        alert["labels"]["pod"] = json!(format!("web-{n}"));
        alert["annotations"] = json!({"summary": "checkout fails", "description": "x".repeat(200)});
        change(n, &mut alert);
        alert
    };
    group("storm", &(0..count).map(one).collect::<Vec<_>>())
}

#[tokio::test]
async fn a_storm_in_one_delivery_is_one_session() {
    let daemon = daemon("already-healthy").await;
    let storm = many(10_000, |_, _| {});
    assert!(storm.to_string().len() > 4 * 1024 * 1024);
    delivered(&daemon, &storm).await;
    let session = only(&daemon).await;
    assert_eq!(signals(&daemon, &session).await, [(9_999, 0)]);
    delivered(&daemon, &storm).await;
    assert_eq!(signals(&daemon, &session).await.len(), 1, "the same storm again is nothing new");
}

#[tokio::test]
async fn a_storm_over_many_services_opens_some_cases_and_one_session_for_the_rest() {
    let daemon = daemon("already-healthy").await;
    let storm = many(1_000, |n, alert| alert["labels"]["service"] = json!(format!("service-{}", n % 50)));
    delivered(&daemon, &storm).await;
    let opened = sessions(&daemon).await;
    assert_eq!(opened.len(), 21);
    let (mut services, mut told) = (Vec::new(), 0);
    for session in &opened {
        let fields = daemon.get(&format!("/v1/sessions/{session}")).await["fields"].clone();
        assert_eq!(fields["environment"], "production");
        services.push(fields["service"].as_str().map(str::to_owned));
        told += signals(&daemon, session).await.iter().map(|(joined, _)| joined).sum::<u64>();
    }
    services.sort();
    services.dedup();
    assert_eq!((services.len(), services[0].as_deref(), told), (21, None, 980), "{services:?}");
}

#[tokio::test]
async fn one_odd_alert_is_kept_for_replay_and_loses_nothing_else() {
    let daemon = daemon("already-healthy").await;
    let mut elsewhere = alert("b", "firing");
    elsewhere["labels"] = json!({"pod": "web-0"});
    let odd =
        [json!({"status": "suppressed", "labels": {"alertname": "X"}}), elsewhere, json!(null), alert("a", "firing")];
    for _ in 0..2 {
        delivered(&daemon, &group("g", &odd)).await;
    }
    only(&daemon).await;
    let bad = daemon.all("/v1/deliveries?state=bad").await;
    assert_eq!(bad.len(), 1, "once, however often they are reported: {bad:?}");
    assert!(bad[0]["note"].as_str().unwrap().starts_with("3 of the alerts of a delivery"), "{bad:?}");
    let path = format!("/v1/deliveries/{}", bad[0]["delivery"].as_str().unwrap());
    let body: Value = serde_json::from_str(daemon.get(&path).await["body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["alerts"], &body["groupKey"]), (&json!(odd[..3]), &json!("g")));
    let replayed = daemon.ask("operator", Method::POST, &format!("{path}/replay"), None).await;
    assert_eq!(replayed.status, StatusCode::UNPROCESSABLE_ENTITY, "{replayed:?}");
}

#[tokio::test]
async fn environments_and_services_never_mix_whatever_the_group() {
    let daemon = daemon("already-healthy").await;
    let mut staging = alert("a", "firing");
    staging["labels"]["environment"] = json!("staging");
    let mut till = alert("c", "firing");
    till["labels"]["service"] = json!("till");
    delivered(&daemon, &group("g", &[staging])).await;
    delivered(&daemon, &group("g", &[alert("b", "firing"), till])).await;
    let mut cases = Vec::new();
    for session in sessions(&daemon).await {
        let fields = daemon.get(&format!("/v1/sessions/{session}")).await["fields"].clone();
        cases.push(format!("{}/{}", fields["environment"].as_str().unwrap(), fields["service"].as_str().unwrap()));
    }
    cases.sort();
    assert_eq!(cases, ["production/shop", "production/till", "staging/shop"]);
    let mut twin = group("g", &[alert("b", "firing")]);
    twin["externalURL"] = json!("http://the-other-of-the-pair:9093");
    delivered(&daemon, &twin).await;
    assert_eq!(sessions(&daemon).await.len(), 3, "the twin of a pair is the same sender");
}

const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210";

#[tokio::test]
async fn two_senders_with_one_key_of_a_case_do_not_touch_each_other() {
    let shop = shop("already-healthy").await;
    std::fs::write(shop.path("other-key"), OTHER_KEY).unwrap();
    let intake = "intake: {pagerduty: {pack: incident, routing_keys: {checkout: {file: routing-key}, other: {file: other-key}}}}";
    let config = format!("{}\n{intake}", base(&shop));
    std::fs::write(shop.path("provost.yaml"), config).unwrap();
    let daemon = Daemon::on(shop).await;
    let send = async |key: &str, action: &str| {
        let mut event = event(action);
        event["routing_key"] = json!(key);
        let taken = daemon.ask("", Method::POST, "/v2/enqueue", Some(event)).await;
        assert_eq!(taken.status, StatusCode::ACCEPTED, "{taken:?}");
        daemon.settled().await;
    };
    send(ROUTING_KEY, "trigger").await;
    let first = only(&daemon).await;
    send(OTHER_KEY, "trigger").await;
    assert_eq!(sessions(&daemon).await.len(), 2);
    send(OTHER_KEY, "resolve").await;
    assert_eq!(signals(&daemon, &first).await, [], "the other's end is not its end");
    send(ROUTING_KEY, "resolve").await;
    assert_eq!(signals(&daemon, &first).await, [(0, 1)]);
}

#[tokio::test]
async fn an_event_as_emitters_write_it_is_taken_and_its_key_is_seen_by_nobody() {
    let daemon = daemon("already-healthy").await;
    let escaped = ROUTING_KEY.replace('0', "\\u0030");
    let text = event("trigger").to_string().replace("checkout fails", "stuck \\ud83d").replace(ROUTING_KEY, &escaped);
    for (header, text) in [
        ("Token token=abcdef", text.clone()),
        ("Basic dXNlcjpwYXNz", format!("\u{feff}{text}")),
        ("Bearer nobody-knows-it", text.replace("\"d\"", "7")),
    ] {
        let request = provost_http::client(None).unwrap().build().unwrap().post(format!("{}/v2/enqueue", daemon.url));
        let taken = answered(request.header("authorization", header).body(text).send().await.unwrap()).await;
        assert_eq!(taken.status, StatusCode::ACCEPTED, "{header}: {taken:?}");
    }
    daemon.settled().await;
    assert_eq!(sessions(&daemon).await.len(), 2, "two keys of a case");
    for delivery in daemon.all("/v1/deliveries").await {
        let body =
            daemon.get(&format!("/v1/deliveries/{}", delivery["delivery"].as_str().unwrap())).await["body"].clone();
        let body = body.as_str().unwrap();
        assert!(body.contains("\"routing_key\":\"sha256:") && !body.contains(&escaped), "{body}");
    }
}
