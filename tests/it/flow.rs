//! A case from its opening to an outcome.

use std::time::Duration;

use provost_domain::ids::Seq;
use provost_tests::house::House;
use serde_json::json;

#[tokio::test]
async fn a_case_runs_to_its_outcome_through_a_verified_claim() {
    let house = House::open().await;
    let (model, session) = (&house.model, house.session("staging").await);
    model.calls(&[("read__gauge", json!({"service": "shop"}))]);
    model.finish("default", 0.9);
    model.calls(&[("note_finding", json!({"what": "a bad release"}))]);
    model.finish("default", 0.8);
    let evidence = format!("{session}/8");
    model.calls(&[(
        "mark_resolved",
        json!({"summary": "fixed", "confidence": 0.9, "rationale": "seen", "evidence": [evidence]}),
    )]);
    let folded = house.until(session, "resolved").await;
    assert_eq!(folded.status_reason(), "fixed");
    let kinds = house.kinds(session).await;
    assert_eq!(kinds.get(7), Some(&"tool_returned"), "{kinds:?}");
    assert_eq!(kinds.last(), Some(&"status_changed"));
    assert_eq!(house.count(session, "agent_finished").await, 3);
    let asked = model.asked().await;
    assert!(asked.iter().all(|request| provost_domain::request::is_valid_history(&request.messages)));
    let first = serde_json::to_string(&asked.first().unwrap().messages).unwrap();
    assert!(first.contains("it hurts"), "the model sees the case: {first}");
    assert!(!asked.first().unwrap().tools.iter().any(|tool| tool.schema["properties"]["environment"].is_object()));
}

/// Red if each result got an append of its own although all are there at one time.
#[tokio::test]
async fn results_that_are_there_at_one_time_are_recorded_together() {
    let house = House::open().await;
    let (model, session) = (&house.model, house.session("staging").await);
    model.calls(&[("read__gauge", json!({"service": "a"})), ("read__gauge", json!({"service": "b"}))]);
    model.asked_times(2).await;
    let records = house.engine.reads().records(session, Seq(0), u32::MAX).await.unwrap();
    let returned: Vec<_> = records.iter().filter(|record| record.header.kinds.contains("tool_returned")).collect();
    let kinds: Vec<_> = returned.iter().map(|record| record.header.kinds.as_str()).collect();
    assert_eq!(kinds, ["tool_returned,tool_returned,model_requested"]);
}

#[tokio::test]
async fn a_claim_without_real_evidence_is_refused_and_the_model_can_repair() {
    let house = House::open().await;
    let (model, session) = (&house.model, house.session("staging").await);
    model.finish("close", 0.9);
    for evidence in ["nonsense".to_owned(), format!("{session}/999"), format!("{session}/2")] {
        model.calls(&[(
            "mark_resolved",
            json!({"summary": "s", "confidence": 1, "rationale": "r", "evidence": [evidence]}),
        )]);
    }
    model.calls(&[("mark_resolved", json!({"summary": "s", "confidence": 1, "rationale": "r", "status": "resolved"}))]);
    model.finish("default", 0.9);
    let folded = house.until(session, "needs_review").await;
    assert_eq!(house.count(session, "claim_refused").await, 4);
    assert!(folded.status_reason().contains("without a terminal claim"), "{}", folded.status_reason());
}

#[tokio::test]
async fn escalating_notifies_before_the_status_moves_and_only_a_rostered_team() {
    let house = House::open().await;
    let (model, session) = (&house.model, house.session("staging").await);
    model.finish("close", 0.9);
    model.calls(&[("mark_escalated", json!({"team": "nobody", "reason": "r", "confidence": 0.5, "rationale": "x"}))]);
    model.calls(&[("mark_escalated", json!({"team": "red", "reason": "r", "confidence": 0.5, "rationale": "x"}))]);
    house.until(session, "escalated").await;
    let arrived = house.tools.notify.arrived();
    assert_eq!(arrived.iter().map(|call| call.args["team"].clone()).collect::<Vec<_>>(), [json!("red")]);
    assert_eq!(house.count(session, "claim_refused").await, 1);
}

#[tokio::test]
async fn the_watcher_measures_and_its_signal_routes() {
    let house = House::open().await;
    let (model, session) = (&house.model, house.session("staging").await);
    model.finish("watch", 0.9);
    model.asked_times(2).await;
    let folded = house.folded(session).await;
    let report = folded.reports().get("gauge").unwrap();
    assert_eq!(report.signal.as_deref(), Some("recovered"));
    assert_eq!(house.tools.gauge.arrived().len(), 2);
    assert_eq!(house.tools.gauge.arrived().first().unwrap().args["service"], "shop");
}

#[tokio::test]
async fn a_turn_without_an_envelope_is_repaired_once_and_then_fails_typed() {
    let house = House::open().await;
    let (model, session) = (&house.model, house.session("staging").await);
    model.text("all good, trust me");
    model.text("really, it is fine");
    let folded = house.until(session, "error").await;
    assert!(folded.status_reason().contains("envelope"), "{}", folded.status_reason());
    assert_eq!(house.count(session, "repair_requested").await, 1);
    assert_eq!(house.count(session, "confidence_emitted").await, 0);
}

#[tokio::test]
async fn the_same_call_over_and_over_ends_the_turn() {
    let house = House::open().await;
    let (model, session) = (&house.model, house.session("staging").await);
    for _ in 0..20 {
        model.calls(&[("read__gauge", json!({"n": 1}))]);
    }
    let folded = house.until(session, "needs_review").await;
    assert!(folded.status_reason().contains("no_progress"), "{}", folded.status_reason());
    assert_eq!(house.tools.gauge.arrived().len(), 3);
}

#[tokio::test]
async fn a_patch_normalises_aliases_and_refuses_status_and_unknown_keys() {
    let house = House::open().await;
    let (model, session) = (&house.model, house.session("staging").await);
    model.calls(&[
        ("update_case", json!({"level": "SEV1"})),
        ("update_case", json!({"status": "resolved"})),
        ("update_case", json!({"level": "enormous"})),
    ]);
    model.asked_times(2).await;
    let folded = house.folded(session).await;
    assert_eq!(folded.fields()["level"], "high");
    assert_eq!(house.count(session, "tool_refused").await, 2);
    assert_eq!(folded.status().as_str(), "in_progress");
}

/// In virtual time. Red when the question may take the agent's whole patience.
#[tokio::test(start_paused = true)]
async fn a_model_that_never_answers_is_a_timeout_before_it_is_silence() {
    let mut pack = provost_tests::pack::pack();
    let first = pack.agents.values_mut().find(|agent| agent.name.as_str() == "first").unwrap();
    first.deadline = Duration::from_secs(10);
    let house = House::with(pack).await;
    let session = house.session("staging").await;
    let folded = house.until(session, "error").await;
    assert!(folded.status_reason().contains("9000 ms"), "{}", folded.status_reason());
    assert_eq!(house.count(session, "model_failed").await, 1);
    assert_eq!(house.count(session, "assignment_redispatched").await, 0);
}
