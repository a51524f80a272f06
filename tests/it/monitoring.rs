//! The whole way with real parts: Prometheus measures the shop, its rule fires, Alertmanager calls the daemon, agents query
//! that Prometheus, a person approves by a click in a browser, the shop heals, and Alertmanager says so. Only the model is
//! scripted.

use provost_tests::browser::Browser;
use provost_tests::daemon::Daemon;
use provost_tests::desk::PATIENCE;
use provost_tests::eventually::eventually;
use provost_tests::monitoring::{Running, alertmanager, prometheus, tell};
use provost_tests::shipped;
use provost_tests::shop::Shop;
use serde_json::Value;

/// What makes the shipped pack measure with Prometheus instead of reading the shop's metrics itself.
const MEASURED_BY_PROMETHEUS: [(&str, &str); 8] = [
    ("\"metrics:scrape\", \"service:status\"", "\"prometheus:query\", \"alertmanager:alerts\", \"service:status\""),
    (
        "args: {series: [http_errors_ratio, http_latency_p99]}}",
        "args: {query: http_errors_ratio}}\n        - {tool: \"alertmanager:alerts\"}",
    ),
    ("args: {series: [http_errors_ratio]}", "args: {query: http_errors_ratio}"),
    ("results.metrics_scrape.http_errors_ratio.now", "results.prometheus_query.value"),
    ("path: http_errors_ratio.now", "path: value"),
    ("evidence.metrics_scrape", "evidence.prometheus_query"),
    ("metrics:scrape", "prometheus:query"),
    ("deadline: 20s", "deadline: 60s"),
];

/// The shop's configuration with that pack, both servers as tools, and Alertmanager's deliveries taken.
fn configure(shop: &Shop, prometheus: &Running, alertmanager: &Running) {
    let (shipped, own) = (shipped::folder(), shop.path("incident"));
    shipped::copy(&own, &|_, text| MEASURED_BY_PROMETHEUS.iter().fold(text, |text, (from, to)| text.replace(from, to)));
    let file = shop.path("provost.yaml");
    let config = std::fs::read_to_string(&file).unwrap().replace(shipped.to_str().unwrap(), own.to_str().unwrap());
    let tools = format!(
        "tools:\n  prometheus: {{endpoint: \"{}\"}}\n  alertmanager: {{endpoint: \"{}\"}}",
        prometheus.url, alertmanager.url
    );
    let config = config.replace("tools:", &tools) + "intake: {alertmanager: {pack: incident}}\n";
    std::fs::write(file, config).unwrap();
}

async fn events(daemon: &Daemon, session: &str) -> Vec<Value> {
    let page = daemon.get(&format!("/v1/sessions/{session}/events?page_size=1000")).await;
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_real_alert_becomes_a_session_that_heals_the_shop() {
    let shop = Shop::start("heals-on-rollback").await;
    let alertmanager = alertmanager().await;
    let prometheus = prometheus(&shop.url, &alertmanager).await;
    configure(&shop, &prometheus, &alertmanager);
    let daemon = Daemon::on(shop).await;
    tell(&alertmanager, &format!("{}/hooks/alertmanager", daemon.url), daemon.secret("intake")).await;

    // Nobody here opens a session: the alert does.
    let opened = eventually("the alert's session", PATIENCE, || async {
        daemon.get("/v1/sessions").await["items"][0]["session"].as_str().map(str::to_owned)
    });
    let session = opened.await.unwrap();
    daemon.until(&session, "awaiting_input").await;

    let browser = Browser::start().await;
    browser.open(&daemon.url).await;
    browser.write("#token", daemon.secret("approver")).await;
    browser.click("#login button").await;
    browser.click(&format!("#{session} a")).await;
    browser.click("article.ask button[value=approve]").await;
    daemon.until(&session, "resolved").await;
    assert_eq!(daemon.shop.witness(), (1, 0));

    // Alertmanager's own word comes after the end and moves nothing.
    let told = eventually("Alertmanager's `resolved`", PATIENCE, || async {
        let signals = events(&daemon, &session).await.into_iter().filter(|event| event["kind"] == "signal_received");
        signals.map(|event| event["data"].to_string()).find(|signal| signal.contains("resolved"))
    });
    told.await.unwrap();
    let shown = daemon.get(&format!("/v1/sessions/{session}")).await;
    assert_eq!(shown["status"], "resolved");
    browser.find("#timeline > li[data-kind=signal_received]").await;
    browser.picture("monitoring", 1280).await;
    browser.quit().await;

    let events = events(&daemon, &session).await;
    let used: Vec<&str> = events.iter().filter_map(|event| event["data"]["tool"].as_str()).collect();
    for tool in ["prometheus:query", "alertmanager:alerts", "service:rollback"] {
        assert!(used.contains(&tool), "{tool}: {used:?}");
    }
    assert!(!used.contains(&"metrics:scrape"), "{used:?}");
    assert_eq!(daemon.get("/v1/sessions").await["items"].as_array().unwrap().len(), 1, "one alert, one session");
}
