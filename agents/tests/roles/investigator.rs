//! The search for the cause.

use serde_json::json;

use crate::Play;

#[tokio::test]
async fn hypotheses_with_their_confidence_are_kept_as_data() {
    let hypothesis = json!({"cause": "a bad release", "confidence": 0.8, "for": [], "cause_class": "release"});
    Play::takes("second", json!({"hypotheses": [hypothesis]})).await;
}

#[tokio::test]
async fn what_is_missing_or_that_nothing_was_found_is_an_answer_too() {
    Play::takes("second", json!({"missing": "the log of the database"})).await;
    Play::takes("second", json!({"nothing_found": true})).await;
}

/// Red without the role's check.
#[tokio::test]
async fn a_report_that_says_nothing_is_sent_back() {
    for report in [json!({}), json!({"hypotheses": [], "missing": " "}), json!({"nothing_found": false})] {
        Play::refuses("second", report, "it says nothing").await;
    }
}

/// Red without the role's check.
#[tokio::test]
async fn a_result_that_speaks_for_and_against_a_cause_is_sent_back() {
    let play = Play::of("second").await;
    play.model.calls(&[("read__gauge", json!({}))]);
    let told = play.told(2).await;
    let evidence = told.split(r#""evidence":""#).nth(1).unwrap().split('"').next().unwrap().to_owned();
    let hypothesis = json!({"cause": "a bad release", "confidence": 0.8, "for": [evidence], "against": [evidence]});
    play.model.report(&json!({"hypotheses": [hypothesis]}));
    let told = play.told(3).await;
    assert!(told.contains("stands under `for` and `against`"), "{told}");
}

#[tokio::test]
async fn a_recorded_finding_says_something_already() {
    let play = Play::of("second").await;
    play.model.calls(&[("note_finding", json!({"what": "errors in the log"}))]);
    play.model.report(&json!({}));
    let session = play.until("needs_review").await;
    assert_eq!(session.reports().get("second").unwrap().report.as_deref(), Some(&json!({})));
}

#[tokio::test]
async fn a_confidence_beyond_one_is_sent_back() {
    let hypothesis = json!({"cause": "a bad release", "confidence": 8, "for": []});
    Play::refuses("second", json!({"hypotheses": [hypothesis]}), "report/hypotheses/0/confidence").await;
}

/// The next agent is briefed from the typed report.
#[tokio::test]
async fn it_is_briefed_with_the_report_of_the_one_before() {
    let play = Play::of("second").await;
    let told = play.told(1).await;
    assert!(told.contains(r#"\"report\":{\"nothing_found\":true"#), "{told}");
    assert!(told.contains("# Your assignment: second (investigator)"), "{told}");
}

/// Red where a pack's own fields are not checked.
#[tokio::test]
async fn fields_that_the_pack_adds_are_asked_for_and_checked() {
    let play = Play::with_evidence("second").await;
    play.model.report(&json!({"nothing_found": true}));
    let told = play.told(2).await;
    assert!(told.contains("is a required property"), "{told}");
    play.model.report(&json!({"nothing_found": true, "seen": "nowhere"}));
    let session = play.until("error").await;
    assert!(
        session.status_reason().contains("`nowhere` is not the id of a tool result"),
        "{}",
        session.status_reason()
    );
}
