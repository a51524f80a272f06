//! The ancestor's defects, each as a test that says it is gone. Every comment names the line of code whose removal brings
//! the defect back.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use provost_domain::command::{Answer, Ask};
use provost_domain::event::ApprovalState;
use provost_domain::event::EventBody;
use provost_domain::ids::{ApprovalId, SessionId};
use provost_domain::model::Message;
use provost_domain::port::SessionFilter;
use provost_domain::request::is_valid_history;
use provost_domain::status::Status;
use provost_store::SqliteStore;
use provost_tests::binary;
use provost_tests::eventually::eventually;
use provost_tests::house::House;
use provost_tests::shop::Shop;
use provost_tests::tools::Behaviour;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::approvals::{refused, waiting};

fn escalate() -> (&'static str, Value) {
    ("mark_escalated", json!({"team": "red", "reason": "r", "confidence": 0.5, "rationale": "x"}))
}

/// What the model was told last, as JSON text.
async fn last_told(house: &House, times: usize) -> String {
    let asked = house.model.asked_times(times).await;
    serde_json::to_string(&asked.last().unwrap().messages).unwrap()
}

/// Red without the section `Case` in `briefing::write`, or the first message of `request::build`.
#[tokio::test]
async fn the_model_never_saw_the_incident_text() {
    let house = House::open().await;
    house.session("staging").await;
    let asked = house.model.asked_times(1).await;
    let Some(Message::User { text }) = asked.first().unwrap().messages.first() else { panic!("{asked:?}") };
    assert!(text.contains("it hurts"), "{text}");
}

/// Red without the fold in `State::loaded`, or `call::intend_approved` in `answer::approve`.
#[tokio::test]
async fn resume_failed() {
    for _ in 0..10 {
        let (house, session, approval) = waiting().await;
        let house = house.crash().await;
        house.answer(session, &approval, Answer::Approve).await.unwrap();
        let asked = house.model.asked_times(1).await;
        assert!(is_valid_history(&asked.first().unwrap().messages));
        house.model.calls(&[escalate()]);
        house.until(session, "escalated").await;
        assert_eq!(house.tools.danger.arrived().len(), 1);
    }
}

/// Red when `answer::decide` takes an id that is not in `Session::approvals`.
#[tokio::test]
async fn an_approval_with_a_made_up_id_ran_the_gated_tool() {
    let (house, session, approval) = waiting().await;
    refused(house.answer(session, &ApprovalId::new("apr_made_up"), Answer::Approve).await, "approval_unknown");
    assert!(house.folded(session).await.approvals().contains_key(&approval));
    assert_eq!(house.count(session, "tool_intended").await, 0);
    assert_eq!(house.tools.danger.arrived().len(), 0);
}

/// Red without `stop::abandon` in `stop::decide`.
#[tokio::test]
async fn a_stopped_session_could_be_approved_and_became_resolved() {
    let (house, session, approval) = waiting().await;
    house.ask(session, "boss", Ask::Stop { reason: "enough".to_owned() }).await.unwrap();
    refused(house.answer(session, &approval, Answer::Approve).await, "approval_already_decided");
    let folded = house.folded(session).await;
    assert_eq!((folded.status().as_str(), folded.status_reason()), ("stopped", "enough"));
    assert_eq!(house.reads().approval(&approval).await.unwrap().state, ApprovalState::Cancelled);
    assert_eq!(house.tools.danger.arrived().len(), 0);
}

/// Red when `Session::apply` leaves an approval pending on `ApprovalDecided`.
#[tokio::test]
async fn approve_and_reject_in_parallel_were_both_accepted() {
    for _ in 0..20 {
        let (house, session, approval) = waiting().await;
        let reject = Answer::Reject { reason: "no".to_owned() };
        let (yes, no) =
            tokio::join!(house.answer(session, &approval, Answer::Approve), house.answer(session, &approval, reject));
        let yes_won = yes.is_ok();
        refused(if yes_won { no } else { yes }, "approval_already_decided");
        house.model.asked_times(3).await;
        assert_eq!(house.count(session, "approval_decided").await, 1);
        assert_eq!(house.tools.danger.arrived().len(), usize::from(yes_won));
    }
}

/// Red when `answer::decide` intends a call it was told to reject, or `Session::apply` settles it as one that worked.
#[tokio::test]
async fn a_rejected_call_also_read_executed() {
    let (house, session, approval) = waiting().await;
    house.answer(session, &approval, Answer::Reject { reason: "too risky".to_owned() }).await.unwrap();
    let asked = house.model.asked_times(3).await;
    let results = asked.last().unwrap().messages.iter().filter_map(|message| match message {
        Message::Tool { result, .. } => Some(result.to_string()),
        Message::User { .. } | Message::Assistant { .. } => None,
    });
    let told: Vec<String> = results.collect();
    assert!(matches!(&told[..], [one] if one.contains("too risky") && one.contains("rejected")), "{told:?}");
    assert_eq!(house.count(session, "tool_intended").await, 0);
    assert_eq!(house.tools.danger.arrived().len(), 0);
    assert_eq!(house.reads().approval(&approval).await.unwrap().state, ApprovalState::Rejected);
}

