//! A model server that fails or talks nonsense, as sessions of the built binary meet it: a typed end, the right number of
//! tries, and never an outcome.

use std::process::Output;

use provost_tests::desk::last_line;
use provost_tests::endpoint::{Endpoint, Said};
use provost_tests::shop::Shop;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Runs of the shipped pack's first agent: the first and its two retries.
const RUNS: usize = 3;
/// Tries of one question when the provider is unavailable: once more at once.
const TRIES: usize = 2;
/// Nothing is waited for.
const IMPATIENT: &str = ", outage_budget: 0s";

/// How a session went.
#[derive(Debug)]
struct Went {
    status: String,
    /// The failures of the agents, in order.
    failures: Vec<Value>,
    output: Output,
}

impl Went {
    /// The failures' kinds, each run's.
    fn failure_kinds(&self) -> Vec<&str> {
        self.failures.iter().map(|failure| failure["failure"]["kind"].as_str().unwrap_or_default()).collect()
    }

    /// How often the log says that a question is asked again.
    fn asked_again(&self) -> usize {
        String::from_utf8_lossy(&self.output.stderr).matches("asking the model again").count()
    }
}

/// Opens a session at a shop whose configuration names this server, and lets it run to its rest.
async fn run(base_url: &str, more: &str) -> (Shop, Went) {
    let shop = Shop::start("already-healthy").await;
    shop.ask_model(base_url, more);
    let output = shop.run(&["run", "incident", "--input", &shop.alert(), "--log-filter=warn"]).await;
    let last = last_line(&output);
    let tail = shop.run(&["sessions", "tail", last["handle"].as_str().unwrap_or_else(|| panic!("{output:?}"))]).await;
    let events: Vec<Value> =
        String::from_utf8(tail.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let went = Went {
        status: last["status"].as_str().unwrap().to_owned(),
        failures: events.iter().filter(|e| e["kind"] == "agent_failed").map(|e| e["data"]["failure"].clone()).collect(),
        output,
    };
    (shop, went)
}

#[tokio::test]
async fn a_server_error_is_tried_again_and_ends_as_unavailable() {
    let endpoint = Endpoint::always(Said::error(500, "oops")).await;
    let (_shop, went) = run(&endpoint.base_url, IMPATIENT).await;
    assert_eq!((went.status.as_str(), went.failure_kinds()), ("error", vec!["unavailable"; RUNS]), "{went:?}");
    assert_eq!(endpoint.questions().len(), RUNS * TRIES - 1, "after five failures in a row the server is left alone");
}

#[tokio::test]
async fn a_server_that_restarts_is_waited_for() {
    let away = |n: usize| if n < 5 { Said::error(503, "starting") } else { Said::error(401, "who are you") };
    let endpoint = Endpoint::start(move |n, _| away(n)).await;
    let (_shop, went) = run(&endpoint.base_url, "").await;
    assert_eq!((went.status.as_str(), went.failure_kinds()), ("error", vec!["llm_config"]), "{went:?}");
}

#[tokio::test]
async fn a_rate_limit_is_waited_out_as_the_server_says() {
    let limit = |seconds: &str| Said::Answer(429, vec![("retry-after", seconds.to_owned())], String::new());
    let endpoint = Endpoint::always(limit("2")).await;
    let (_shop, went) = run(&endpoint.base_url, ", outage_budget: 3s").await;
    assert_eq!((went.status.as_str(), went.failure_kinds()), ("needs_review", vec!["rate_limited"; RUNS]), "{went:?}");
    assert_eq!(endpoint.questions().len(), RUNS * 2, "once more after two seconds, and four are too many");

    let endpoint = Endpoint::always(limit("3600")).await;
    let (_shop, went) = run(&endpoint.base_url, "").await;
    assert_eq!(went.status, "needs_review");
    assert_eq!(went.failures[0]["failure"], json!({"kind": "rate_limited", "retry_after_ms": 3_600_000}), "{went:?}");
    assert_eq!(endpoint.questions().len(), RUNS, "nobody asks before the hour is over");
}

#[tokio::test]
async fn a_silent_server_ends_as_a_timeout() {
    let endpoint = Endpoint::always(Said::Silence).await;
    let (_shop, went) = run(&endpoint.base_url, ", request_timeout: 100ms, outage_budget: 0s").await;
    assert_eq!((went.status.as_str(), went.failure_kinds()), ("error", vec!["llm_timeout"; RUNS]), "{went:?}");
    assert_eq!(went.failures[0]["failure"]["after_ms"], 100);
    assert_eq!(endpoint.questions().len(), RUNS);
}

#[tokio::test]
async fn a_refused_connection_ends_as_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let (_shop, went) = run(&base_url, IMPATIENT).await;
    assert_eq!((went.status.as_str(), went.failure_kinds()), ("error", vec!["unavailable"; RUNS]), "{went:?}");
    assert_eq!(went.asked_again(), RUNS * (TRIES - 1), "{went:?}");
}

#[tokio::test]
async fn a_wrong_configuration_is_said_at_once() {
    let endpoint = Endpoint::always(Said::error(401, "who are you")).await;
    let (shop, went) = run(&endpoint.base_url, "").await;
    assert_eq!((went.status.as_str(), went.failure_kinds()), ("error", vec!["llm_config"]), "{went:?}");
    assert_eq!(endpoint.questions().len(), 1);

    let file = shop.path("provost.yaml");
    let config = std::fs::read_to_string(&file).unwrap();
    for (instead, part) in [("\"\"", "the text is empty"), ("nonsense", "`base_url` is not an address")] {
        std::fs::write(&file, config.replace(&format!("\"{}\"", endpoint.base_url), instead)).unwrap();
        let refused = shop.last(&["run", "incident", "--input", &shop.alert()]).await;
        assert!(refused["error"].as_str().unwrap().contains(part), "{refused}");
    }
    assert_eq!(shop.last(&["sessions", "list"]).await.as_array().unwrap().len(), 1, "nothing was opened");
}

#[tokio::test]
async fn nonsense_is_never_an_outcome() {
    const ENVELOPE: &str = r#"{"content": "all is well", "confidence": 7, "rationale": "", "signal": "recovered"}"#;
    const CLAIM: &str = r#"{"summary": "fixed", "confidence": 1.0, "rationale": "trust me"}"#;
    let kinds: [fn(usize) -> Said; 5] = [
        |_| Said::text("Lorem ipsum dolor sit amet, resolved resolved resolved."),
        |_| Said::text(ENVELOPE),
        |n| {
            Said::calls(&[("no__such_tool", "{}"), ("metrics__scrape", &format!("{{\"series\": [\"{n}\"")), ("", "[]")])
        },
        |_| Said::calls(&[("mark_resolved", CLAIM), ("mark_escalated", CLAIM)]),
        |n| Said::calls(&[("finish_turn", ENVELOPE), ("service__rollback", &format!("{{\"n\": {n}}}"))]),
    ];
    for nonsense in kinds {
        let endpoint = Endpoint::start(move |n, _| nonsense(n)).await;
        let (shop, went) = run(&endpoint.base_url, "").await;
        assert!(["error", "needs_review"].contains(&went.status.as_str()), "{went:?}");
        assert_eq!(shop.witness(), (0, 0));
    }
}
