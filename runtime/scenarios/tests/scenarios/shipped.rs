//! The scenarios of the shipped packs pass, leave nothing unreached, and go red where a rule is removed.

use crate::support::{change, copied, failed, played, shipped};

const NONE: [String; 0] = [];

/// Every scenario of a pack passes, and nothing of the pack is left out.
#[track_caller]
fn passes(pack: &str) {
    let result = played(&shipped(pack));
    let failed = failed(&result);
    assert!(
        failed.is_empty(),
        "{failed:#?}\n{}",
        result.playbacks.iter().map(|one| one.story.join("\n")).collect::<String>()
    );
    let missing: Vec<String> = result.missing.iter().map(ToString::to_string).collect();
    assert_eq!(missing, NONE);
}

#[test]
fn the_incident_pack_passes_and_everything_is_reached() {
    passes("skills/incident");
}

#[test]
fn the_review_pack_passes_and_everything_is_reached() {
    passes("skills/code-review");
}

/// Each removed rule of the review pack turns a scenario red.
#[test]
fn a_removed_rule_of_the_review_turns_a_scenario_red() {
    let requires = "f.severity == \"critical\")'";
    for (file, from, to) in [
        ("pack.yaml", requires, "f.severity == \"critical\" && f.line == 0)'"),
        ("pack.yaml", "    unique: [file, line, rule]\n", ""),
        (
            "pack.yaml",
            "request_changes: changes_requested, comment: commented",
            "request_changes: commented, comment: changes_requested",
        ),
        ("pack.yaml", "effect: \"forge:post_review\" ", "#"),
        ("pack.yaml", "action: auto}", "action: approve}"),
        ("agents/intake/agent.yaml", "  - {signal: empty, next: recommender}\n", ""),
    ] {
        let folder = copied("skills/code-review", &[]);
        change(folder.path(), file, from, to);
        let suite = crate::support::read(folder.path()).unwrap_or_else(|errors| panic!("{from}: {errors}"));
        assert!(!suite.play().passed(), "nothing fails without {from}");
    }
}

/// Each removed rule of the pack turns a scenario red.
#[test]
fn a_removed_rule_turns_a_scenario_red() {
    for (file, from, to) in [
        (
            "pack.yaml",
            "    - {tool: \"service:rollback\", risk: high}\n",
            "    - {tool: \"service:rollback\", risk: low}\n",
        ),
        ("pack.yaml", "    - {tool: \"service:restart\", environment: [production], action: approve}\n", ""),
        ("pack.yaml", "  confidence_below: 0.7\n", ""),
        ("pack.yaml", "    effect: \"notify:oncall\" ", "    #"),
        ("agents/investigator/agent.yaml", ", gate: {confidence_below: 0.75}", ""),
        ("agents/investigator/agent.yaml", "  - {when: needs_input, wait: operator}\n", ""),
    ] {
        let folder = copied("skills/incident", &[]);
        change(folder.path(), file, from, to);
        let result = played(folder.path());
        assert!(!result.passed(), "nothing fails without {from}");
    }
}

#[test]
fn what_no_scenario_reaches_is_told() {
    let folder = copied("skills/incident", &["refused.yaml"]);
    let result = played(folder.path());
    assert_eq!(failed(&result), NONE);
    let missing: Vec<String> = result.missing.iter().map(ToString::to_string).collect();
    for expect in [
        "outcome `resolved`",
        "route 1 of `triage`: healthy to watcher",
        "route 2 of `investigator`: needs_input to an operator",
        "rule 2 of the gates, for `service:restart`",
        "the gate `confidence_below`",
        "the question on route 1 of `investigator`",
        "the watch of `watcher`",
    ] {
        assert!(missing.iter().any(|told| told == expect), "{expect} is not told: {missing:#?}");
    }
    assert!(!missing.iter().any(|told| told.contains("escalated") || told.contains("rule 1")), "{missing:#?}");
}

#[test]
fn the_pack_to_begin_with_passes() {
    passes("runtime/cli/starters/empty");
}
