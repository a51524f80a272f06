//! `config check`: what it passes, `serve` starts with, and the reverse; and what it cannot know from here, it says.

use std::fs;
use std::process::Output;

use provost_tests::binary;
use provost_tests::daemon::Daemon;
use provost_tests::desk::{Desk, last_line};
use provost_tests::mutations::{MutationSettings, MutationTally, mutate};
use serde_json::Value;

/// Exit code, verdict, and the parts of that verdict with what was said of each.
fn said(output: &Output) -> (i32, String, Vec<(String, String)>) {
    let value = last_line(output);
    let verdict = value["verdict"].as_str().unwrap().to_owned();
    let part = |part: &Value| {
        let text = |key: &str| part[key].as_str().unwrap().to_owned();
        (text("verdict") == verdict).then(|| (text("part"), text("detail")))
    };
    let parts = value["parts"].as_array().unwrap().iter().filter_map(part).collect();
    (output.status.code().unwrap(), verdict, parts)
}

fn change(desk: &Desk, from: &str, to: &str) {
    let file = desk.path("provost.yaml");
    let config = fs::read_to_string(&file).unwrap();
    assert!(config.contains(from), "{config}");
    fs::write(&file, config.replacen(from, to, 1)).unwrap();
}

/// A desk whose daemon listens on a free port.
fn desk() -> Desk {
    let desk = Desk::new();
    change(&desk, "models:", "server: {listen: \"127.0.0.1:0\"}\nmodels:");
    desk
}

#[track_caller]
fn one(output: &Output, code: i32, verdict: &str, part: &str, words: &str) {
    let (found, said, parts) = said(output);
    assert_eq!((found, said.as_str()), (code, verdict), "{parts:?}");
    let [(name, detail)] = parts.as_slice() else { panic!("{parts:?}") };
    assert!(name == part && detail.contains(words), "{parts:?}");
}

#[tokio::test]
async fn a_good_configuration_is_good_and_nothing_is_written() {
    let desk = desk();
    let (code, verdict, parts) = said(&desk.run(&["config", "check"]).await);
    assert_eq!((code, verdict.as_str()), (0, "good"), "{parts:?}");
    assert!(!desk.path("provost.db").exists() && !desk.path("provost.db.lock").exists());
}

/// Red where the check reads less than `serve` starts.
#[tokio::test]
async fn what_serve_would_not_start_with_is_bad() {
    for (from, to, part, words) in [
        ("models:", "intake: {alertmanager: {pack: incidnet}}\nmodels:", "daemon", "incidnet"),
        ("models:", "log: {filter: \"a=b=c\"}\nmodels:", "log", "log.filter"),
        ("demo.script.yaml", "no.script.yaml", "models", "no.script.yaml"),
        ("provost.db", "provost.yaml/p.db", "store", "is not a folder"),
        ("provost.db", "provost.yaml", "store", "provost.yaml"),
        ("listen:", "listne:", "file", "did you mean `listen`"),
    ] {
        let desk = desk();
        change(&desk, from, to);
        one(&desk.run(&["config", "check"]).await, 1, "bad", part, words);
    }
}

#[tokio::test]
async fn a_secret_that_is_not_here_is_not_a_mistake() {
    let key = "provider: openai_compatible, base_url: \"http://127.0.0.1:9/v1\", model: m, api_key: {credential: key}";
    let desk = desk();
    change(&desk, "models:\n", &format!("models:\n  far: {{{key}}}\n"));
    one(&desk.run(&["config", "check"]).await, 3, "unchecked", "secrets", "the credential `key`");
    let desk = desk_with_token("{name: admin, role: admin, credential: admin-token}");
    one(&desk.run(&["config", "check"]).await, 3, "unchecked", "tokens", "token `admin`");
    // A mistake is one also where a secret is missing.
    change(&desk, "role: admin", "role: admni");
    one(&desk.run(&["config", "check"]).await, 1, "bad", "file", "admni");
}

fn desk_with_token(token: &str) -> Desk {
    let desk = Desk::new();
    change(&desk, "models:", &format!("server: {{listen: \"127.0.0.1:0\", tokens: [{token}]}}\nmodels:"));
    desk
}

#[tokio::test]
async fn what_others_hold_is_not_a_mistake() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let desk = Desk::new();
    let listen = taken.local_addr().unwrap();
    change(&desk, "models:", &format!("server: {{listen: \"{listen}\"}}\nmodels:"));
    one(&desk.run(&["config", "check"]).await, 3, "unchecked", "socket", &listen.to_string());

    let daemon = Daemon::start("already-healthy").await;
    change(&daemon.shop, "models:", "server: {listen: \"127.0.0.1:0\"}\nmodels:");
    one(&daemon.shop.run(&["config", "check"]).await, 3, "unchecked", "store", "is held by another process");
    let (shop, _) = daemon.stop().await;
    let (code, _, parts) = said(&shop.run(&["config", "check"]).await);
    assert_eq!(code, 0, "{parts:?}");
}

/// `cargo xtask config` does the same a thousand times.
#[tokio::test]
async fn check_and_start_agree_on_changed_configurations() {
    let settings = MutationSettings { program: binary::provost().unwrap(), seed: 9_000, count: 40, at_once: 4 };
    let MutationTally { good, bad, unchecked, wrong } = mutate(&settings).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(good > 5 && bad > 5 && good + bad + unchecked == 40, "{good} good, {bad} bad, {unchecked} unchecked");
}
