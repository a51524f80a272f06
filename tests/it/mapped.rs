//! What the stock rules of others send opens sessions of the shipped pack, in the running program.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use axum::Router;
use axum::routing::get;
use provost_tests::desk::PATIENCE;
use provost_tests::eventually::eventually;
use provost_tests::monitoring::{alertmanager, prometheus_of_exporter, tell};
use provost_tests::visitor::Visitor;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::intake::{ROUTING_KEY, daemon, delivered, group, only, sessions};

/// An alert as stock rules on Kubernetes make it: without an environment, and with the exporter's name as its service.
fn stock(name: &str, namespace: &str) -> Value {
    let labels = json!({"alertname": name, "job": "kube-state-metrics", "service": "stack-kube-state-metrics",
        "namespace": namespace, "pod": "api-0", "instance": "10.1.2.3:8080", "severity": "warning"});
    json!({"status": "firing", "labels": labels, "annotations": {"summary": format!("{name} in {namespace}")},
        "startsAt": "2026-01-01T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": format!("{name}/{namespace}"),
        "generatorURL": "http://prometheus.example/graph"})
}

#[tokio::test]
async fn stock_rules_without_an_environment_open_sessions_of_what_is_ill() {
    let daemon = daemon("already-healthy").await;
    let mut watchdog = stock("Watchdog", "monitoring");
    watchdog["labels"]["severity"] = json!("none");
    let alerts = [watchdog, stock("KubePodCrashLooping", "orders"), stock("KubePodNotReady", "orders")];
    delivered(&daemon, &group("{}:{namespace=\"orders\"}", &alerts)).await;
    let session = only(&daemon).await;
    let fields = daemon.get(&format!("/v1/sessions/{session}")).await["fields"].clone();
    assert_eq!(
        (&fields["service"], &fields["environment"], &fields["severity"]),
        (&json!("orders"), &json!("production"), &json!("medium")),
        "{fields}"
    );
    assert_eq!(fields["alert"]["labels"]["pod"], "api-0");
    delivered(&daemon, &group("{}:{namespace=\"till\"}", &[stock("KubePodCrashLooping", "till")])).await;
    assert_eq!(sessions(&daemon).await.len(), 2);
    assert_eq!(daemon.all("/v1/deliveries?state=bad").await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_event_of_a_host_without_an_environment_opens_a_session() {
    let daemon = daemon("already-healthy").await;
    let event = json!({"routing_key": ROUTING_KEY, "dedup_key": "40107", "event_action": "trigger", "payload": {
        "summary": "Problem: free space on /var is below 5 %", "source": "files2 : 10.1.2.4", "severity": "error",
        "custom_details": {"Event host": "files2", "Event host ip": "10.1.2.4"}}, "client": "Zabbix"});
    let taken = daemon.ask("", Method::POST, "/v2/enqueue", Some(event)).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{taken:?}");
    daemon.settled().await;
    let session = only(&daemon).await;
    let fields = daemon.get(&format!("/v1/sessions/{session}")).await["fields"].clone();
    assert_eq!((&fields["service"], &fields["environment"]), (&json!("files2"), &json!("production")), "{fields}");
}

/// What a delivery says besides the fields is shown to whoever looks, and told to whoever works.
#[tokio::test]
async fn when_it_began_where_to_look_and_unknown_words_are_seen_in_every_face() {
    let daemon = daemon("already-healthy").await;
    let mut alert = stock("KubePodCrashLooping", "orders");
    alert["labels"]["environment"] = json!("the-moon");
    alert["annotations"]["runbook_url"] = json!("javascript:alert(1)");
    delivered(&daemon, &group("g", &[alert])).await;
    let session = only(&daemon).await;
    let origin = daemon.get(&format!("/v1/sessions/{session}")).await["origin"].clone();
    let expect = json!({"onset": "2026-01-01T00:00:00.000000Z", "unknown_words": {"environment": "the-moon"},
        "links": ["http://prometheus.example/graph", "javascript:alert(1)"]});
    assert_eq!(origin, expect);
    let events = daemon.all(&format!("/v1/sessions/{session}/events")).await;
    let briefing =
        events.iter().find(|event| event["kind"] == "assignment_issued").unwrap()["data"]["briefing"].clone();
    assert!(briefing.as_str().unwrap().contains("\"unknown_words\":{\"environment\":\"the-moon\"}"), "{briefing}");
    let page =
        Visitor::logged_in(&daemon.url, daemon.secret("viewer")).await.get(&format!("/sessions/{session}")).await;
    assert!(page.text.contains("the pack does not know `the-moon`"), "{}", page.text);
    assert!(page.text.contains("href=\"http://prometheus.example/graph\"") && !page.text.contains("href=\"javascript"));
    let shown = daemon
        .shop
        .plain(&["sessions", "show", &session, "--server", &daemon.url])
        .env("PROVOST_TOKEN", daemon.secret("viewer"))
        .output()
        .await
        .unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("began 2026-01-01T00:00:00.000000Z") && shown.contains("the-moon"), "{shown}");
}

/// What kube-state-metrics says of a pod that crashes and of a deployment that lacks replicas.
const EXPORTER: &str =
    "kube_pod_container_status_waiting_reason{namespace=\"orders\",pod=\"api-0\",reason=\"CrashLoopBackOff\"} 1
kube_deployment_spec_replicas{namespace=\"till\",deployment=\"till-api\"} 3
kube_deployment_status_replicas_available{namespace=\"till\",deployment=\"till-api\"} 1
";

/// The whole way with real parts: stock rules on an exporter's series, Prometheus, Alertmanager, and the shipped pack.
#[tokio::test]
async fn real_stock_rules_open_sessions_of_what_is_ill() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let exporter = format!("http://{}", listener.local_addr().unwrap());
    let mut serving = JoinSet::new();
    serving
        .spawn(async move { axum::serve(listener, Router::new().route("/metrics", get(|| async { EXPORTER }))).await });
    let rule = |name: &str, expr: &str, severity: &str, summary: &str| json!({"alert": name, "expr": expr, "labels": {"severity": severity}, "annotations": {"summary": summary}});
    let waits = "max_over_time(kube_pod_container_status_waiting_reason{reason=\"CrashLoopBackOff\"}[1m]) >= 1";
    let rules = [
        rule("Watchdog", "vector(1)", "none", "always fires"),
        rule("KubePodCrashLooping", waits, "warning", "Pod is crash looping."),
        rule(
            "KubeDeploymentReplicasMismatch",
            "kube_deployment_spec_replicas > kube_deployment_status_replicas_available",
            "critical",
            "Deployment has not matched the expected number of replicas.",
        ),
    ];
    let alertmanager = alertmanager().await;
    let _prometheus = prometheus_of_exporter(&exporter, &alertmanager, &rules).await;
    let daemon = daemon("already-healthy").await;
    tell(&alertmanager, &format!("{}/hooks/alertmanager", daemon.url), daemon.secret("intake")).await;
    let opened = eventually("a session of each ill thing", PATIENCE, || async {
        let sessions = sessions(&daemon).await;
        (sessions.len() >= 2).then_some(sessions)
    });
    let mut found = Vec::new();
    for session in opened.await.unwrap() {
        let fields = daemon.get(&format!("/v1/sessions/{session}")).await["fields"].clone();
        found.push(["service", "environment", "severity"].map(|name| fields[name].as_str().unwrap().to_owned()));
    }
    found.sort();
    assert_eq!(found, [["orders", "production", "medium"], ["till-api", "production", "critical"]]);
    daemon.settled().await;
    assert_eq!(daemon.all("/v1/deliveries?state=bad").await, Vec::<Value>::new());
}
