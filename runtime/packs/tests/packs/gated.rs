//! What the gate would have a person asked about where nobody is asked, and gates that a model could step around, do not
//! load.

use crate::support::{change, check, copied};

const PACK: &str = "pack.yaml";
/// A rule of the shipped pack that others are written before.
const RULE: &str = "    - {tool: \"service:rollback\", risk: high}";

/// The shipped pack with one more gate rule, and where its mistake is expected: a text in a file that is marked.
#[track_caller]
fn check_rule(rule: &str, expect: Option<(&str, &str, &str)>) {
    let folder = copied();
    change(folder.path(), PACK, RULE, &format!("{RULE}\n    - {rule}"));
    let Some((file, at, part)) = expect else {
        check(folder.path()).unwrap();
        return;
    };
    let place = change(folder.path(), file, at, &at.replacen('"', "¦\"", 1));
    let errors = check(folder.path()).unwrap_err();
    let [error] = errors.0.as_slice() else { panic!("not one error: {errors}") };
    assert_eq!((error.line, error.column), place, "{errors}");
    assert!(error.file.ends_with(file) && error.message.contains(part), "{errors}");
}

#[test]
fn an_effect_that_is_always_denied_is_refused() {
    let at = "effect: \"notify:oncall\"";
    check_rule("{tool: \"notify:*\", action: deny}", Some((PACK, at, "denies every call of `notify:oncall`")));
    check_rule("{tool: \"notify:*\", environment: [staging], action: deny}", None);
    check_rule("{tool: \"notify:*\", action: approve}", None);
}

#[test]
fn a_measurement_that_would_wait_is_refused() {
    let watcher = ("agents/watcher/agent.yaml", "tool: \"metrics:scrape\"");
    let expect = |part| Some((watcher.0, watcher.1, part));
    check_rule("{tool: \"metrics:*\", action: approve}", expect("a person asked before each measurement"));
    check_rule("{tool: \"metrics:*\", risk: high}", expect("a person asked before each measurement"));
    check_rule("{tool: \"metrics:*\", environment: [staging], action: deny}", expect("denies `metrics:scrape`"));
    check_rule("{tool: \"metrics:*\", action: notify}", None);
}

/// Whoever writes the environment chooses the gate.
#[test]
fn what_a_model_may_patch_is_not_injected() {
    for field in ["environment", "service"] {
        let folder = copied();
        change(folder.path(), PACK, "fields: [severity, summary]", &format!("fields: [severity, summary, {field}]"));
        let source = format!("{field}: fields.{field}");
        let place = change(folder.path(), PACK, &source, &format!("{field}: ¦fields.{field}"));
        let errors = check(folder.path()).unwrap_err();
        let [error] = errors.0.as_slice() else { panic!("not one error: {errors}") };
        assert_eq!((error.line, error.column), place, "{errors}");
        assert!(error.message.contains("lets a model change the field"), "{errors}");
    }
}

#[test]
fn a_gate_by_an_environment_that_the_model_writes_is_refused() {
    let rule = "tool: \"service:restart\", environment: [production], action: approve";
    let check_rule = |instead: &str, refused: bool| {
        let folder = copied();
        change(folder.path(), PACK, "environment: fields.environment, service:", "service:");
        let place = change(folder.path(), PACK, rule, instead);
        let errors = check(folder.path()).err().map(|errors| errors.0).unwrap_or_default();
        assert_eq!(errors.len(), usize::from(refused), "{errors:#?} for {instead}");
        for error in errors {
            assert_eq!((error.line, error.column), place, "{error}");
            assert!(error.message.contains("which the model would write"), "{error}");
        }
    };
    check_rule("tool: ¦\"service:restart\", environment: [production], action: approve", true);
    check_rule("tool: ¦\"service:*\", environment: [staging], risk: high", true);
    check_rule("tool: ¦\"service:restart\", environment: [production], action: deny", true);
    check_rule("tool: \"service:restart\", environment: [production], action: notify", false);
    check_rule("tool: \"service:restart\", action: approve", false);
    // Both are asked about everywhere, so the rule adds nothing that could be stepped around.
    check_rule("tool: \"service:rollback\", environment: [production], action: approve", false);
}
