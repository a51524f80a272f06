//! What a command needs: beside a daemon a token and its address, and nothing else; and which options it takes.

use std::path::Path;
use std::process::Output;

use provost_tests::binary;
use provost_tests::daemon::Daemon;
use provost_tests::desk::{Desk, finished, last_line, piped};
use provost_tests::shop::Shop;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

/// Runs a command that knows no configuration.
async fn client(daemon: &Daemon, role: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary::provost().unwrap());
    command.args(arguments).args(["--output", "json", "--server", &daemon.url]).current_dir("/");
    piped(&mut command);
    command.env("PROVOST_TOKEN", daemon.secret(role));
    finished(command).await
}

/// A session that waits for an approval, and the approval.
async fn waiting(daemon: &Daemon) -> (String, String) {
    let session = daemon.open().await;
    daemon.until(&session, "awaiting_input").await;
    let approvals = last_line(&client(daemon, "viewer", &["approvals", "list"]).await);
    (session, approvals[0]["approval"].as_str().unwrap().to_owned())
}

fn broken_config(daemon: &Daemon) {
    let file = daemon.shop.path("provost.yaml");
    let config = std::fs::read_to_string(&file).unwrap();
    let key =
        "provider: openai_compatible, base_url: \"http://127.0.0.1:9/v1\", model: m, api_key: {env: NOT_SET_HERE}";
    let config = config.replace("models:\n", &format!("models:\n  other: {{{key}}}\n"));
    assert!(config.contains("NOT_SET_HERE"));
    std::fs::write(&file, config).unwrap();
}

/// Red when a command loads models before it knows who holds the store.
#[tokio::test]
async fn an_answer_beside_a_daemon_needs_no_model_key() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let (session, approval) = waiting(&daemon).await;
    broken_config(&daemon);
    let mut approve = daemon.shop.command(&["approvals", "approve", &approval]);
    let done = approve.env("PROVOST_TOKEN", daemon.secret("approver")).output().await.unwrap();
    assert_eq!((done.status.code(), &last_line(&done)["status"]), (Some(0), &Value::from("resolved")), "{done:?}");
    daemon.until(&session, "resolved").await;
}

/// Red for each read that opens the store although a daemon is named.
#[tokio::test]
async fn every_read_respects_the_server_that_is_named() {
    let daemon = Daemon::on(Shop::start("heals-on-rollback").await.with_intake()).await;
    let (session, approval) = waiting(&daemon).await;
    let bad = daemon.request("intake", reqwest::Method::POST, "/hooks/alertmanager").body("{}").send().await.unwrap();
    assert!(bad.status().is_client_error(), "{bad:?}");
    let bad = daemon.get("/v1/deliveries?state=bad").await;
    let delivery = bad["items"][0]["delivery"].as_str().unwrap();
    let reads: [&[&str]; 9] = [
        &["sessions", "list"],
        &["sessions", "list", "--status", "resolved", "--limit", "1"],
        &["sessions", "show", &session],
        &["sessions", "tail", &session],
        &["sessions", "report", &session],
        &["approvals", "list", "--all"],
        &["deliveries", "list", "--state", "bad"],
        &["deliveries", "show", delivery],
        &["tokens", "list"],
    ];
    for arguments in reads {
        let (there, here) = (client(&daemon, "admin", arguments).await, daemon.shop.run(arguments).await);
        assert!(there.status.success() && !there.stdout.is_empty(), "{arguments:?}: {there:?}");
        // The token of the reader was used just now.
        if arguments[0] != "tokens" {
            assert_eq!(String::from_utf8_lossy(&there.stdout), String::from_utf8_lossy(&here.stdout), "{arguments:?}");
        }
    }
    let preview = client(&daemon, "viewer", &["sessions", "retry", &session, "--preview"]).await;
    assert!(last_line(&preview)["error"].as_str().unwrap().contains("awaiting_input"), "{preview:?}");
    let rejected = client(&daemon, "approver", &["approvals", "reject", &approval, "--reason", "not now"]).await;
    assert_eq!(last_line(&rejected)["status"], "escalated", "{rejected:?}");
}

/// Red when an option is taken by a command in which it does nothing.
#[tokio::test]
async fn an_option_stands_only_where_it_acts() {
    let refused: [(&[&str], &str); 8] = [
        (&["packs", "check"], "--server"),
        (&["packs", "check"], "--store"),
        (&["config", "check"], "--as"),
        (&["audit", "verify"], "--server"),
        (&["backup", "--to", "x"], "--token-file"),
        (&["serve"], "--server"),
        (&["sessions", "list"], "--as"),
        (&["tokens", "generate"], "--config"),
    ];
    for (arguments, option) in refused {
        let mut command = Command::new(binary::provost().unwrap());
        command.args(arguments).args([option, "x"]);
        piped(&mut command);
        let output = finished(command).await;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        let refused = error.contains(&format!("unexpected argument '{option}'"));
        assert!(output.status.code() == Some(2) && refused, "{arguments:?} {option}: {error}");
    }
}

async fn provost_in(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary::provost().unwrap());
    command.args(arguments).args(["--output", "json"]).current_dir(folder);
    piped(&mut command);
    finished(command).await
}

/// Red when the store is looked for in the present folder, or a bare name has no folder.
#[tokio::test]
async fn the_store_is_relative_to_the_configuration_and_a_bare_name_works() {
    let desk = Desk::new();
    let config = std::fs::read_to_string(desk.path("provost.yaml")).unwrap();
    let store = format!("sqlite://{}", desk.path("provost.db").display());
    std::fs::write(desk.path("provost.yaml"), config.replace(&store, "sqlite://data.db")).unwrap();
    let elsewhere = tempfile::TempDir::new().unwrap();
    let minted =
        desk.command(&["tokens", "create", "a", "--role", "viewer"]).current_dir(elsewhere.path()).output().await;
    assert!(minted.unwrap().status.success());
    assert!(desk.path("data.db").is_file());
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);

    let folder = desk.path("");
    let listed = provost_in(&folder, &["tokens", "list", "--config", "provost.yaml"]).await;
    assert_eq!(last_line(&listed).as_array().unwrap().len(), 1, "{listed:?}");
    let listed = provost_in(&folder, &["tokens", "list", "--config", "provost.yaml", "--store", "data.db"]).await;
    assert_eq!(last_line(&listed).as_array().unwrap().len(), 1, "{listed:?}");
    let mut command = Command::new(binary::provost().unwrap());
    command.args(["serve", "--config", "provost.yaml", "--listen", "127.0.0.1:0", "--output", "json"]);
    piped(&mut command);
    let mut daemon = command.current_dir(&folder).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    let client = provost_http::client(None).unwrap().build().unwrap();
    let ready = client.get(format!("{}/readyz", said["listening"].as_str().unwrap())).send().await.unwrap();
    assert_eq!(ready.status(), reqwest::StatusCode::OK);
    daemon.kill().await.unwrap();
}