/// Red without `environment` among what tightens in `should_gate`, or the session's own environment in `call::gate`.
#[tokio::test]
async fn production_tightening_never_fired() {
    for (environment, waits) in [("staging", 0), ("production", 1)] {
        let house = House::open().await;
        let session = house.session(environment).await;
        house.model.finish("close", 0.9);
        house.model.calls(&[("act__safe", json!({"n": 1, "environment": "staging"}))]);
        if waits == 1 {
            house.approvals(session, 1).await;
        } else {
            house.model.asked_times(3).await;
        }
        assert_eq!(house.count(session, "approval_requested").await, waits);
        assert_eq!(house.tools.safe.arrived().len(), 1 - waits);
    }
}

/// Red without `answer::expire` in `report::tick`, or the approvals in `Session::next_timer`.
#[tokio::test]
async fn the_approval_timeout_never_fired() {
    let mut pack = provost_tests::pack::pack();
    pack.gates.approval.expires = Duration::from_millis(30);
    let house = House::with(pack).await;
    let session = house.session("staging").await;
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__unsafe", json!({"n": 1}))]);
    let told = last_told(&house, 3).await;
    assert!(told.contains("expired"), "{told}");
    assert_eq!(house.count(session, "approval_expired").await, 1);
    assert_eq!(house.tools.danger.arrived().len(), 0);
}

/// Red without `push(transition)` in `claim::conclude`.
#[tokio::test]
async fn a_successful_resolve_wrote_no_status_event() {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.model.calls(&[("read__gauge", json!({}))]);
    house.model.finish("close", 0.9);
    house.model.asked_times(3).await;
    let log = house.log(session).await;
    let seen = log.iter().find(|event| matches!(event.body, EventBody::ToolReturned(_))).unwrap().seq;
    let evidence = [format!("{session}/{seen}")];
    house.model.calls(&[(
        "mark_resolved",
        json!({"summary": "fixed", "confidence": 0.9, "rationale": "r", "evidence": evidence}),
    )]);
    house.until(session, "resolved").await;
    let log = house.log(session).await;
    let Some(EventBody::StatusChanged(changed)) = log.last().map(|event| &event.body) else { panic!("{log:?}") };
    assert_eq!(
        (changed.from_status().as_str(), changed.to_status().as_str(), changed.by().to_string().as_str()),
        ("in_progress", "resolved", "agent:closer")
    );
    assert_eq!(house.reads().session(session).await.unwrap().status.as_str(), "resolved");
}

/// Red when `Numbers::next` cuts the number to fewer digits than it has.
#[tokio::test]
async fn the_1000th_session_of_a_day_was_lost() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(&folder.path().join("provost.db")).await.unwrap();
    let house = House::on(Arc::new(store), provost_tests::pack::shared()).await;
    // Counted by handle, so that midnight may pass meanwhile.
    let mut number = 0;
    while number < 1001 {
        let opened = house.opened("staging", false).await;
        number = opened.handle.as_str().rsplit('-').next().unwrap().parse().unwrap();
        if number >= 999 {
            assert_eq!(house.reads().by_handle(&opened.handle).await, Ok(opened.id));
            assert_eq!(house.folded(opened.id).await.handle(), &opened.handle);
        }
    }
}

/// The sessions the lists show as in progress.
async fn in_progress(house: &House) -> Vec<SessionId> {
    let filter = SessionFilter { status: Some(Status::InProgress), limit: 10, ..SessionFilter::default() };
    house.reads().sessions(&filter).await.unwrap().into_iter().map(|row| row.id).collect()
}

/// Red when `State::append` leaves the status out of its `Append`, or `NodeState::carry` drops the guard.
#[tokio::test]
async fn the_live_list_was_always_empty() {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.model.asked_times(1).await;
    assert_eq!((in_progress(&house).await, house.engine.registry().len()), (vec![session], 1));
    house.ask(session, "boss", Ask::Stop { reason: "enough".to_owned() }).await.unwrap();
    assert_eq!(in_progress(&house).await, []);
}

