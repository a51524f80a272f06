//! One mistake in a scenario, one error: with its file, its place, what is wrong and what to do.

use std::fs;

use crate::support::{copied, read};

/// Stands in a replacement where the mistake's place is expected.
const MARK: char = '¦';

/// What is replaced in the file, by what (with `¦` where the place is expected), and a part of message or hint.
#[track_caller]
fn check_all(file: &str, mistakes: &[(&str, &str, &str)]) {
    let mut wrong = Vec::new();
    for (from, to, part) in mistakes {
        let folder = copied("skills/incident", &["rolled-back.yaml"]);
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} does not hold {from}");
        let text = text.replacen(from, to, 1);
        let before = text.split_once(MARK).map_or("", |(before, _)| before);
        let line = before.matches('\n').count() as u64 + 1;
        let column = before.rsplit('\n').next().unwrap().chars().count() as u64 + 1;
        fs::write(&path, text.replace(MARK, "")).unwrap();
        let errors = read(folder.path()).err().map(|errors| errors.0).unwrap_or_default();
        let fits = match errors.as_slice() {
            [error] => {
                let told = format!("{}\n{}", error.message, error.hint);
                error.file == path && (error.line, error.column) == (line, column) && told.contains(part)
            }
            _ => false,
        };
        if !fits {
            let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
            wrong.push(format!("{to}\n  expected {line}:{column}: {part}\n  found {errors:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn of_a_scenario() {
    check_all(
        "tests/rolled-back.yaml",
        &[
            ("model: {script: demo.script.yaml}\n", "", "the key `model` is missing"),
            ("people: ", "¦pepole: []\npeople: ", "did you mean `people`?"),
            (
                "scenario: a bad release is rolled back, and the fix is measured",
                "scenario: ¦[]",
                "expected a text, found a list",
            ),
            ("case: {alertmanager:", "case: {¦alertmanger:", "no deliveries have the form `alertmanger`"),
            ("samples/checkout-5xx.json", "¦samples/checkout.json", "did you mean `samples/checkout-5xx.json`?"),
            ("{alertmanager: samples/checkout-5xx.json}", "{fields: ¦{summary: x, service: y}}", "environment"),
            ("{alertmanager: samples/checkout-5xx.json}", "¦{}", "expected a case"),
            ("checkout-5xx.json}", "checkout-5xx.json, ¦fields: {}}", "a case is opened in one way"),
            ("demo.script.yaml", "¦demo.scirpt.yaml", "did you mean `demo.script.yaml`?"),
            ("demo.script.yaml", "¦pack.yaml", "the script cannot be used"),
            ("{script: ", "{¦scrip: x, script: ", "did you mean `script`?"),
            ("\"logs:tail\": [", "¦\"logs:tial\": [", "did you mean `logs:tail`?"),
            ("\"logs:tail\": [", "¦\"mark_resolved\": [", "is a tool of the pack itself"),
            ("after: \"service:rollback\"", "after: ¦\"service:rolback\"", "did you mean `service:rollback`?"),
            (
                "[{give: {version: 2.4.0}}]",
                "[¦{give: {version: 2.4.0}, fail: {timeout: true}}]",
                "either gives or fails",
            ),
            ("[{give: {version: 2.4.0}}]", "[¦{after: \"service:restart\"}]", "the answer says nothing"),
            ("[{give: {version: 2.4.0}}]", "[{fail: {¦timeut: true}}]", "did you mean `timeout`?"),
            ("[{give: {version: 2.4.0}}]", "[{fail: {happened: ¦perhaps}}]", "`perhaps` is not known here"),
            (
                "asked: \"service:rollback\"",
                "asked: ¦\"service:rolback\"",
                "nothing of the pack asks as `service:rolback`",
            ),
            ("answer: approve", "answer: ¦aprove", "did you mean `approve`?"),
            (
                "asked: \"service:rollback\", as: bea, answer: approve",
                "asked: ¦\"service:rollback\", as: bea, answer: reject",
                "the answer has no words",
            ),
            (
                "asked: \"service:rollback\", as: bea, answer: approve",
                "asked: ¦\"service:rollback\", as: bea, answer: edit",
                "an edit needs new arguments",
            ),
            (
                "asked: \"service:rollback\", as: bea, answer: approve",
                "asked: ¦\"service:rollback\", as: bea, answer: approve, args: {}",
                "only an edit has arguments",
            ),
            (
                "people: [{asked: \"service:rollback\", as: bea,",
                "people: [¦{asked: \"service:rollback\",",
                "the key `as` is missing",
            ),
            ("outcome: resolved", "outcome: ¦resolvd", "did you mean `resolved`?"),
            ("calls: {\"service:rollback\": 1", "calls: {\"service:rollback\": ¦-1", "expected a whole number from 0"),
            ("\"service:restart\": 0", "¦\"service:restrt\": 0", "did you mean `service:restart`?"),
            ("['reports.watcher.signal", "[¦'reports.wacher.signal", "did you mean `watcher`?"),
            (
                "['reports.watcher.signal == \"recovered\"'",
                "[¦'reports.watcher.signal == \"recoverd\"'",
                "did you mean `recovered`?",
            ),
            ("events: [approval_requested", "events: [¦aproval_requested", "did you mean `approval_requested`?"),
        ],
    );
}

#[test]
fn of_the_tools_file() {
    check_all(
        "tests/tools.yaml",
        &[
            ("metrics: {endpoint", "¦metrcs: {endpoint", "did you mean `metrics`?"),
            ("{endpoint: ", "{¦endpont: x, endpoint: ", "did you mean `endpoint`?"),
        ],
    );
}

#[test]
fn an_acting_pack_without_a_scenario_is_warned_about() {
    let folder = copied("skills/incident", &["nothing.yaml"]);
    let warnings = read(folder.path()).unwrap().warnings();
    assert!(warnings.iter().any(|warning| warning.message.contains("has no scenario")), "{warnings:?}");
    let folder = copied("skills/incident", &["refused.yaml"]);
    assert_eq!(read(folder.path()).unwrap().warnings(), []);
}
