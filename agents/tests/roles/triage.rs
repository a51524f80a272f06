//! The first look.

use serde_json::json;

use crate::Play;

#[tokio::test]
async fn it_says_whether_the_trouble_is_real_and_where_it_hurts() {
    Play::takes("first", json!({"real": false, "scope": "nothing any more"})).await;
}

#[tokio::test]
async fn a_report_that_misses_its_form_is_sent_back_with_the_place() {
    Play::refuses("first", json!({"real": "yes", "scope": "the shop"}), "report/real").await;
}

/// Red without the role's check.
#[tokio::test]
async fn a_scope_in_no_words_is_sent_back() {
    Play::refuses("first", json!({"real": true, "scope": "  "}), "`scope` is blank").await;
}

#[tokio::test]
async fn evidence_that_is_not_there_is_sent_back() {
    let report = json!({"real": true, "scope": "the shop", "evidence": ["ses_0/1"]});
    Play::refuses("first", report, "`ses_0/1` is not the id of a tool result of this session").await;
}

/// The finishing tool carries the role's report and the signals of the agent's own routes.
#[tokio::test]
async fn the_model_is_offered_the_form_of_the_report_and_its_own_signals() {
    let play = Play::of("first").await;
    let asked = play.model.asked_times(1).await;
    let finish = asked[0].tools.iter().find(|tool| tool.name == "finish_turn").unwrap();
    assert_eq!(finish.schema.pointer("/properties/report/required"), Some(&json!(["real", "scope"])));
    assert_eq!(finish.schema.pointer("/properties/signal/enum"), Some(&json!(["operator", "watch", "close"])));
    assert_eq!(finish.schema["required"], json!(["content", "confidence", "rationale", "report"]));
}
