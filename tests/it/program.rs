//! The built binary as its users meet it: commands on a shop, an orderly end, and bad input.

use std::time::Duration;

use provost_tests::eventually::eventually;
use provost_tests::shop::{Shop, last_line};
use serde_json::Value;

#[tokio::test]
async fn an_alert_waits_for_approval_and_is_carried_on_by_another_process() {
    let shop = Shop::start("heals-on-rollback").await;
    let output = shop.run(&["run", "incident", "--input", &shop.alert()]).await;
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let waiting = last_line(&output);
    assert_eq!(waiting["status"], "awaiting_input");
    let approvals = shop.last(&["approvals", "list"]).await;
    let approval = approvals[0]["approval"].as_str().unwrap();
    let wrong = shop.last(&["approvals", "approve", "apr_made_up"]).await;
    assert!(wrong["error"].as_str().unwrap().contains("no approval `apr_made_up`"), "{wrong}");
    let done = shop.last(&["approvals", "approve", approval, "--as", "alice"]).await;
    assert_eq!(done["status"], "resolved", "{done}");
    let again = shop.last(&["approvals", "reject", approval]).await;
    assert!(again["error"].as_str().unwrap().contains("no longer pending"), "{again}");
    let refused = shop.last(&["sessions", "stop", waiting["handle"].as_str().unwrap()]).await;
    assert!(refused["error"].as_str().unwrap().contains("has ended as `resolved`"), "{refused}");
    assert_eq!(shop.last(&["sessions", "list"]).await[0]["status"], "resolved");
    assert_eq!(shop.last(&["audit", "verify"]).await["problems"], 0);
    assert_eq!(shop.witness(), (1, 0));
}

#[tokio::test]
async fn the_requester_may_not_approve_its_own_sessions_calls() {
    let shop = Shop::start("heals-on-rollback").await;
    shop.run(&["run", "incident", "--input", &shop.alert(), "--as", "bob"]).await;
    let approvals = shop.last(&["approvals", "list"]).await;
    let approval = approvals[0]["approval"].as_str().unwrap();
    let refused = shop.last(&["approvals", "approve", approval, "--as", "bob"]).await;
    assert!(refused["error"].as_str().unwrap().contains("may not approve"), "{refused}");
    assert_eq!(shop.witness(), (0, 0));
}

#[tokio::test]
async fn a_termination_drains_and_a_second_start_continues() {
    let shop = Shop::start("rollback-does-not-help").await;
    shop.run(&["run", "incident", "--input", &shop.alert()]).await;
    let approvals = shop.last(&["approvals", "list"]).await;
    let approve = ["approvals", "approve", approvals[0]["approval"].as_str().unwrap(), "--as", "alice"];
    let child = shop.command(&approve).spawn().unwrap();
    let pid = child.id().unwrap().to_string();
    let rolled_back = || std::future::ready((shop.witness().0 == 1).then_some(()));
    eventually("the rollback", Duration::from_secs(20), rolled_back).await.unwrap();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let output = child.wait_with_output().await.unwrap();
    assert_eq!((output.status.code(), &last_line(&output)["status"]), (Some(3), &Value::from("in_progress")));
    let done = shop.last(&["sessions", "continue"]).await;
    assert_eq!((done["status"].as_str(), shop.witness()), (Some("escalated"), (1, 1)));
    assert_eq!(shop.last(&["audit", "verify"]).await["problems"], 0);
}

#[tokio::test]
async fn bad_input_is_one_clear_error_and_nothing_is_written() {
    let shop = Shop::start("already-healthy").await;
    let input = shop.path("bad.json");
    for (content, part) in [
        (b"{".to_vec(), "form of Alertmanager's webhook"),
        (vec![0xff, 0x00, 0xfe], "form of Alertmanager's webhook"),
        (vec![b' '; 2 * 1024 * 1024], "over the limit"),
    ] {
        std::fs::write(&input, content).unwrap();
        let output = shop.run(&["run", "incident", "--input", &input.display().to_string()]).await;
        assert_eq!(output.status.code(), Some(1));
        let error = last_line(&output);
        assert!(error["error"].as_str().unwrap().contains(part), "{error}");
    }
    assert!(!shop.path("provost.db").exists());
    let missing = shop.last(&["run", "nothing", "--input", &shop.alert()]).await;
    assert!(missing["error"].as_str().unwrap().contains("no pack `nothing` is loaded"), "{missing}");
}

#[tokio::test]
async fn a_corrupt_store_is_refused_and_left_alone() {
    let shop = Shop::start("already-healthy").await;
    let garbage = vec![0x5a; 16 * 1024];
    std::fs::write(shop.path("provost.db"), &garbage).unwrap();
    for arguments in [["sessions", "list"], ["sessions", "continue"]] {
        let error = shop.last(&arguments).await;
        assert!(error["error"].as_str().unwrap().contains("damaged"), "{error}");
    }
    assert_eq!(std::fs::read(shop.path("provost.db")).unwrap(), garbage);
}
