//! Two alerts on one service: never two acts side by side, never one on a target that the other session changed without a new
//! answer.

use provost_tests::daemon::Daemon;
use provost_tests::desk::PATIENCE;
use provost_tests::eventually::eventually;
use reqwest::Method;
use serde_json::{Value, json};

use crate::intake::{alert, daemon, delivered, group};

/// How many timings there are between the two answers.
const TIMINGS: u64 = 10;
/// The changing tool of the shipped pack that waits for a person.
const TOOL: &str = "service:rollback";

/// Two alerts of two groups on one service, each a session of its own.
async fn two_alerts(daemon: &Daemon, service: &str) {
    for name in ["a", "b"] {
        let mut alert = alert(&format!("{service}-{name}"), "firing");
        alert["labels"]["service"] = json!(service);
        delivered(daemon, &group(&format!("{service}-{name}"), &[alert])).await;
    }
}

/// The approvals that wait on a service, oldest first.
async fn waiting(daemon: &Daemon, service: &str) -> Vec<Value> {
    let mut waiting = daemon.all("/v1/approvals").await;
    waiting.retain(|approval| approval["args"]["service"] == service);
    waiting.sort_by_key(|approval| approval["requested_at"].as_str().unwrap().to_owned());
    waiting
}

async fn approve(daemon: &Daemon, approval: &Value) {
    let path = format!("/v1/approvals/{}/decide", approval["approval"].as_str().unwrap());
    let answered = daemon.ask("approver", Method::POST, &path, Some(json!({"answer": "approve"}))).await;
    assert!(answered.status.is_success() || answered.status.as_u16() == 409, "{answered:?}");
}

/// A change in a session's log: when a person was asked for it last, when it began, and when its outcome was known.
#[derive(Debug)]
struct Act {
    asked: String,
    began: String,
    ended: Option<String>,
}

/// What a session did with [`TOOL`].
async fn acts(daemon: &Daemon, session: &str) -> Vec<Act> {
    let events = daemon.all(&format!("/v1/sessions/{session}/events")).await;
    let at = |event: &Value| event["at"].as_str().unwrap().to_owned();
    let of = |kind: &str, call: &Value| {
        events.iter().rev().find(|event| event["kind"] == kind && event["data"]["call"] == *call).map(at)
    };
    let intended = events.iter().filter(|event| event["kind"] == "tool_intended" && event["data"]["tool"] == TOOL);
    let act = |event: &Value| {
        let call = &event["data"]["call"];
        Act {
            asked: of("approval_requested", call).unwrap(),
            began: at(event),
            ended: of("tool_returned", call).or_else(|| of("outcome_settled", call)),
        }
    };
    intended.map(act).collect()
}

/// Says that a call may have done something: a shop that has nothing to go back to refuses, in words that leave it unknown.
async fn settle(daemon: &Daemon, session: &str, call: &str) {
    let body = json!({"call": call, "what": "happened", "note": "somebody else may have seen it"});
    let answered = daemon.ask("operator", Method::POST, &format!("/v1/sessions/{session}/settle"), Some(body)).await;
    assert!(answered.status.is_success(), "{answered:?}");
}

/// Approves whatever the sessions ask, and settles what is unknown, until they rest. How often an approval was stale.
async fn to_the_end(daemon: &Daemon, service: &str, sessions: &[String; 2]) -> usize {
    let rest = eventually("both sessions to rest", PATIENCE, || async {
        for approval in waiting(daemon, service).await {
            approve(daemon, &approval).await;
        }
        for session in sessions {
            let shown = daemon.get(&format!("/v1/sessions/{session}")).await;
            for call in shown["outcomes_unknown"].as_object().unwrap().keys() {
                let acts = &shown["acts_on"][0];
                assert_eq!((&acts["target"], &acts["call"]), (&json!(format!("production/{service}")), &json!(call)));
                settle(daemon, session, call).await;
            }
            if shown["status"] == "in_progress" {
                return None;
            }
        }
        waiting(daemon, service).await.is_empty().then_some(())
    });
    rest.await.unwrap();
    let mut stale = 0;
    for session in sessions {
        let events = daemon.all(&format!("/v1/sessions/{session}/events")).await;
        stale += events.iter().filter(|event| event["kind"] == "approval_stale").count();
    }
    stale
}

#[tokio::test]
async fn of_two_alerts_on_one_service_one_acts_at_a_time_and_the_other_asks_again() {
    let daemon = daemon("heals-on-rollback").await;
    let services: Vec<String> = (0..TIMINGS).map(|n| format!("service-{n}")).collect();
    for service in &services {
        two_alerts(&daemon, service).await;
    }
    for (timing, service) in (0..TIMINGS).zip(&services) {
        let both = eventually("both sessions to ask", PATIENCE, || async {
            let waiting = waiting(&daemon, service).await;
            (waiting.len() == 2).then_some(waiting)
        });
        let both = both.await.unwrap();
        let later = async {
            // A request takes a while: more of them are a later answer.
            for _ in 0..timing * timing {
                daemon.get("/v1/packs").await;
            }
            approve(&daemon, &both[1]).await;
        };
        tokio::join!(approve(&daemon, &both[0]), later);
        let sessions = [&both[0], &both[1]].map(|approval| approval["session"].as_str().unwrap().to_owned());
        assert!(to_the_end(&daemon, service, &sessions).await >= 1, "timing {timing}: both were let act");
        let mut all = Vec::new();
        for session in &sessions {
            all.extend(acts(&daemon, session).await);
        }
        all.sort_by(|one, other| one.began.cmp(&other.began));
        assert!(!all.is_empty(), "timing {timing}");
        for pair in all.windows(2) {
            let ended = pair[0].ended.as_ref().unwrap();
            assert!(*ended <= pair[1].asked, "timing {timing}: asked before the other's act was over: {pair:?}");
            assert!(*ended <= pair[1].began, "timing {timing}: side by side: {pair:?}");
        }
    }
}
