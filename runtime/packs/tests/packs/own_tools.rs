//! Terminal tools and findings tools as a pack writes them, and the mistakes in them.

use provost_domain::ids::ToolName;
use provost_domain::pack::{ClaimOutcome, OutcomeKind};
use serde_json::json;

use crate::support::{change, check, copied, with, wrong};

const PACK: &str = "pack.yaml";
const ESCALATED: &str =
    "    outcome: escalated\n    args: {team: roster.teams, reason: string, confidence: confidence, rationale: string}";
const FINDING: &str = "  submit_hypothesis: {args: {hypotheses: list, confidence: confidence, rationale: string}}";
const OUTCOMES: &str = "  escalated: {kind: escalation}";

fn chosen(outcome: &str, how: &str) -> String {
    format!(
        "    outcome: {outcome}\n    args: {{team: roster.teams, reason: string, how: {how}, confidence: confidence, rationale: string}}"
    )
}

const BY: &str = "{by: how, here: resolved, away: escalated}";

#[test]
fn an_outcome_may_be_chosen_by_an_argument() {
    let pack = with(PACK, ESCALATED, &chosen(BY, "here | away"));
    let table = [("away", "escalated"), ("here", "resolved")].map(|(a, b)| (a.to_owned(), b.to_owned())).into();
    let outcome = ClaimOutcome::ByArgument { argument: "how".to_owned(), table };
    assert_eq!(pack.terminal_tools["mark_escalated"].outcome, outcome);
    let roster = chosen("{by: team, payments-oncall: resolved, platform-oncall: escalated}", "string");
    with(PACK, ESCALATED, &roster);
    for (outcome, how, part) in [
        ("{by: ¦how, here: resolved}", "here | away", "no outcome for `away`"),
        ("{by: how, here: resolved, away: escalated, ¦gone: resolved}", "here | away", "`how` is never `gone`"),
        ("{by: how, here: resolved, away: ¦escalatd}", "here | away", "did you mean `escalated`?"),
        ("{by: ¦who, here: resolved, away: escalated}", "here | away", "has no argument `who`"),
        ("{by: ¦how, here: resolved, away: escalated}", "optional here | away", "which a claim may leave out"),
        ("{by: ¦how, here: resolved, away: escalated}", "string", "which may be any value"),
        ("¦{here: resolved, away: escalated}", "here | away", "does not say by which argument"),
    ] {
        wrong(PACK, ESCALATED, &chosen(outcome, how), part);
    }
}

#[test]
fn an_outcome_may_be_a_failure() {
    let pack = with(PACK, OUTCOMES, "  escalated: {kind: failure}");
    assert_eq!(pack.outcomes["escalated"], OutcomeKind::Failure);
    wrong(PACK, OUTCOMES, "  escalated: {kind: ¦failed}", "did you mean `failure`?");
}

#[test]
fn a_tool_says_what_it_is_about_and_then_states_its_confidence() {
    let args =
        "    about: Hands the case over.\n    outcome: escalated\n    evidence: 2\n    args: {team: roster.teams}";
    let pack = with(PACK, ESCALATED, args);
    let tool = &pack.terminal_tools["mark_escalated"];
    assert_eq!(tool.about.as_deref(), Some("Hands the case over."));
    let schema = tool.schema.raw();
    assert_eq!(schema["properties"]["evidence"]["minItems"], json!(2));
    let mut required: Vec<_> = schema["required"].as_array().unwrap().iter().filter_map(|name| name.as_str()).collect();
    required.sort_unstable();
    assert_eq!(required, ["confidence", "evidence", "rationale", "team"]);
    // As packs wrote it before: only what they declare, and one piece of evidence where it is required.
    let before = with(PACK, ESCALATED, "    outcome: escalated\n    args: {team: roster.teams}");
    assert_eq!(before.terminal_tools["mark_escalated"].schema.raw()["required"], json!(["team"]));
    let resolved = before.terminal_tools[&ToolName::new("mark_resolved")].schema.raw().clone();
    assert_eq!(resolved["properties"]["evidence"]["minItems"], json!(1));
    wrong(PACK, "evidence: required", "evidence: ¦some", "a number of results");
    wrong(PACK, "evidence: required", "evidence: ¦65", "at most 64 results");
}

#[test]
fn a_claim_sets_fields() {
    let set = |line: &str| format!("{ESCALATED}\n    set: {line}");
    let pack = with(PACK, ESCALATED, &set("{summary: args.reason}"));
    assert_eq!(pack.terminal_tools["mark_escalated"].set["summary"].text(), "args.reason");
    for (line, part) in [
        ("{¦sumary: args.reason}", "did you mean `summary`?"),
        ("{summary: ¦args.reson}", "did you mean `reason`?"),
        ("{summary: ¦args.confidence}", "the field `summary` is a text, and this is a number"),
        ("{severity: ¦args.team}", "the field `severity` is one of low, medium, high, critical"),
    ] {
        wrong(PACK, ESCALATED, &set(line), part);
    }
    // What is injected, and what calls act on, no claim sets.
    let folder = copied();
    change(folder.path(), PACK, ESCALATED, &set("{service: args.reason}"));
    let errors = check(folder.path()).unwrap_err().to_string();
    assert!(errors.contains("`mark_escalated` lets a model change the field `service`"), "{errors}");
}

#[test]
fn findings_are_unique_by_arguments_and_bounded() {
    let finding = |more: &str| {
        format!("  submit_hypothesis: {{about: One cause., args: {{cause: string, line: optional integer}}, {more}}}")
    };
    let pack = with(PACK, FINDING, &finding("unique: [cause, line], max: 20"));
    let tool = &pack.findings_tools["submit_hypothesis"];
    assert_eq!((tool.unique.as_slice(), tool.max), (["cause".to_owned(), "line".to_owned()].as_slice(), Some(20)));
    let before = with(PACK, FINDING, FINDING);
    let tool = &before.findings_tools["submit_hypothesis"];
    assert_eq!((tool.unique.len(), tool.max, &tool.about), (0, None, &None));
    wrong(PACK, FINDING, &finding("unique: [¦caus]"), "did you mean `cause`?");
    wrong(PACK, FINDING, &finding("unique: ¦[]"), "tells no finding from another");
    wrong(PACK, FINDING, &finding("max: ¦501"), "at most 500 findings");
}

#[test]
fn a_pack_says_the_title_of_its_cases() {
    let title = |text: &str| format!("handle: INC\ntitle: {text}\n");
    let pack = with(PACK, "handle: INC ", &title("\"{{ fields.service }}: {{ fields.summary }}\""));
    assert!(pack.title.is_some());
    wrong(PACK, "handle: INC ", &title("¦\"{{ fields.servce }}\""), "did you mean `service`?");
    wrong(PACK, "handle: INC ", &title("¦\"{{ confidence }}\""), "`confidence` is not known here");
}
