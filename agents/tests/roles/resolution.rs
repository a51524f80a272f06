//! The step against the cause.

use serde_json::json;

use crate::Play;

#[tokio::test]
async fn a_step_that_was_not_tried_may_be_reported_without_a_call() {
    Play::takes("closer", json!({"step": "a restart", "outcome": "not_tried", "left": "ask the owner"})).await;
}

/// Red without the role's check.
#[tokio::test]
async fn a_step_is_not_done_by_saying_so() {
    Play::refuses("closer", json!({"step": "a restart", "outcome": "done"}), "no tool was called").await;
}

#[tokio::test]
async fn a_step_that_was_made_is_done() {
    let play = Play::of("closer").await;
    play.model.calls(&[("act__safe", json!({}))]);
    play.model.report(&json!({"step": "a restart", "outcome": "done"}));
    play.until("needs_review").await;
}

#[tokio::test]
async fn an_outcome_of_another_word_is_sent_back() {
    Play::refuses("closer", json!({"step": "a restart", "outcome": "great"}), "report/outcome").await;
}
