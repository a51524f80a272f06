//! Fields that a pack adds to the reports of its agents, and types of evidence.

use provost_agents::StandardRoles;
use serde_json::json;

use crate::support::{with, wrong};

const INVESTIGATOR: &str = "agents/investigator/agent.yaml";
const REPORT: &str = "report: {} ";
const DEFAULT: &str = "  - {when: default, next: resolution}";

#[test]
fn a_pack_adds_fields_to_a_report() {
    let pack = with(INVESTIGATOR, REPORT, "report: {team: optional roster.teams, cause_class: release | load} ");
    let agent = &pack.agents["investigator"];
    assert!(agent.report_required);
    let schema = agent.report_schema(&StandardRoles).unwrap();
    let fields = &schema["properties"];
    assert_eq!(fields["team"]["enum"], json!(["payments-oncall", "platform-oncall"]));
    assert!(fields["hypotheses"].is_object(), "the fields of the role stay");
    assert_eq!(schema["required"], json!(["cause_class"]));
    let own = agent.report_fields.as_ref().unwrap();
    assert!(own.problems(&json!({"cause_class": "load", "nothing_found": true})).is_empty());
    assert_eq!(own.problems(&json!({"cause_class": "weather", "team": "nobody"})).len(), 2);
    let before = with(INVESTIGATOR, REPORT, REPORT);
    assert!(before.agents["investigator"].report_required && before.agents["investigator"].report_fields.is_none());
}

#[test]
fn what_a_pack_cannot_add_to_a_report() {
    for (fields, part) in [
        ("{cause: ¦strin}", "did you mean `string`?"),
        ("{¦hypotheses: string}", "every report of role `investigator` has `hypotheses`"),
        ("{¦signal: string}", "every report of role `investigator` has `signal`"),
        ("{team: ¦roster.team}", "no roster `team`"),
        ("¦[cause]", "expected a table of names"),
    ] {
        wrong(INVESTIGATOR, REPORT, &format!("report: {fields} "), part);
    }
    wrong(
        "agents/watcher/agent.yaml",
        "deadline: 20s",
        "deadline: 20s\nreport: ¦{n: number}",
        "the runtime writes the report",
    );
}

#[test]
fn expressions_read_the_fields_that_a_pack_adds() {
    let routes = |when: &str| format!("  - {{when: '{when}', next: resolution}}\n{DEFAULT}");
    let both = |when: &str| {
        let folder = crate::support::copied();
        crate::support::change(folder.path(), INVESTIGATOR, REPORT, "report: {cause_class: release | load} ");
        crate::support::change(folder.path(), INVESTIGATOR, DEFAULT, &routes(when));
        crate::support::check(folder.path()).map(|_| ()).map_err(|errors| errors.to_string())
    };
    assert_eq!(both("report.cause_class == \"load\""), Ok(()));
    assert!(both("report.cause_class == \"laod\"").unwrap_err().contains("did you mean `load`?"));
    assert!(both("report.cause_clas == \"load\"").unwrap_err().contains("did you mean `cause_class`?"));
}

#[test]
fn evidence_is_a_type() {
    let args = "args: {team: roster.teams, reason: string, seen: evidence, more: \"optional evidence[]\"}";
    let before = "args: {team: roster.teams, reason: string, confidence: confidence, rationale: string}";
    let pack = with("pack.yaml", before, args);
    let tool = &pack.terminal_tools["mark_escalated"];
    assert_eq!(tool.schema.evidence_in(&json!({"seen": "a", "more": ["b"], "reason": "c"})), ["b", "a"]);
}
