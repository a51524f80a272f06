//! What goes otherwise than a scenario says is told, the first of it, at its line.

use crate::support::{change, copied, failed, played};

const FILE: &str = "tests/rolled-back.yaml";

/// Plays the scenario with one change and compares what is told.
#[track_caller]
fn check(from: &str, to: &str, expect: &str) {
    let folder = copied("skills/incident", &["rolled-back.yaml"]);
    change(folder.path(), FILE, from, to);
    let told = failed(&played(folder.path()));
    assert!(told.len() == 1 && told[0].starts_with(expect), "expected {expect}, found {told:#?}");
}

#[test]
fn another_end_another_count_another_value() {
    check("outcome: resolved", "outcome: escalated", "rolled-back.yaml:13: the session ended as `resolved`");
    check(
        "\"service:restart\": 0",
        "\"service:restart\": 2",
        "rolled-back.yaml:14: `service:restart` was called 0 time(s), and not 2",
    );
    check("\"critical\"'", "\"high\"'", "rolled-back.yaml:15: `fields.severity == \"high\"` does not hold at the end");
    check(
        "[approval_requested, approval_decided",
        "[approval_decided, approval_requested",
        "rolled-back.yaml:16: `approval_requested` happens, but not after",
    );
    check(
        "[approval_requested",
        "[approval_expired, approval_requested",
        "rolled-back.yaml:16: `approval_expired` never happens",
    );
}

#[test]
fn a_call_without_an_answer_fails_the_scenario() {
    check(
        "  \"logs:tail\": [{give: {lines: [\"error: checkout failed in 2.4.1\"]}}]\n",
        "",
        "rolled-back.yaml:1: a call of `logs:tail` has no answer: {",
    );
    check(
        "[{give: {version: 2.4.0}}]",
        "[{after: \"service:restart\", give: {version: 2.4.0}}]",
        "rolled-back.yaml:10: a call of `service:rollback` has no answer",
    );
}

#[test]
fn a_question_to_a_model_without_an_answer_fails_the_scenario() {
    let folder = copied("skills/incident", &["asked.yaml"]);
    change(folder.path(), "tests/asked.script.yaml", "agent: resolution", "agent: resolution, round: 7");
    let told = failed(&played(folder.path()));
    assert!(told[0].starts_with("asked.yaml:3: no script rule matches agent `resolution` in round 1"), "{told:?}");
}

#[test]
fn people_are_asked_and_answer() {
    check(
        "people: [{asked: \"service:rollback\", as: bea, answer: approve}]\n",
        "",
        "rolled-back.yaml:1: nobody under `people` answers: the session asks whether `service:rollback` may run",
    );
    check(
        "answer: approve}]",
        "answer: approve}, {asked: triage, as: bea, answer: stop, text: no}]",
        "rolled-back.yaml:11: `bea` was never asked about `triage`",
    );
    check(
        "answer: approve}",
        "answer: happened}",
        "rolled-back.yaml:11: `bea` was asked whether `service:rollback` may run, which this does not answer",
    );
    check(
        "as: bea, answer: approve",
        "as: bea, answer: edit, args: {nothing: 1}",
        "rolled-back.yaml:11: the answer of `bea` was refused",
    );
}

/// Time passes by itself, also the half hour that an approval is left open.
#[test]
fn an_approval_that_nobody_answers_expires() {
    let folder = copied("skills/incident", &["refused.yaml"]);
    change(folder.path(), "tests/refused.yaml", "answer: reject, text: not during the sale", "answer: nothing");
    let result = played(folder.path());
    assert_eq!(failed(&result), [] as [String; 0]);
    assert!(result.playbacks[0].lasted.as_secs() >= 1800, "{:?}", result.playbacks[0].lasted);
    assert!(
        result.playbacks[0].story.iter().any(|line| line.contains("Nobody answered in time")),
        "{:#?}",
        result.playbacks[0].story
    );
}

#[test]
fn a_session_may_be_expected_to_wait() {
    let folder = copied("skills/incident", &["refused.yaml"]);
    change(
        folder.path(),
        "tests/refused.yaml",
        "people: [{asked: \"service:rollback\", as: bea, answer: reject, text: not during the sale}]\n",
        "",
    );
    change(folder.path(), "tests/refused.yaml", "outcome: escalated", "outcome: awaiting_input");
    change(folder.path(), "tests/refused.yaml", "\"notify:oncall\": 1", "\"notify:oncall\": 0");
    assert_eq!(failed(&played(folder.path())), [] as [String; 0]);
}

/// A call whose answer was lost is settled by a person.
#[test]
fn a_call_in_doubt_is_settled() {
    let folder = copied("skills/incident", &["rolled-back.yaml"]);
    change(folder.path(), FILE, "[{give: {version: 2.4.0}}]", "[{fail: {timeout: true}}]");
    let told = failed(&played(folder.path()));
    assert!(told[0].contains("the session asks whether a call of `service:rollback` happened"), "{told:?}");
    change(
        folder.path(),
        FILE,
        "answer: approve}]",
        "answer: approve}, {asked: \"service:rollback\", as: bea, answer: did_not_happen}]",
    );
    change(
        folder.path(),
        FILE,
        "  \"service:rollback\"",
        "  \"notify:oncall\": [{give: {sent: true}}]\n  \"service:rollback\"",
    );
    change(folder.path(), FILE, "outcome: resolved", "outcome: escalated");
    change(folder.path(), FILE, "\"notify:oncall\": 0", "\"notify:oncall\": 1");
    change(folder.path(), FILE, "'reports.watcher.signal == \"recovered\"', ", "");
    change(folder.path(), FILE, "tool_returned, watch_polled, ", "outcome_unknown, outcome_settled, ");
    assert_eq!(failed(&played(folder.path())), [] as [String; 0]);
}
