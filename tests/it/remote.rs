//! Commands done by the daemon that holds the store: the same words, output and exit codes as without one.

use std::process::Output;

use provost_tests::daemon::Daemon;
use provost_tests::desk::last_line;
use serde_json::Value;

/// Runs a command beside the daemon as the holder of a role's token, or of none for `""`.
async fn run(daemon: &Daemon, role: &str, arguments: &[&str]) -> Output {
    let mut command = daemon.shop.command(arguments);
    if !role.is_empty() {
        command.env("PROVOST_TOKEN", daemon.secret(role));
    }
    command.output().await.unwrap()
}

fn error(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    last_line(output)["error"].as_str().unwrap().to_owned()
}

fn lines(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn an_incident_is_opened_followed_and_approved_through_the_daemon() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let opened = run(&daemon, "operator", &["run", "incident", "--input", &daemon.shop.alert()]).await;
    assert_eq!(opened.status.code(), Some(3), "{opened:?}");
    let waiting = last_line(&opened);
    assert_eq!(waiting["status"], "awaiting_input");
    let handle = waiting["handle"].as_str().unwrap();
    let tail = lines(&daemon.shop.run(&["sessions", "tail", handle]).await);
    assert_eq!(lines(&opened).split_last().unwrap().1, tail);

    let approval = daemon.shop.last(&["approvals", "list"]).await[0]["approval"].clone();
    let approve = ["approvals", "approve", approval.as_str().unwrap(), "--reason", "seen the graph"];
    let denied = error(&run(&daemon, "operator", &approve).await);
    assert!(denied.contains("the role operator may not do that"), "{denied}");
    let done = run(&daemon, "approver", &approve).await;
    assert_eq!((done.status.code(), &last_line(&done)["status"]), (Some(0), &Value::from("resolved")), "{done:?}");
    assert_eq!(daemon.shop.witness(), (1, 0));
    let events = lines(&daemon.shop.run(&["sessions", "tail", handle]).await);
    assert!(events.iter().any(|event| event["kind"] == "approval_decided"
        && event["data"]["by"] == "user:approver"
        && event["data"]["reason"] == "seen the graph"));
    // What was known before is not printed again.
    let printed = lines(&done);
    let printed = printed.split_last().unwrap().1;
    assert!(printed.len() <= events.len() - tail.len() && events.ends_with(printed), "{printed:?}");

    // The refusals are word for word those of a command that does it itself.
    let refused: [&[&str]; 7] = [
        &["sessions", "stop", handle],
        &["sessions", "retry", handle],
        &["sessions", "say", handle, "hello"],
        &["sessions", "settle", handle, "none", "happened", "--note", "seen"],
        &["sessions", "claim", handle, "mark_nothing", "--args", "{}"],
        &["sessions", "stop", "INC-none"],
        &approve,
    ];
    let mut there = Vec::new();
    for arguments in refused {
        there.push(error(&run(&daemon, "admin", arguments).await));
    }
    let followed = run(&daemon, "operator", &["sessions", "continue", handle]).await;
    let (shop, _) = daemon.stop().await;
    for (arguments, there) in refused.iter().zip(there) {
        assert_eq!(error(&shop.run(arguments).await), there, "{arguments:?}");
    }
    let here = shop.run(&["sessions", "continue", handle]).await;
    assert_eq!((here.status.code(), lines(&here)), (followed.status.code(), lines(&followed)));
}

#[tokio::test]
async fn a_held_store_says_who_holds_it_and_what_is_missing() {
    let daemon = Daemon::start("already-healthy").await;
    let command = ["sessions", "stop", "INC-none"];
    let without = error(&run(&daemon, "", &command).await);
    for part in ["held by another process", &format!("the daemon at {}", daemon.url), "PROVOST_TOKEN"] {
        assert!(without.contains(part), "{without}");
    }
    let file = daemon.shop.path("token");
    std::fs::write(&file, format!("{}\n", daemon.secret("viewer"))).unwrap();
    let file = file.display().to_string();
    let from_file = error(&run(&daemon, "", &[&command[..], &["--token-file", &file]].concat()).await);
    assert!(from_file.contains("the role viewer may not do that"), "{from_file}");
    let named = error(&run(&daemon, "operator", &[&command[..], &["--server", &daemon.url]].concat()).await);
    assert!(named.contains("no session `INC-none`"), "{named}");
    let open_net =
        error(&run(&daemon, "operator", &[&command[..], &["--server", "http://192.0.2.1:7878"]].concat()).await);
    assert!(open_net.contains("cross the network in the clear"), "{open_net}");
    let nobody = error(&run(&daemon, "", &[&command[..], &["--server", &daemon.url]].concat()).await);
    assert!(nobody.contains("`--server` needs a token"), "{nobody}");

    std::fs::remove_file(daemon.shop.path("provost.db.address")).unwrap();
    let unknown = error(&run(&daemon, "operator", &command).await);
    assert!(unknown.contains("name it with `--server URL`"), "{unknown}");
    let gone = daemon.url.clone();
    let (shop, _) = daemon.stop().await;
    let mut late = shop.command(&["sessions", "stop", "INC-none", "--server", &gone]);
    let secret = shop.last(&["tokens", "create", "late", "--role", "operator"]).await;
    let away = late.env("PROVOST_TOKEN", secret["secret"].as_str().unwrap()).output().await.unwrap();
    assert!(error(&away).contains("is it running?"), "{away:?}");
}

#[tokio::test]
async fn tokens_are_minted_and_revoked_through_the_daemon() {
    let daemon = Daemon::start("already-healthy").await;
    let create = ["tokens", "create", "bob", "--role", "viewer", "--expires", "30d"];
    let minted = last_line(&run(&daemon, "admin", &create).await);
    assert_eq!((minted["name"].as_str(), minted["role"].as_str()), (Some("bob"), Some("viewer")));
    let again = error(&run(&daemon, "admin", &create).await);
    let listed = daemon.shop.last(&["tokens", "list"]).await;
    let bob = listed.as_array().unwrap().iter().find(|token| token["token"] == minted["token"]).unwrap();
    assert_eq!(bob["by"], "user:admin");
    assert_ne!(bob["expires"], Value::Null);
    let look =
        || daemon.request("", reqwest::Method::GET, "/v1/sessions").bearer_auth(minted["secret"].as_str().unwrap());
    assert!(look().send().await.unwrap().status().is_success());

    let revoke = ["tokens", "revoke", minted["token"].as_str().unwrap()];
    assert_eq!(last_line(&run(&daemon, "admin", &revoke).await)["revoked"], true);
    assert_eq!(look().send().await.unwrap().status(), reqwest::StatusCode::UNAUTHORIZED);
    assert!(again.contains("a token named bob is in force"), "{again}");
}
