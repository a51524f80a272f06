//! Replies as models write them, through whole sessions: what has one reading is taken, what has none is sent back once, and
//! no confidence is made up.

use provost_domain::event::{Event, EventBody};
use provost_domain::ids::SessionId;
use provost_tests::house::House;
use serde_json::{Value, json};

/// The first agent's envelope and where it led: confidence, signal, and whether a route named it.
async fn first_turn(house: &House, session: SessionId) -> Option<(f64, Option<String>, bool)> {
    let log = house.log(session).await;
    let finished = log.iter().find_map(|event| match &event.body {
        EventBody::AgentFinished(finished) => Some(finished.envelope.clone()),
        _ => None,
    })?;
    let matched = log.iter().find_map(|event| match &event.body {
        EventBody::RouteDecided(route) => Some(route.matched),
        _ => None,
    });
    Some((finished.confidence.get(), finished.signal, matched?))
}

fn count(log: &[Event], kind: &str) -> usize {
    log.iter().filter(|event| event.body.kind() == kind).count()
}

#[tokio::test]
async fn a_turn_ends_in_any_form_with_one_reading() {
    let markdown = |confidence: &str, signal: &str| {
        format!("## Response\nThe queue is full.\n\n## Confidence\n{confidence}\n\n## Signal\n{signal}")
    };
    for (text, confidence, signal, matched) in [
        (markdown("0.62 — two readings agree", "close"), 0.62, Some("close"), true),
        (markdown("62 % – two readings agree", "**Close** — it is full"), 0.62, Some("close"), true),
        (markdown("0,62", "close."), 0.62, Some("close"), true),
        (markdown("0.62", "not close"), 0.62, None, false),
        (markdown("0.62", "close or watch"), 0.62, None, false),
        (markdown("0.62", "none"), 0.62, None, false),
        (format!("<think>\n{}\n</think>\n{}", markdown("0.9", "watch"), markdown("0.62", "close")), 0.62, Some("close"), true),
        (format!("{}\n</think>\n{}", markdown("0.9", "watch"), markdown("0.62", "close")), 0.62, Some("close"), true),
        ("I say: {\"content\": \"full\", \"confidence\": \"0.62\", \"signal\": \"close\"}".to_owned(), 0.62, Some("close"), true),
        (
            "<tool_call>{\"name\": \"finish_turn\", \"arguments\": {\"content\": \"full\", \"confidence\": 0.62, \"rationale\": \"r\", \"signal\": \"Close\"}}</tool_call>".to_owned(),
            0.62,
            Some("close"),
            true,
        ),
    ] {
        let house = House::open().await;
        let session = house.session("staging").await;
        house.model.text(&text);
        house.model.asked_times(2).await;
        let read = first_turn(&house, session).await;
        assert_eq!(read, Some((confidence, signal.map(str::to_owned), matched)), "{text}");
        assert_eq!(house.count(session, "repair_requested").await, 0, "{text}");
    }
}

#[tokio::test]
async fn what_has_no_reading_is_sent_back_once_and_no_number_is_made_up() {
    for text in [
        "",
        "The queue is full. I am about 85% confident.",
        "## Response\nfull\n\n## Confidence\nHigh — two readings agree\n\n## Signal\nclose",
        "## Response\nfull\n\n## Confidence\n0.6 – 0.8\n\n## Signal\nclose",
        "{\"content\": \"full\", \"confidence\": 85}",
        "{\"content\": \"\", \"confidence\": 0.9}",
        "<tool_call>{\"name\": \"read__gauge\", \"arguments\": {oops</tool_call>",
    ] {
        let house = House::open().await;
        let session = house.session("staging").await;
        house.model.text(text);
        house.model.text(text);
        house.rest(session).await;
        let log = house.log(session).await;
        assert_eq!((count(&log, "repair_requested"), count(&log, "agent_failed")), (1, 1), "{text}");
        assert_eq!(count(&log, "confidence_emitted"), 0, "{text}");
        let asked = house.model.asked().await;
        let last = serde_json::to_string(asked[1].messages.last().unwrap()).unwrap();
        assert!(last.contains("could not be read"), "{last}");
    }
}

#[tokio::test]
async fn calls_are_made_as_they_were_meant() {
    let args = json!({"service": "shop", "n": 7});
    let twice = json!(json!({"service": "shop", "n": "7.0"}).to_string()).to_string();
    let house = House::open().await;
    house.session("staging").await;
    let forms: [(&str, Value); 5] = [
        ("read:gauge", args.clone()),
        ("functions.read__gauge", json!({"service": "shop", "n": 7.0})),
        ("read__gauge<|channel|>commentary", json!({"arguments": {"service": "shop", "n": "7"}})),
        ("read__gauge", Value::String(format!("```json\n{args}\n```"))),
        ("Read.Gauge", Value::String(twice)),
    ];
    house.model.calls(&forms);
    house.model.text("<tool_call>\n{\"name\": \"read__gauge\", \"arguments\": {\"service\": \"shop\", \"n\": 7, \"team\": null}}\n</tool_call>");
    house.model.asked_times(3).await;
    let arrived = house.tools.gauge.arrived();
    assert_eq!(arrived.len(), 6, "{arrived:?}");
    for call in &arrived {
        assert_eq!((&call.args["n"], &call.args["service"]), (&json!(7), &json!("shop")), "{call:?}");
    }
}

#[tokio::test]
async fn a_claim_is_read_by_its_schema_too() {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.model.finish("close", 0.9);
    house.model.calls(&[("read__gauge", json!({}))]);
    house.model.asked_times(3).await;
    let log = house.log(session).await;
    let seq = log.iter().find(|event| event.body.kind() == "tool_returned").unwrap().seq;
    let evidence = json!([format!("{session}/{seq}")]).to_string();
    let claim = json!({"summary": "fixed", "confidence": "0.9", "rationale": "seen", "evidence": evidence});
    house.model.calls(&[("Mark_Resolved", claim)]);
    house.until(session, "resolved").await;
}
