//! `provost demo`, as a newcomer runs it: one pack and one script, four patients, four different ends.

use std::path::Path;
use std::process::{Output, Stdio};

use provost_tests::binary;
use provost_tests::desk::last_line;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

/// Runs the demo and returns its last line and what the shop counted of rollbacks and notifications.
async fn demo(arguments: &[&str]) -> (Value, u64, u64) {
    let folder = TempDir::new().unwrap();
    let mut command = Command::new(binary::provost().unwrap());
    command.arg("demo").args(arguments).args(["--output", "json", "--dir"]).arg(folder.path()).stdin(Stdio::null());
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let witness = std::fs::read_to_string(folder.path().join("witness.json")).ok();
    let counts: Value = witness.map(|text| serde_json::from_str(&text).unwrap()).unwrap_or_default();
    let count = |name: &str| counts.get(name).and_then(Value::as_u64).unwrap_or(0);
    let last = last_line(&output);
    let report = folder.path().join(format!("{}.md", last["handle"].as_str().unwrap()));
    assert!(std::fs::read_to_string(report).unwrap().contains(last["status"].as_str().unwrap()));
    (last, count("rollbacks"), count("oncall"))
}

#[tokio::test]
async fn an_approved_rollback_heals_and_the_session_is_resolved() {
    let (last, rollbacks, oncall) = demo(&["--yes"]).await;
    assert_eq!((last["status"].as_str(), rollbacks, oncall), (Some("resolved"), 1, 0));
    for key in ["session", "handle", "status", "duration_ms", "approvals", "events", "tool_calls"] {
        assert!(!last[key].is_null(), "{key}: {last}");
    }
}

#[tokio::test]
async fn a_rejected_rollback_ends_escalated_and_people_are_told_once() {
    let (last, rollbacks, oncall) = demo(&["--reject"]).await;
    assert_eq!((last["status"].as_str(), rollbacks, oncall), (Some("escalated"), 0, 1));
}

#[tokio::test]
async fn a_healthy_shop_is_left_alone() {
    let (last, rollbacks, oncall) = demo(&["--yes", "--patient", "already-healthy"]).await;
    assert_eq!((last["status"].as_str(), rollbacks, oncall), (Some("resolved"), 0, 0));
    assert_eq!(last["approvals"], 0);
}

#[tokio::test]
async fn a_shop_that_does_not_heal_is_never_resolved() {
    let (last, rollbacks, oncall) = demo(&["--yes", "--patient", "rollback-does-not-help"]).await;
    assert_eq!((last["status"].as_str(), rollbacks, oncall), (Some("escalated"), 1, 1));
}

#[tokio::test]
async fn a_fix_that_fails_is_handed_to_people() {
    let (last, rollbacks, oncall) = demo(&["--yes", "--patient", "admin-failing"]).await;
    assert_eq!((last["status"].as_str(), rollbacks, oncall), (Some("escalated"), 0, 1));
}

/// Runs the demo without an answer.
async fn unanswered(folder: &Path) -> Output {
    let mut command = Command::new(binary::provost().unwrap());
    command.args(["demo", "--wait", "200ms", "--dir"]).arg(folder).stdin(Stdio::null());
    command.output().await.unwrap()
}

#[tokio::test]
async fn without_an_answer_the_session_waits() {
    let folder = TempDir::new().unwrap();
    // The second one finds what the first one wrote.
    for _ in 0..2 {
        let output = unanswered(folder.path()).await;
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("type `yes` or `no`"));
    }
}

#[tokio::test]
async fn files_of_somebody_else_are_named_and_stay_as_they_are() {
    for name in ["provost.yaml", "incident/agents/triage/SKILL.md"] {
        let folder = TempDir::new().unwrap();
        let mine = folder.path().join(name);
        std::fs::create_dir_all(mine.parent().unwrap()).unwrap();
        std::fs::write(&mine, "tools:\n  metrics: {endpoint: \"http://mine/metrics\"}\n").unwrap();
        let before = std::fs::read(&mine).unwrap();
        let output = unanswered(folder.path()).await;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(error.contains(&mine.display().to_string()) && error.contains("name another folder"), "{error}");
        assert_eq!(std::fs::read(&mine).unwrap(), before);
        let files = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, 1, "nothing was written beside it");
    }
}