/// Red when `flow::advance_turn` goes on while a call is `Waiting`.
#[tokio::test]
async fn two_gated_calls_in_one_message_broke_the_session() {
    for order in [[0, 1], [1, 0]] {
        let house = House::open().await;
        let session = house.session("production").await;
        house.model.finish("close", 0.9);
        house.model.calls(&[("act__unsafe", json!({"n": 1})), ("act__safe", json!({"n": 2}))]);
        let rows = house.approvals(session, 2).await;
        for index in order {
            house.answer(session, &rows.get(index).unwrap().id, Answer::Approve).await.unwrap();
        }
        let asked = house.model.asked_times(3).await;
        assert!(is_valid_history(&asked.last().unwrap().messages));
        assert_eq!((house.tools.danger.arrived().len(), house.tools.safe.arrived().len()), (1, 1));
    }
}

/// Red when `report::returned` fails the agent, or drops the outcome, of a call that failed.
#[tokio::test]
async fn any_tool_error_killed_the_session() {
    let house = House::open().await;
    house.tools.gauge.behave(Behaviour::Refuses);
    let session = house.session("staging").await;
    house.model.calls(&[("read__gauge", json!({}))]);
    let told = last_told(&house, 2).await;
    assert!(told.contains("as told"), "{told}");
    house.model.finish("close", 0.9);
    house.model.calls(&[escalate()]);
    house.until(session, "escalated").await;
}

/// Red when `place::claim` keeps a dead process's lock, or `Engine::start` does not sweep.
#[tokio::test]
async fn kill_9_orphaned_the_session() {
    let shop = Shop::start("heals-on-rollback").await;
    shop.run(&["run", "incident", "--input", &shop.alert()]).await;
    let approvals = shop.last(&["approvals", "list"]).await;
    let approve = ["approvals", "approve", approvals[0]["approval"].as_str().unwrap(), "--as", "alice"];
    let mut child = shop.command(&approve).stdout(Stdio::null()).spawn().unwrap();
    let rolled_back = || std::future::ready((shop.witness().0 == 1).then_some(()));
    eventually("the rollback", Duration::from_mins(1), rolled_back).await.unwrap();
    child.kill().await.unwrap();
    // The call may have been under way: then a person says what the shop saw.
    shop.run(&["sessions", "continue"]).await;
    let row = shop.last(&["sessions", "list"]).await[0].clone();
    let shown = shop.last(&["sessions", "show", row["handle"].as_str().unwrap()]).await;
    if let Some(call) = shown["outcomes_unknown"].as_object().and_then(|unknown| unknown.keys().next()) {
        shop.run(&[
            "sessions",
            "settle",
            row["handle"].as_str().unwrap(),
            call,
            "happened",
            "--note",
            "seen in the shop",
        ])
        .await;
    }
    assert_eq!(shop.last(&["sessions", "list"]).await[0]["status"], "resolved");
    assert_eq!(shop.witness(), (1, 0));
    assert_eq!(shop.last(&["audit", "verify"]).await["problems"], 0);
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The arguments of every `cargo run --release -- …` of the README, with the demo's folder put in.
fn documented(folder: &str) -> Vec<Vec<String>> {
    let readme = std::fs::read_to_string(workspace().join("README.md")).unwrap();
    let commands = readme.lines().filter_map(|line| line.strip_prefix("cargo run --release -- "));
    let words = |line: &str| line.split('#').next().unwrap().replace("FOLDER", folder);
    commands.map(|line| words(line).split_whitespace().map(str::to_owned).collect()).collect()
}

/// Red when the README names a command that fails, or `default-members` no longer makes `cargo run` find the program.
#[tokio::test]
async fn its_documented_start_command_failed() {
    let mut metadata = Command::new(env!("CARGO"));
    metadata.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(workspace());
    let metadata: Value = serde_json::from_slice(&metadata.output().await.unwrap().stdout).unwrap();
    let member = metadata["workspace_default_members"][0].as_str().unwrap();
    assert_eq!(metadata["workspace_default_members"].as_array().unwrap().len(), 1);
    let program = metadata["packages"].as_array().unwrap().iter().find(|package| package["id"] == member).unwrap();
    assert_eq!(program["targets"][0]["name"], "provost");

    let (temporary, mut folder) = (TempDir::new().unwrap(), "FOLDER".to_owned());
    for index in 0..documented("").len() {
        let mut command = Command::new(binary::provost().unwrap());
        command.args(&documented(&folder)[index]).env("TMPDIR", temporary.path()).kill_on_drop(true);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"yes\n").await.unwrap();
        let output = child.wait_with_output().await.unwrap();
        assert!(output.status.success(), "{:?}: {output:?}", documented(&folder)[index]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if let Some(made) = text.lines().find_map(|line| line.strip_prefix("folder ")) {
            assert!(text.contains("is resolved"), "{text}");
            made.clone_into(&mut folder);
        }
    }
    assert_ne!(folder, "FOLDER", "the README starts no demo");
}
