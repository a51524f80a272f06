//! The built binary as its users meet it: commands on a shop, and an orderly end.

use std::time::Duration;

use provost_tests::desk::last_line;
use provost_tests::eventually::eventually;
use provost_tests::shop::Shop;
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
